import { DEFAULT_GOALS } from '../domain/reward.ts';
import { seededRng } from '../domain/rng.ts';
import { decide } from '../scheduler/decide.ts';
import { type Weights, WeightsError } from '../scheduler/network.ts';
import { createDqnPolicy, NO_EXPLORATION } from '../scheduler/policies/dqn.ts';
import { firstFit } from '../scheduler/policies/firstFit.ts';
import {
  DEFAULT_LIMITS,
  idleDevice,
  type RunningJob,
  type Snapshot,
  type TimeSpread,
  type WaitingJob,
} from '../scheduler/snapshot.ts';

const MIB = 16 * 1024;
const TIMES: readonly (TimeSpread | null)[] = [
  null,
  { p10S: 5, p50S: 10, p90S: 20 },
  { p10S: 1800, p50S: 3600, p90S: 9000 },
];

/**
 * Refuses weights under which a machine could stand still: where nothing runs, a job that fits must be started;
 * and where half of the devices or more are free for a single waiting job, too.
 * @throws {WeightsError} naming the situation.
 */
export function sanityCheck(weights: Weights): void {
  const policy = createDqnPolicy({ weights, version: 'candidate', exploration: NO_EXPLORATION });
  const rng = seededRng(1);
  for (const snapshot of situations()) {
    const step = decide({ snapshot, policy, heuristic: firstFit, rng, limits: DEFAULT_LIMITS });
    const where = `${snapshot.devices.length} devices with ${snapshot.running.length} jobs running`;
    const remedy = 'keep the weights in charge';
    if (step.fallback !== null) throw new WeightsError(`fail on ${where} (${step.fallback.error})`, remedy);
    if (step.chosen.kind === 'wait') throw new WeightsError(`let a job wait that fits on ${where}`, remedy);
  }
}

function situations(): Snapshot[] {
  const found: Snapshot[] = [];
  for (const devices of [1, 2, 4, 8]) {
    for (const remaining of TIMES) {
      for (const vramMib of [null, 4096]) {
        const waiting = waitingJob(remaining, vramMib);
        found.push(snapshotOf(devices, waiting, []));
        if (devices > 1) found.push(snapshotOf(devices, waiting, runningJobs(devices / 2)));
      }
    }
  }
  return found;
}

function snapshotOf(devices: number, waiting: WaitingJob, running: readonly RunningJob[]): Snapshot {
  return {
    nowMs: 1_000_000,
    devices: Array.from({ length: devices }, (_, index) => idleDevice(`d${index}`, index, MIB)),
    waiting: [waiting],
    running,
    cpuSlots: 4,
    goals: DEFAULT_GOALS,
    serviceByUser: {},
  };
}

const waitingJob = (remaining: TimeSpread | null, vramMib: number | null): WaitingJob => ({
  id: 1,
  gpus: 1,
  minGpus: 1,
  maxGpus: 1,
  vramMib,
  exclusive: false,
  priority: 0,
  rank: 1,
  user: 'somebody',
  submittedAtMs: 1_000_000,
  gpuUtil: null,
  restartable: false,
  preemptions: 0,
  attainedGpuS: 0,
  remaining,
  waitingSinceMs: 1_000_000,
  urgentSinceMs: null,
  moved: false,
});

function runningJobs(count: number): RunningJob[] {
  return Array.from({ length: count }, (_, i) => ({
    id: 100 + i,
    gpus: 1,
    minGpus: 1,
    maxGpus: 1,
    vramMib: null,
    exclusive: false,
    priority: 0,
    rank: 100 + i,
    user: 'somebody',
    submittedAtMs: 900_000,
    gpuUtil: null,
    restartable: false,
    preemptions: 0,
    attainedGpuS: 60,
    remaining: null,
    deviceIds: [`d${i}`],
    startedAtMs: 940_000,
    changedAtMs: 940_000,
    pausedBy: null,
    progress: null,
  }));
}
