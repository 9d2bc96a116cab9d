import type { Rng } from '../domain/rng.ts';
import type { RunningJob, TimeSpread, WaitingJob } from '../scheduler/snapshot.ts';
import type { JobOutcome, SimulatedJob } from './world.ts';

/** Half a millisecond: what is left of a job by rounding is nothing. */
const NOTHING_S = 5e-4;

/** A job from its arrival to its end. */
export interface JobState {
  readonly job: SimulatedJob;
  /** Work still to do, in seconds at full speed on the devices it asked for. */
  leftS: number;
  /** null: not declared, and not learned by a death. */
  vramMib: number | null;
  waitingSinceS: number;
  startedAtS: number | null;
  starts: number;
  preemptions: number;
  pauses: number;
  oomDeaths: number;
  failures: number;
  lostS: number;
  attainedGpuS: number;
  energyJ: number;
}

/** A spell of a job on devices. */
export interface LiveJob {
  readonly state: JobState;
  readonly deviceIds: readonly string[];
  /** Indices of the devices. */
  readonly devices: readonly number[];
  readonly startedAtS: number;
  /** Since when it computes, or stands still. */
  sinceS: number;
  paused: boolean;
  /** Before it does its first step of work. */
  overheadS: number;
  /** Until it takes its peak memory; 0: it does. */
  growsInS: number;
  /** It has just come to its peak. */
  grew: boolean;
  /** Of computing until it crashes. */
  failsInS: number;
  /** Work done in a second; 0 while paused. */
  speed: number;
  /** Speed on the slowest of its devices, to that of one alone there. */
  pace: number;
  /** Because of somebody who computes beside it; null: it has its devices to itself. */
  pairSpeed: number | null;
}

export function arrived(job: SimulatedJob): JobState {
  return {
    job,
    leftS: job.durationS,
    vramMib: job.vramMib,
    waitingSinceS: job.submittedAtS,
    startedAtS: null,
    starts: 0,
    preemptions: 0,
    pauses: 0,
    oomDeaths: 0,
    failures: 0,
    lostS: 0,
    attainedGpuS: 0,
    energyJ: 0,
  };
}

/** Seconds until something happens to it by itself: it ends, begins to work, grows or crashes. */
export function nextEventInS(live: LiveJob): number {
  if (live.paused) return Number.POSITIVE_INFINITY;
  const work = live.overheadS > 0 ? live.overheadS : Math.max(0, live.state.leftS) / live.speed;
  return Math.min(work, live.growsInS > 0 ? live.growsInS : Number.POSITIVE_INFINITY, live.failsInS);
}

/** Lets time pass. */
export function elapse(live: LiveJob, dtS: number): void {
  if (live.paused) return;
  live.state.attainedGpuS += dtS * live.devices.length;
  if (live.overheadS > 0) live.overheadS = settled(live.overheadS - dtS);
  else live.state.leftS -= dtS * live.speed;
  if (live.growsInS > 0) {
    live.growsInS = settled(live.growsInS - dtS);
    live.grew = live.growsInS === 0;
  }
  live.failsInS -= dtS;
}

const settled = (s: number): number => (s < NOTHING_S ? 0 : s);

export const isDone = (live: LiveJob): boolean => live.overheadS === 0 && live.state.leftS < NOTHING_S;
export const isCrashed = (live: LiveJob): boolean => live.failsInS < NOTHING_S;

/** Memory that it takes on each of its devices now. */
export function usedMib(live: LiveJob, shareAtFirst: number): number {
  const { job, vramMib } = live.state;
  const peakMib = job.peakMib ?? vramMib ?? 0;
  return live.growsInS > 0 ? Math.floor(shareAtFirst * peakMib) : peakMib;
}

/** What a stop costs: the work since the last checkpoint, or all of it. */
export function loseWork(state: JobState): void {
  const { durationS, restartable, checkpointEveryS } = state.job;
  const doneS = durationS - state.leftS;
  const every = checkpointEveryS ?? 0;
  const lostS = restartable ? (every > 0 ? doneS % every : 0) : doneS;
  state.lostS += lostS;
  state.leftS += lostS;
}

/** Seconds of computing on `devices` devices until a crash: exponential. */
export function drawFailure(rng: Rng, perGpuDay: number, devices: number): number {
  if (perGpuDay === 0 || devices === 0) return Number.POSITIVE_INFINITY;
  return (-Math.log(1 - rng.next()) * 86_400) / (perGpuDay * devices);
}

export function outcomeOf(state: JobState, finishedAtS: number): JobOutcome {
  const { job, preemptions, pauses, oomDeaths, failures, lostS, attainedGpuS, energyJ } = state;
  return {
    job,
    startedAtS: state.startedAtS ?? finishedAtS,
    finishedAtS,
    preemptions,
    pauses,
    oomDeaths,
    failures,
    lostS,
    attainedGpuS,
    energyJ,
  };
}

/** @param told true: the policy knows how long it really runs. */
export function waitingJobOf(state: JobState, told: boolean): WaitingJob {
  return {
    ...commonOf(state, told),
    waitingSinceMs: 1000 * state.waitingSinceS,
    urgentSinceMs: null,
    moved: false,
  };
}

/** @param shareAtFirst see {@link usedMib}. */
export function runningJobOf(live: LiveJob, told: boolean, shareAtFirst: number): RunningJob {
  const { vramMib } = live.state;
  return {
    ...commonOf(live.state, told),
    // A declaration that turned out too small does not make room for others.
    vramMib: vramMib === null ? null : Math.max(vramMib, usedMib(live, shareAtFirst)),
    deviceIds: live.deviceIds,
    startedAtMs: 1000 * live.startedAtS,
    changedAtMs: 1000 * live.sinceS,
    pausedBy: live.paused ? 'scheduler' : null,
    progress: null,
  };
}

function commonOf(
  state: JobState,
  told: boolean,
): Omit<WaitingJob, 'waitingSinceMs' | 'urgentSinceMs' | 'moved'> {
  const { job } = state;
  return {
    id: job.id,
    gpus: job.gpus,
    minGpus: job.minGpus ?? job.gpus,
    maxGpus: job.maxGpus ?? job.gpus,
    vramMib: state.vramMib,
    exclusive: job.exclusive,
    priority: job.priority,
    rank: job.id,
    user: job.user,
    submittedAtMs: 1000 * job.submittedAtS,
    gpuUtil: job.gpuUtil ?? null,
    restartable: job.restartable ?? false,
    preemptions: state.preemptions,
    attainedGpuS: state.attainedGpuS,
    remaining: told ? exactly(state.leftS) : remainingOf(state),
    predicted: told ? exactly(job.durationS) : job.predicted,
    command: job.command ?? null,
    stopCostS: (job.checkpointEveryS ?? 0) / 2 + (job.restartS ?? 0),
  };
}

const exactly = (s: number): TimeSpread => ({ p10S: s, p50S: s, p90S: s });

/** The prediction shrinks as the job runs; once it is exceeded, a tenth of it is always left. */
function remainingOf({ job, leftS }: JobState): TimeSpread | null {
  const { predicted, durationS } = job;
  if (predicted === null) return null;
  const ranS = durationS - leftS;
  const left = (quantileS: number): number => Math.max(0.1 * quantileS, quantileS - ranS);
  return { p10S: left(predicted.p10S), p50S: left(predicted.p50S), p90S: left(predicted.p90S) };
}
