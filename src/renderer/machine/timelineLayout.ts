import type { Allocation, JobView } from '../../contract/messages.ts';
import type { Forecast, Spread } from '../store/forecast.ts';

/** A job on a device: from its past, or as it is expected to be. */
export interface Span {
  readonly deviceId: string;
  readonly jobId: number;
  readonly name: string;
  readonly project: string;
  readonly startMs: number;
  /** null: still there, or not there yet. */
  readonly endMs: number | null;
  /** When it is expected to be over; null: it is, or nobody knows. */
  readonly ends: Spread | null;
  /** When it is expected to start; null: it has. */
  readonly starts: Spread | null;
  /** Where it comes from; null: it is only expected. */
  readonly allocation: Allocation | null;
}

/** Shares of the window, 0 the left edge and 1 the right one, beyond it where something lies outside. */
interface Shares {
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
}

/** A span as it is drawn, on its lane of the track. */
export interface Stretch {
  readonly span: Span;
  /** Where it begins and ends as far as that is sure: what has run, or, of one that is only expected, nothing. */
  readonly from: number;
  readonly to: number;
  /** Where it is expected to end, and to start. */
  readonly ends: Shares | null;
  readonly starts: Shares | null;
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

/** So many of a device's latest jobs are drawn: more are narrower than a pixel. */
const MOST_PER_TRACK = 300;

/** What has been on devices and is, with what is expected of it, and what is expected to come. */
export function spansOf(
  allocations: readonly Allocation[],
  jobs: ReadonlyMap<number, Pick<JobView, 'name' | 'project' | 'status'>>,
  { ends, due }: Forecast,
): Span[] {
  const spans = allocations.map(
    (allocation): Span => ({
      ...allocation,
      ends: allocation.endMs === null ? (ends.get(allocation.jobId) ?? null) : null,
      starts: null,
      allocation,
    }),
  );
  for (const { jobId, deviceIds, start, end } of due.values()) {
    const job = jobs.get(jobId);
    // It may have started since that was worked out.
    if (job?.status !== 'queued') continue;
    const { name, project } = job;
    for (const deviceId of deviceIds)
      spans.push({
        deviceId,
        jobId,
        name,
        project,
        startMs: start.p50Ms,
        endMs: null,
        starts: start,
        ends: end,
        allocation: null,
      });
  }
  return spans;
}

/**
 * Lays out who is where: a track per device in the order given, jobs that share a device on lanes beside each
 * other (each takes the first lane that is free when it begins). What still runs reaches to `nowMs`, and its expected end
 * keeps the lane; what lies outside the window is left out, what overlaps its edges is cut.
 */
export function layOutTracks(
  spans: readonly Span[],
  deviceIds: readonly string[],
  window: TimeWindow,
  nowMs: number,
): Track[] {
  const length = window.toMs - window.fromMs;
  const share = (ms: number): number => (ms - window.fromMs) / length;
  // What was expected a moment ago, and has not come, is still to come.
  const ahead = (ms: number): number => share(Math.max(ms, nowMs));
  const shares = (spread: Spread | null): Shares | null =>
    spread && { p10: ahead(spread.p10Ms), p50: ahead(spread.p50Ms), p90: ahead(spread.p90Ms) };
  return deviceIds.map((deviceId) => {
    const mine = spans
      .filter((span) => span.deviceId === deviceId)
      .map((span) => {
        const startMs = span.starts?.p50Ms ?? span.startMs;
        const sureMs = span.starts === null ? Math.max(startMs, span.endMs ?? nowMs) : startMs;
        return { span, startMs, sureMs, endMs: Math.max(sureMs, span.ends?.p50Ms ?? sureMs) };
      })
      .filter(({ startMs, endMs }) => endMs >= window.fromMs && startMs <= window.toMs)
      .sort((a, b) => a.startMs - b.startMs || a.span.jobId - b.span.jobId)
      .slice(-MOST_PER_TRACK);
    const freeAtMs: number[] = [];
    const stretches = mine.map(({ span, startMs, sureMs, endMs }): Stretch => {
      const free = freeAtMs.findIndex((atMs) => atMs <= startMs);
      const lane = free < 0 ? freeAtMs.length : free;
      freeAtMs[lane] = endMs;
      return {
        span,
        lane,
        cut: startMs < window.fromMs,
        from: Math.max(0, share(startMs)),
        to: Math.min(1, share(sureMs)),
        ends: shares(span.ends),
        starts: shares(span.starts),
      };
    });
    return { deviceId, stretches, lanes: Math.max(1, freeAtMs.length) };
  });
}

const STEPS_MS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 180, 360].map((minutes) => minutes * 60_000);

/** Round times within the window, at most `most` of them. */
export function ticksOf(window: TimeWindow, most: number): number[] {
  const length = window.toMs - window.fromMs;
  const stepMs = STEPS_MS.find((step) => length / step <= most) ?? STEPS_MS.at(-1)!;
  const ticks: number[] = [];
  for (let at = Math.ceil(window.fromMs / stepMs) * stepMs; at <= window.toMs; at += stepMs) ticks.push(at);
  return ticks;
}
