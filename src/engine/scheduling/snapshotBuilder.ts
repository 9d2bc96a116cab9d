import type { Device } from '../../domain/device.ts';
import { isLive, type Job, runSeconds } from '../../domain/job.ts';
import type { GoalWeights } from '../../domain/reward.ts';
import type {
  RunningJob,
  Snapshot,
  SnapshotDevice,
  TimeSpread,
  WaitingJob,
} from '../../scheduler/snapshot.ts';
import { foreignMib } from '../jobs/holdings.ts';

export interface SnapshotSources {
  readonly nowMs: number;
  /** Jobs that are not over, by rank. */
  readonly jobs: readonly Job[];
  readonly devices: readonly Device[];
  readonly cpuSlots: number;
  readonly goals: GoalWeights;
  /** GPU-seconds of service in this episode by user. */
  readonly serviceByUser: Readonly<Record<string, number>>;
}

/** The live machine as the decision core sees it. */
export function buildSnapshot(sources: SnapshotSources): Snapshot {
  const { nowMs, jobs } = sources;
  const observedMib = new Map<number, number>();
  for (const device of sources.devices) {
    for (const holder of device.holders) {
      if (holder.usedMib !== null) {
        observedMib.set(holder.jobId, Math.max(observedMib.get(holder.jobId) ?? 0, holder.usedMib));
      }
    }
  }
  return {
    nowMs,
    devices: sources.devices.map(snapshotDevice),
    waiting: jobs.filter((job) => job.status === 'queued').map((job) => waitingJob(job, nowMs)),
    running: jobs
      .filter((job) => isLive(job.status))
      .map((job) => runningJob(job, nowMs, observedMib.get(job.id) ?? 0)),
    cpuSlots: sources.cpuSlots,
    goals: sources.goals,
    serviceByUser: sources.serviceByUser,
  };
}

function snapshotDevice(device: Device): SnapshotDevice {
  const { reading } = device;
  return {
    id: device.id,
    index: device.index,
    memoryTotalMib: device.memoryTotalMib,
    foreignMib: foreignMib(device),
    usable: device.health === 'ok',
    utilisation: reading?.utilisation ?? null,
    temperatureC: reading?.temperatureC ?? null,
    powerW: reading?.powerW ?? null,
  };
}

function waitingJob(job: Job, nowMs: number): WaitingJob {
  return {
    ...common(job, nowMs),
    vramMib: job.vramMib,
    waitingSinceMs: job.submittedAtMs,
    moved: job.moved,
  };
}

function runningJob(job: Job, nowMs: number, observed: number): RunningJob {
  return {
    ...common(job, nowMs),
    // A declaration that turned out too small does not make room for others.
    vramMib: job.vramMib === null ? null : Math.max(job.vramMib, Math.ceil(observed)),
    deviceIds: job.devices,
    startedAtMs: job.startedAtMs ?? nowMs,
    paused: job.status === 'paused',
    progress: job.progress?.fraction ?? null,
  };
}

function common(job: Job, nowMs: number) {
  const ranS = runSeconds(job, nowMs);
  return {
    id: job.id,
    gpus: job.gpus,
    exclusive: job.exclusive,
    priority: job.priority,
    rank: job.rank,
    user: job.user,
    submittedAtMs: job.submittedAtMs,
    attainedGpuS: ranS * job.gpus,
    remaining: remaining(job, ranS),
  };
}

/**
 * What is left to run. From the job's own progress where there is enough of it (its rate so far, with a spread
 * that narrows as it goes on), else from the submitter's guess, which is rarely better than a factor of three.
 */
function remaining(job: Job, ranS: number): TimeSpread | null {
  const done = job.progress?.fraction ?? 0;
  if (done >= 0.02 && ranS > 0) {
    const p50S = (ranS * (1 - done)) / done;
    const spread = 1 + 0.5 * (1 - done);
    return { p10S: p50S / spread, p50S, p90S: p50S * spread };
  }
  if (job.estimateS === null) return null;
  const p50S = Math.max(job.estimateS - ranS, 0.1 * job.estimateS);
  return { p10S: p50S / 3, p50S, p90S: p50S * 3 };
}
