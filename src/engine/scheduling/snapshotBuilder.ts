import { urgentSinceMs } from '../../domain/deadline.ts';
import type { Device } from '../../domain/device.ts';
import { type Job, servedGpuS } from '../../domain/job.ts';
import type { GoalWeights } from '../../domain/reward.ts';
import type {
  DeviceReservation,
  Halt,
  PastRun,
  RunningJob,
  Snapshot,
  SnapshotDevice,
  TimeSpread,
  WaitingJob,
} from '../../scheduler/snapshot.ts';
import { foreignMib } from '../jobs/holdings.ts';
import { kindName } from '../sharing/interference.ts';
import { foreignHold } from './foreignHold.ts';
import type { Queue } from './queueWindow.ts';
import { commandOf } from './serviceHistory.ts';

export interface SnapshotSources {
  readonly nowMs: number;
  /** What is put before the core of what waits. */
  readonly queue: Queue;
  /** Jobs that have, or may have, a process, by rank. */
  readonly live: readonly Job[];
  /** True: it was told to give way, and has not ended. */
  readonly isLeaving: (jobId: number) => boolean;
  /** False: the owner wants no job to be stopped for others. */
  readonly mayPreempt: boolean;
  readonly devices: readonly Device[];
  /** The owner's rules; null: none are known. */
  readonly guards: Guards | null;
  /** What is set aside for a job on each of its GPUs, MiB; null: it needs them to itself. */
  readonly reservationMib: (job: Job) => number | null;
  /** Measured speeds of pairs of kinds. */
  readonly interference: Readonly<Record<string, number>>;
  readonly cpuSlots: number;
  readonly goals: GoalWeights;
  /** GPU-seconds of service in this episode by user. */
  readonly serviceByUser: Readonly<Record<string, number>>;
  /** Jobs that ended lately, the latest last. */
  readonly past: readonly PastRun[];
  /** Quantiles of what a job has left to run; null: nothing is known. */
  readonly remainingOf: (job: Job) => TimeSpread | null;
}

/** What the owner's rules mean now. */
export interface Guards {
  ownerPresent(deviceId: string): boolean;
  reservationsOf(deviceId: string): readonly DeviceReservation[];
  halts(): readonly Halt[];
}

/** The live machine as the decision core sees it. */
export function buildSnapshot(sources: SnapshotSources): Snapshot {
  const { nowMs, queue } = sources;
  const measured = Object.keys(sources.interference).length > 0;
  const usable = sources.devices.filter(({ health }) => health === 'ok').length;
  const halts = sources.guards?.halts() ?? [];
  return {
    nowMs,
    devices: sources.devices.map((device) => snapshotDevice(device, nowMs, sources.guards)),
    waiting: queue.ready.map(({ job, sinceMs }) => waitingJob(job, nowMs, sinceMs, usable, sources)),
    ...(queue.backlog === null ? {} : { backlog: queue.backlog }),
    // One that has left its GPUs is on none of them, and only a person brings it back.
    running: sources.live.filter(isOnDevices).map((job) => {
      const running = runningJob(job, nowMs, sources);
      return sources.mayPreempt ? running : { ...running, restartable: false };
    }),
    cpuSlots: sources.cpuSlots,
    goals: sources.goals,
    serviceByUser: sources.serviceByUser,
    past: sources.past,
    ...(halts.length === 0 ? {} : { halts }),
    ...(measured ? { interference: sources.interference } : {}),
  };
}

const isOnDevices = ({ status, devices, holdsVram }: Job): boolean =>
  status !== 'paused' || devices.length === 0 || holdsVram !== false;

function snapshotDevice(device: Device, nowMs: number, guards: Guards | null): SnapshotDevice {
  const { reading } = device;
  const foreign = foreignHold(device, nowMs);
  const reservations = guards?.reservationsOf(device.id) ?? [];
  return {
    id: device.id,
    index: device.index,
    memoryTotalMib: device.memoryTotalMib,
    foreignMib: foreignMib(device),
    usable: device.health === 'ok',
    ownerPresent: guards?.ownerPresent(device.id) ?? false,
    utilisation: reading?.utilisation ?? null,
    temperatureC: reading?.temperatureC ?? null,
    powerW: reading?.powerW ?? null,
    ...(foreign === null ? {} : { foreign }),
    ...(device.closed === null ? {} : { closed: device.closed }),
    ...(reservations.length === 0 ? {} : { reservations }),
  };
}

/** @param usable devices that can be read: a job that can do with fewer than it asks for asks for no more than these. */
function waitingJob(
  job: Job,
  nowMs: number,
  waitingSinceMs: number,
  usable: number,
  sources: SnapshotSources,
): WaitingJob {
  const known = common(job, nowMs, sources);
  const gpus = Math.max(known.minGpus, Math.min(known.gpus, usable));
  return {
    ...known,
    gpus,
    maxGpus: gpus,
    waitingSinceMs,
    urgentSinceMs: urgentSinceMs(job, known.remaining?.p90S ?? null, nowMs),
    moved: job.moved,
  };
}

function runningJob(job: Job, nowMs: number, sources: SnapshotSources): RunningJob {
  const settled = job.status === 'running' || job.status === 'paused';
  return {
    ...common(job, nowMs, sources),
    deviceIds: job.devices,
    startedAtMs: job.startedAtMs ?? nowMs,
    // Nothing can be done to one that is only just coming or going.
    changedAtMs: settled ? (job.changedAtMs ?? nowMs) : nowMs,
    // What a guard paused is as little a policy's to resume as what a person did.
    pausedBy: job.status !== 'paused' ? null : job.pausedBy === 'scheduler' ? 'scheduler' : 'person',
    leaving: sources.isLeaving(job.id),
    progress: job.progress?.fraction ?? null,
  };
}

function common(job: Job, nowMs: number, { remainingOf, reservationMib, interference }: SnapshotSources) {
  return {
    id: job.id,
    gpus: job.gpus,
    minGpus: job.minGpus ?? job.gpus,
    maxGpus: job.gpus,
    // What it asks for is the best guess at what it uses, and says that sharing is welcome.
    gpuUtil: job.gpuShare,
    restartable: job.restartable,
    preemptions: job.preemptions,
    exclusive: job.exclusive,
    priority: job.priority,
    rank: job.rank,
    user: job.user,
    submittedAtMs: job.submittedAtMs,
    attainedGpuS: servedGpuS(job, nowMs),
    remaining: remainingOf(job),
    // A declaration that turned out too small makes no room for others.
    vramMib: reservationMib(job),
    // Of use to nobody before something was measured.
    ...(Object.keys(interference).length > 0 && job.gpus > 0 ? { kind: kindName(job) } : {}),
    command: commandOf(job),
    ...(job.pinnedTo === null ? {} : { pinnedTo: job.pinnedTo }),
  };
}
