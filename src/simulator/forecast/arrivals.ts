import { type Rng, randomInt, randomNormal } from '../../domain/rng.ts';
import type { PastRun, RunningJob, Snapshot, TimeSpread, WaitingJob } from '../../scheduler/snapshot.ts';

/** A job that nobody has submitted yet. */
export interface Arrival {
  readonly atMs: number;
  readonly job: WaitingJob;
  /** Work, seconds at full speed. */
  readonly leftS: number;
}

/** Of fewer runs than that nothing can be said of how many will come. */
const LEAST_RUNS = 8;
/** Submissions that are looked at: what came long ago says little of what comes next. */
const MOST_SUBMISSIONS = 128;
/** How far a prediction of a new job's run time is off: standard deviation of its logarithm. */
const PREDICTION_SIGMA = 0.7;
const Z90 = 1.2816;

/**
 * Jobs as they may come: gaps between two, and what comes, are drawn from what came lately. Whoever goes before others for
 * being short delays them by jobs that are not there yet.
 * @returns null where too little is known.
 */
export function arrivalsAfter(snapshot: Snapshot, rng: Rng): { next(): Arrival } | null {
  const { past = [], nowMs } = snapshot;
  const present = [...snapshot.waiting, ...snapshot.running].filter(({ gpus }) => gpus > 0);
  if (past.length < LEAST_RUNS || present.length === 0) return null;
  const submissionsMs = [...past, ...present]
    .map(({ submittedAtMs }) => submittedAtMs)
    .sort((a, b) => a - b)
    .slice(-MOST_SUBMISSIONS);
  // That nobody came since the last one is a gap too.
  const gapsMs = [...submissionsMs.slice(1), nowMs].map((atMs, i) => Math.max(0, atMs - submissionsMs[i]!));
  const predicted = present.filter(({ remaining }) => remaining !== null).length / present.length;
  let atMs = nowMs;
  let id = Math.max(...present.map((job) => job.id));
  let rank = Math.max(...present.map((job) => job.rank));
  return {
    next() {
      atMs += gapsMs[randomInt(rng, gapsMs.length)]!;
      const run = past[randomInt(rng, past.length)]!;
      const remaining = rng.next() < predicted ? predictionOf(run.ranS, rng) : null;
      id++;
      rank++;
      const job = likeOne(run, present, rng);
      return { atMs, leftS: Math.max(1, run.ranS), job: { ...job, id, rank, remaining, ...fresh(atMs) } };
    },
  };
}

/** Memory and the like as some job that is there, of the same size if there is one; what it runs as the run. */
function likeOne({ gpus, user, command }: PastRun, present: readonly (WaitingJob | RunningJob)[], rng: Rng) {
  const alike = present.filter((job) => job.gpus === gpus);
  const among = alike.length > 0 ? alike : present;
  const { vramMib, exclusive, gpuUtil, restartable, stopCostS } = among[randomInt(rng, among.length)]!;
  return {
    gpus,
    minGpus: gpus,
    maxGpus: gpus,
    vramMib,
    exclusive,
    priority: 0,
    user,
    command,
    gpuUtil,
    restartable,
    ...(stopCostS === undefined ? {} : { stopCostS }),
  };
}

const fresh = (atMs: number) => ({
  submittedAtMs: atMs,
  waitingSinceMs: atMs,
  urgentSinceMs: null,
  moved: false,
  preemptions: 0,
  attainedGpuS: 0,
});

function predictionOf(ranS: number, rng: Rng): TimeSpread {
  const p50S = Math.max(1, ranS * Math.exp(PREDICTION_SIGMA * randomNormal(rng)));
  const width = Math.exp(PREDICTION_SIGMA * Z90);
  return { p10S: p50S / width, p50S, p90S: p50S * width };
}
