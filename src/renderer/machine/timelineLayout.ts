import type { Allocation } from '../../contract/messages.ts';

/** A stretch as it is drawn: where it begins and ends as shares of the window, and its lane on the track. */
export interface Stretch {
  readonly allocation: Allocation;
  /** 0: the left edge; 1: the right edge. */
  readonly from: number;
  readonly to: number;
  readonly lane: number;
  /** True when it began before the window. */
  readonly cut: boolean;
}

export interface Track {
  readonly deviceId: string;
  readonly stretches: readonly Stretch[];
  /** Jobs beside each other at most; at least 1. */
  readonly lanes: number;
}

/** The time that a timeline shows. */
export interface TimeWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Lays out who was where: a track per device in the order given, jobs that shared a device on lanes beside each
 * other (each takes the first lane that is free when it begins). Open stretches reach to `nowMs`; what lies
 * outside the window is left out, what overlaps its edges is cut.
 */
export function layOutTracks(
  allocations: readonly Allocation[],
  deviceIds: readonly string[],
  window: TimeWindow,
  nowMs: number,
): Track[] {
  const length = window.toMs - window.fromMs;
  return deviceIds.map((deviceId) => {
    const mine = allocations
      .filter((a) => a.deviceId === deviceId)
      .map((allocation) => ({ allocation, endMs: Math.max(allocation.startMs, allocation.endMs ?? nowMs) }))
      .filter(({ allocation, endMs }) => endMs >= window.fromMs && allocation.startMs <= window.toMs)
      .sort((a, b) => a.allocation.startMs - b.allocation.startMs || a.allocation.jobId - b.allocation.jobId);
    const freeAtMs: number[] = [];
    const stretches = mine.map(({ allocation, endMs }): Stretch => {
      const free = freeAtMs.findIndex((atMs) => atMs <= allocation.startMs);
      const lane = free < 0 ? freeAtMs.length : free;
      freeAtMs[lane] = endMs;
      return {
        allocation,
        lane,
        cut: allocation.startMs < window.fromMs,
        from: Math.max(0, (allocation.startMs - window.fromMs) / length),
        to: Math.min(1, (endMs - window.fromMs) / length),
      };
    });
    return { deviceId, stretches, lanes: Math.max(1, freeAtMs.length) };
  });
}

const STEPS_MS = [0.5, 1, 2, 5, 10, 15, 30, 60].map((minutes) => minutes * 60_000);

/** Round times within the window, at most `most` of them. */
export function ticksOf(window: TimeWindow, most: number): number[] {
  const length = window.toMs - window.fromMs;
  const stepMs = STEPS_MS.find((step) => length / step <= most) ?? STEPS_MS.at(-1)!;
  const ticks: number[] = [];
  for (let at = Math.ceil(window.fromMs / stepMs) * stepMs; at <= window.toMs; at += stepMs) ticks.push(at);
  return ticks;
}

/**
 * When a running job would end if it went on at its mean pace so far, ms; null when its progress says too
 * little for that.
 */
export function expectedEndMs(runS: number, fraction: number | null, nowMs: number): number | null {
  if (fraction === null || fraction < 0.02 || runS <= 0) return null;
  return nowMs + (runS * 1000 * (1 - fraction)) / fraction;
}
