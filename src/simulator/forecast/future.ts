import type { Action } from '../../domain/decision.ts';
import type { Rng } from '../../domain/rng.ts';
import { decide, withApplied } from '../../scheduler/decide.ts';
import type { Policy } from '../../scheduler/policy.ts';
import { reviewInS } from '../../scheduler/review.ts';
import {
  pairKey,
  type RunningJob,
  type ShieldLimits,
  type Snapshot,
  type TimeSpread,
} from '../../scheduler/snapshot.ts';
import { arrivalsAfter } from './arrivals.ts';
import { workLeft } from './workLeft.ts';

/** A job's first start in one future. */
export interface FutureStart {
  readonly atMs: number;
  readonly deviceIds: readonly string[];
  /** When it is over if nothing stops it and nobody joins it. */
  readonly endsMs: number;
}

export interface FutureOptions {
  readonly snapshot: Snapshot;
  readonly policy: Policy;
  readonly heuristic: Policy;
  readonly limits: ShieldLimits;
  readonly history: readonly number[];
  readonly rng: Rng;
  /** Asked before each decision: true, and the future ends there. */
  readonly enough: () => boolean;
}

/** A policy that preempts may want to be asked every few seconds; a future is told in coarser steps. */
const LEAST_REVIEW_S = 30;
/** And in coarser ones the farther it lies ahead. */
const REVIEW_SHARE = 0.02;
/** Beside a neighbour where nothing was measured: together they do a quarter more than one alone. */
const PAIRED_SPEED = 1 / 1.6;
/** Speed on other than the GPUs asked for: their number to this power. */
const ELASTIC_EXPONENT = 0.8;
const DONE_S = 1e-3;

/**
 * Plays one future of a snapshot through: every job's remaining work is drawn once, the decision core decides as it would
 * live, and time goes on from one end to the next. Jobs arrive as they did lately; rules, people and the owner's presence stay
 * as they are now.
 * @returns the first start of each waiting job; those that are not in it had not started when the future ended.
 */
export function playFuture(options: FutureOptions): Map<number, FutureStart> {
  const { policy, limits, history, rng, enough } = options;
  const starts = new Map<number, FutureStart>();
  const waitingAtFirst = new Set(options.snapshot.waiting.map(({ id }) => id));
  const leftS = workLeft(options.snapshot, rng);
  const beganMs = options.snapshot.nowMs;
  const boundariesMs = reservationBoundaries(options.snapshot);
  const arrivals = arrivalsAfter(options.snapshot, rng);
  let coming = arrivals?.next() ?? null;
  let { snapshot } = options;
  for (;;) {
    for (;;) {
      if (enough()) return starts;
      const chosen = nextAction(snapshot, options);
      if (chosen.kind === 'wait') break;
      snapshot = withApplied(snapshot, chosen);
      if (chosen.kind !== 'launch' || !waitingAtFirst.delete(chosen.jobId)) continue;
      const started = snapshot.running.find(({ id }) => id === chosen.jobId)!;
      const runsS = leftS.get(chosen.jobId)! / speedOf(started, snapshot);
      starts.set(chosen.jobId, {
        atMs: snapshot.nowMs,
        deviceIds: chosen.deviceIds,
        endsMs: snapshot.nowMs + 1000 * runsS,
      });
    }
    if (waitingAtFirst.size === 0) return starts;
    const outside = coming === null ? boundariesMs : [coming.atMs, ...boundariesMs];
    const nextS = untilNext(snapshot, leftS, outside, () => {
      const coarse = Math.max(LEAST_REVIEW_S, (REVIEW_SHARE * (snapshot.nowMs - beganMs)) / 1000);
      return Math.max(coarse, reviewInS(policy, snapshot, limits, history));
    });
    if (nextS === Number.POSITIVE_INFINITY) return starts;
    snapshot = later(snapshot, nextS, leftS);
    while (coming !== null && coming.atMs <= snapshot.nowMs) {
      leftS.set(coming.job.id, coming.leftS);
      snapshot = { ...snapshot, waiting: [...snapshot.waiting, coming.job] };
      coming = arrivals!.next();
    }
  }
}

