import { type Rng, randomInt, randomNormal } from '../domain/rng.ts';
import { spreadAround } from './spread.ts';
import type { SimulatedJob, SimulatedWorld } from './world.ts';

/** Ranges from which random days are drawn. */
export interface WorkloadRanges {
  /** Devices, from and to. */
  readonly devices: readonly [number, number];
  /** Offered GPU-seconds per GPU-second, from and to. */
  readonly load: readonly [number, number];
  /** Jobs of a day, from and to. */
  readonly jobs: readonly [number, number];
}

export const DEFAULT_RANGES: WorkloadRanges = { devices: [1, 8], load: [0.5, 1.2], jobs: [20, 60] };

const DEVICE_MIB = 24 * 1024;
const USERS = ['ada', 'ben', 'cho'] as const;
/** Mean number of jobs that are submitted together. */
const BURST = 4;
/** σ of ln(duration): with it a tenth of the jobs takes half of the time. */
const DURATION_SIGMA = 1.3;
/** σ of ln(predicted / true). */
const PREDICTION_SIGMA = 0.4;

/**
 * A random day: Poisson bursts of arrivals of three users of unequal eagerness, log-normal durations whose median differs
 * from day to day (half a minute to half an hour), 1 to 4 GPUs, memory declared or not, noisy predictions or none.
 */
export function randomWorld(rng: Rng, ranges: WorkloadRanges = DEFAULT_RANGES): SimulatedWorld {
  const devices = between(rng, ranges.devices);
  const medianS = 30 * 60 ** rng.next();
  const load = ranges.load[0] + rng.next() * (ranges.load[1] - ranges.load[0]);
  const drafts = Array.from({ length: between(rng, ranges.jobs) }, (_, i) =>
    draftJob(rng, i + 1, medianS, devices),
  );
  const offered = drafts.reduce((sum, job) => sum + job.durationS * job.gpus, 0);
  const gapS = offered / drafts.length / (load * devices);
  let atS = 0;
  const jobs = drafts.map((job) => {
    const submittedAtS = atS;
    // Most jobs come in one go with the one before, as sweeps do; the gaps between the bursts make up for it.
    if (rng.next() < 1 / BURST) atS += -Math.log(1 - rng.next()) * gapS * BURST;
    return { ...job, submittedAtS };
  });
  return { devicesMib: Array.from({ length: devices }, () => DEVICE_MIB), jobs };
}

function draftJob(rng: Rng, id: number, medianS: number, devices: number): SimulatedJob {
  const durationS = Math.min(6 * 3600, Math.max(2, medianS * Math.exp(DURATION_SIGMA * randomNormal(rng))));
  const size = rng.next();
  const gpus = size < 0.05 ? 0 : size < 0.8 ? 1 : size < 0.93 ? 2 : 4;
  const priority = rng.next();
  const user = rng.next();
  return {
    id,
    submittedAtS: 0,
    durationS,
    predicted:
      rng.next() < 0.2
        ? null
        : spreadAround(durationS * Math.exp(PREDICTION_SIGMA * randomNormal(rng)), PREDICTION_SIGMA),
    gpus: Math.min(gpus, devices),
    vramMib: rng.next() < 0.3 ? null : 2048 + randomInt(rng, 18 * 1024),
    exclusive: rng.next() < 0.05,
    priority: priority < 0.7 ? 0 : priority < 0.85 ? 10 : -10,
    user: USERS[user < 0.6 ? 0 : user < 0.9 ? 1 : 2],
  };
}

function between(rng: Rng, [low, high]: readonly [number, number]): number {
  return low + randomInt(rng, high - low + 1);
}
