import type { JobView } from '../../contract/messages.ts';

const HOUR_MS = 3_600_000;
const HOURS = 24;
/** A job of years is counted hour by hour no further than this back. */
const MOST_HOURS = 24 * 400;

/** The time that the jobs span, Unix milliseconds; null: none of them was ever started. */
export function spanOf(
  jobs: readonly JobView[],
  nowMs: number,
): { readonly fromMs: number; readonly toMs: number } | null {
  let fromMs = Number.POSITIVE_INFINITY;
  let toMs = 0;
  for (const { startedAtMs, finishedAtMs } of jobs) {
    if (startedAtMs === null) continue;
    fromMs = Math.min(fromMs, startedAtMs);
    toMs = Math.max(toMs, finishedAtMs ?? nowMs);
  }
  return toMs > fromMs ? { fromMs, toMs } : null;
}

/** How much of a device's time jobs held it, by the hour of the day; 0 to 1. */
export interface DeviceHours {
  readonly deviceId: string;
  readonly shares: readonly number[];
}

/**
 * Use by hour and device over the span of the jobs: of each hour of the day, the share of all its occurrences in which a job's
 * last attempt held the device. Jobs that share a device count once.
 * @param hourOf the hour on the wall at a moment.
 */
export function hoursInUse(
  jobs: readonly JobView[],
  nowMs: number,
  hourOf: (unixMs: number) => number,
): DeviceHours[] {
  const span = spanOf(jobs, nowMs);
  if (span === null) return [];
  const toMs = span.toMs;
  const fromMs = Math.max(span.fromMs, toMs - MOST_HOURS * HOUR_MS);
  const there = new Array<number>(HOURS).fill(0);
  eachHour(fromMs, toMs, hourOf, (hour, ms) => {
    there[hour]! += ms;
  });
  const held = new Map<string, [number, number][]>();
  for (const job of jobs) {
    if (job.startedAtMs === null) continue;
    const stretch: [number, number] = [Math.max(fromMs, job.startedAtMs), job.finishedAtMs ?? nowMs];
    for (const device of job.devices) {
      const stretches = held.get(device);
      if (stretches) stretches.push(stretch);
      else held.set(device, [stretch]);
    }
  }
  return [...held].map(([deviceId, stretches]) => {
    const used = new Array<number>(HOURS).fill(0);
    for (const [from, to] of united(stretches)) {
      eachHour(from, to, hourOf, (hour, ms) => {
        used[hour]! += ms;
      });
    }
    return { deviceId, shares: used.map((ms, hour) => (there[hour]! > 0 ? ms / there[hour]! : 0)) };
  });
}

/** GPUs in use on average in each of `count` equal parts of the span. */
export function gpusOverTime(
  jobs: readonly JobView[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  nowMs: number,
  count: number,
): number[] {
  const width = (toMs - fromMs) / count;
  const parts = new Array<number>(count).fill(0);
  for (const job of jobs) {
    if (job.startedAtMs === null || job.gpus === 0) continue;
    const gpus = job.devices.length || job.gpus;
    const end = Math.min(toMs, job.finishedAtMs ?? nowMs);
    const begin = Math.max(fromMs, job.startedAtMs);
    for (let part = Math.max(0, Math.floor((begin - fromMs) / width)); part < count; part++) {
      const from = Math.max(begin, fromMs + part * width);
      const to = Math.min(end, fromMs + (part + 1) * width);
      if (from >= end) break;
      parts[part]! += (gpus * Math.max(0, to - from)) / width;
    }
  }
  return parts;
}

/** Stretches that overlap or touch as one, in order. */
function united(stretches: readonly (readonly [number, number])[]): [number, number][] {
  const all: [number, number][] = [];
  for (const [from, to] of [...stretches].sort((a, b) => a[0] - b[0])) {
    const last = all.at(-1);
    if (to <= from) continue;
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else all.push([from, to]);
  }
  return all;
}

function eachHour(
  fromMs: number,
  toMs: number,
  hourOf: (unixMs: number) => number,
  tell: (hour: number, ms: number) => void,
): void {
  for (let at = fromMs; at < toMs; ) {
    // Quarter hours: no zone's clock is off by anything else.
    const next = Math.min(toMs, (Math.floor(at / (HOUR_MS / 4)) + 1) * (HOUR_MS / 4));
    tell(hourOf(at), next - at);
    at = next;
  }
}

/** How many of the values fall between two edges, and which half and nine tenths of them do not exceed. */
export interface Distribution {
  /** Upper ends of the parts, the last of which has none. */
  readonly edges: readonly number[];
  /** One more than `edges`. */
  readonly counts: readonly number[];
  readonly p50: number;
  readonly p90: number;
}

/** @returns null where there are no values. */
export function distributionOf(values: readonly number[], edges: readonly number[]): Distribution | null {
  if (values.length === 0) return null;
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const value of values) {
    const at = edges.findIndex((edge) => value <= edge);
    counts[at < 0 ? edges.length : at]! += 1;
  }
  const sorted = [...values].sort((a, b) => a - b);
  const quantile = (q: number): number => sorted[Math.ceil(q * sorted.length) - 1]!;
  return { edges, counts, p50: quantile(0.5), p90: quantile(0.9) };
}

/** Shorter runs would make any wait look endless. */
const SHORTEST_RUN_S = 10;

/** Time in the system over time of running, of jobs that were started once and are over; 1: they did not wait. */
export function slowdownsOf(jobs: readonly JobView[]): number[] {
  return jobs.flatMap(({ startedAtMs, finishedAtMs, submittedAtMs, attempt }) => {
    if (startedAtMs === null || finishedAtMs === null || attempt > 1) return [];
    const ranS = Math.max(SHORTEST_RUN_S, (finishedAtMs - startedAtMs) / 1000);
    return [Math.max(1, (finishedAtMs - submittedAtMs) / 1000 / ranS)];
  });
}

/** Seconds from the submission to the start, of jobs that were started once. */
export function waitsOf(jobs: readonly JobView[]): number[] {
  return jobs.flatMap(({ startedAtMs, submittedAtMs, attempt }) =>
    startedAtMs === null || attempt > 1 ? [] : [(startedAtMs - submittedAtMs) / 1000],
  );
}