/** As the dispatcher: what the policy leaves waiting though it takes no GPU starts as soon as it fits. */
function nextAction(snapshot: Snapshot, { policy, heuristic, limits, history, rng }: FutureOptions): Action {
  if (snapshot.waiting.length === 0) return WAIT;
  const { chosen } = decide({ snapshot, policy, heuristic, rng, limits, history });
  if (chosen.kind !== 'wait') return chosen;
  const onProcessors = snapshot.waiting.filter(({ gpus }) => gpus === 0);
  if (onProcessors.length === 0) return chosen;
  return decide({
    snapshot: { ...snapshot, waiting: onProcessors },
    policy: heuristic,
    heuristic,
    rng,
    limits,
  }).chosen;
}

const WAIT: Action = { kind: 'wait' };

/** When the owner's reservations begin and end: what the shield allows changes then. */
function reservationBoundaries({ devices, nowMs }: Snapshot): number[] {
  const all = devices.flatMap(({ reservations = [] }) =>
    reservations.flatMap(({ fromMs, toMs }) => [fromMs, toMs]),
  );
  return [...new Set(all)].filter((atMs) => atMs > nowMs).sort((a, b) => a - b);
}

function untilNext(
  snapshot: Snapshot,
  leftS: ReadonlyMap<number, number>,
  outsideMs: readonly number[],
  reviewS: () => number,
): number {
  let nextS = Number.POSITIVE_INFINITY;
  for (const job of snapshot.running) {
    if (job.pausedBy === null) nextS = Math.min(nextS, leftS.get(job.id)! / speedOf(job, snapshot));
  }
  // What comes from outside: the next arrival, and the owner's reservations.
  for (const atMs of outsideMs) {
    if (atMs > snapshot.nowMs) nextS = Math.min(nextS, (atMs - snapshot.nowMs) / 1000);
  }
  // Where nothing else ever happens, looking again changes nothing either.
  return nextS === Number.POSITIVE_INFINITY ? nextS : Math.max(DONE_S, Math.min(nextS, reviewS()));
}

/** The snapshot after so many seconds in which nothing was decided; who is through with its work is gone. */
function later(snapshot: Snapshot, dtS: number, leftS: Map<number, number>): Snapshot {
  const running: RunningJob[] = [];
  const serviceByUser: Record<string, number> = { ...snapshot.serviceByUser };
  for (const job of snapshot.running) {
    if (job.pausedBy !== null) {
      running.push(job);
      continue;
    }
    const gpuS = dtS * job.deviceIds.length;
    serviceByUser[job.user] = (serviceByUser[job.user] ?? 0) + gpuS;
    const left = leftS.get(job.id)! - dtS * speedOf(job, snapshot);
    leftS.set(job.id, left);
    if (left < DONE_S) continue;
    running.push({
      ...job,
      attainedGpuS: job.attainedGpuS + gpuS,
      remaining: job.remaining === null ? null : shrunk(job.remaining, dtS),
    });
  }
  return { ...snapshot, nowMs: snapshot.nowMs + 1000 * dtS, running, serviceByUser };
}

/** What is predicted shrinks as a job runs; a tenth of a quantile is left where it was exceeded. */
function shrunk({ p10S, p50S, p90S }: TimeSpread, dtS: number): TimeSpread {
  const left = (quantileS: number): number => Math.max(0.1 * quantileS, quantileS - dtS);
  return { p10S: left(p10S), p50S: left(p50S), p90S: left(p90S) };
}

/** Work that it does in a second, as on the slowest of its devices. */
function speedOf(job: RunningJob, { running, interference }: Snapshot): number {
  let slowest = 1;
  for (const deviceId of job.deviceIds) {
    let speed = 1;
    for (const other of running) {
      if (other.id === job.id || other.pausedBy !== null || !other.deviceIds.includes(deviceId)) continue;
      const measured = job.kind && other.kind ? interference?.[pairKey(job.kind, other.kind)] : undefined;
      speed *= measured ?? PAIRED_SPEED;
    }
    slowest = Math.min(slowest, speed);
  }
  const { gpus, deviceIds } = job;
  const scale = gpus > 0 && deviceIds.length > 0 ? (deviceIds.length / gpus) ** ELASTIC_EXPONENT : 1;
  return Math.max(0.01, slowest * scale);
}
