import type { Action } from '../../src/domain/decision.ts';
import { DEFAULT_GOALS } from '../../src/domain/reward.ts';
import type { Candidate } from '../../src/scheduler/candidate.ts';
import { candidatesOf } from '../../src/scheduler/candidates.ts';
import {
  DEFAULT_LIMITS,
  idleDevice,
  type RunningJob,
  type ShieldLimits,
  type Snapshot,
  type SnapshotDevice,
  type WaitingJob,
} from '../../src/scheduler/snapshot.ts';

export const NOW_MS = 1_700_000_000_000;
export const GIB = 1024;

/** A device of 24 GiB at this index, `g0`, `g1`, …, with nobody on it. */
export function device(index: number, change: Partial<SnapshotDevice> = {}): SnapshotDevice {
  return { ...idleDevice(`g${index}`, index, 24 * GIB), ...change };
}

const common = (id: number) => ({
  id,
  gpus: 1,
  minGpus: 1,
  maxGpus: 1,
  vramMib: 4 * GIB,
  exclusive: false,
  priority: 0,
  rank: id,
  user: 'ada',
  submittedAtMs: NOW_MS - 60_000,
  gpuUtil: null,
  restartable: false,
  preemptions: 0,
  attainedGpuS: 0,
  remaining: null,
});

/** A job of one GPU and 4 GiB that has waited for a minute. */
export function waiting(id: number, change: Partial<WaitingJob> = {}): WaitingJob {
  const gpus = change.gpus ?? 1;
  return {
    ...common(id),
    minGpus: gpus,
    maxGpus: gpus,
    waitingSinceMs: NOW_MS - 60_000,
    urgentSinceMs: null,
    moved: false,
    ...change,
  };
}

/** A job of 4 GiB that runs on these devices. */
export function running(
  id: number,
  deviceIds: readonly string[],
  change: Partial<RunningJob> = {},
): RunningJob {
  const gpus = deviceIds.length;
  return {
    ...common(id),
    gpus,
    minGpus: gpus,
    maxGpus: gpus,
    deviceIds,
    startedAtMs: NOW_MS - 30_000,
    changedAtMs: NOW_MS - 30_000,
    pausedBy: null,
    progress: null,
    ...change,
  };
}

/** A snapshot of two empty devices, unless changed. */
export function snapshot(change: Partial<Snapshot> = {}): Snapshot {
  return {
    nowMs: NOW_MS,
    devices: [device(0), device(1)],
    waiting: [],
    running: [],
    cpuSlots: 2,
    goals: DEFAULT_GOALS,
    serviceByUser: {},
    ...change,
  };
}

/** Actions in a few letters: `3>g0+g1`, `4>` for a CPU-only launch, `preempt 5`, `wait`. */
export function brief(action: Action): string {
  if (action.kind === 'wait') return 'wait';
  return action.kind === 'launch'
    ? `${action.jobId}>${action.deviceIds.join('+')}`
    : `${action.kind} ${action.jobId}`;
}

/** What is allowed now, in brief. */
export function allowedIn(snap: Snapshot, limits: ShieldLimits = DEFAULT_LIMITS): string[] {
  return candidatesOf(snap, limits)
    .filter(({ vetoes }) => vetoes.length === 0)
    .map(({ action }) => brief(action));
}

/** What is held against each candidate, `rule: reason` by its action in brief; allowed ones are left out. */
export function vetoedIn(snap: Snapshot, limits: ShieldLimits = DEFAULT_LIMITS): Record<string, string[]> {
  const entry = ({ action, vetoes }: Candidate) =>
    [brief(action), vetoes.map(({ rule, reason }) => `${rule}: ${reason}`)] as const;
  return Object.fromEntries(
    candidatesOf(snap, limits)
      .filter(({ vetoes }) => vetoes.length > 0)
      .map(entry),
  );
}
