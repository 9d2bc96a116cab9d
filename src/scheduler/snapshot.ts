import type { Veto } from '../domain/decision.ts';
import type { GoalWeights } from '../domain/reward.ts';

/** Quantiles of a predicted time in seconds: never a bare point. */
export interface TimeSpread {
  readonly p10S: number;
  readonly p50S: number;
  readonly p90S: number;
}

export interface SnapshotDevice {
  readonly id: string;
  readonly index: number;
  readonly memoryTotalMib: number;
  /** Used by processes that are not ours, as measured; null: unknown, so the device is not available. */
  readonly foreignMib: number | null;
  /** False: unreadable or gone. Nothing is placed on it. */
  readonly usable: boolean;
  /** True while the owner sits at it: nothing new is placed on it. */
  readonly ownerPresent: boolean;
  readonly utilisation: number | null;
  readonly temperatureC: number | null;
  readonly powerW: number | null;
  /** Who else computes on it; left out: nobody, or nobody knows. */
  readonly foreign?: ForeignHold;
  /** Why nothing new is placed on it now, by a rule of the owner; left out: no rule closes it. */
  readonly closed?: Veto;
  /** When it is kept for somebody; left out: never. */
  readonly reservations?: readonly DeviceReservation[];
}

/** A device of which nothing is measured, all of it free for jobs. @param memoryTotalMib in MiB. */
export const idleDevice = (id: string, index: number, memoryTotalMib: number): SnapshotDevice => ({
  id,
  index,
  memoryTotalMib,
  foreignMib: 0,
  usable: true,
  ownerPresent: false,
  utilisation: null,
  temperatureC: null,
  powerW: null,
});

/** Processes on a device that are not ours, as a job's placement is concerned with them. */
export interface ForeignHold {
  /** Whoever holds most, for people: `alice's python`. */
  readonly who: string;
  readonly pid: number;
  /** What that one holds. MiB; null: unknown. */
  readonly memoryMib: number | null;
  /** For how long it has done nothing, in words that change rarely: `2 days`; null: it works, or nobody knows. */
  readonly idle: string | null;
  /** True: the owner wants nothing beside it. */
  readonly avoid: boolean;
  /** Of the device's `foreignMib`, what the owner said not to mind: it is not free, but keeps nobody away. MiB. */
  readonly ignoredMib: number;
}

/** A time in which a device is kept for one user. Half open, Unix milliseconds. */
export interface DeviceReservation {
  readonly id: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Whose jobs may start in it. */
  readonly user: string;
  /** For people: `kept for ada until 16:00`. */
  readonly reason: string;
}

/** Keeps jobs from starting anywhere. */
export interface Halt extends Veto {
  /** Jobs of at least this priority may start all the same; null: none may. */
  readonly exceptPriority: number | null;
  /** True: jobs without a GPU may start all the same. */
  readonly gpusOnly: boolean;
}

interface SnapshotJob {
  readonly id: number;
  /** As asked for. */
  readonly gpus: number;
  /** An elastic job may be given any number from `minGpus` to `maxGpus`; both are `gpus` for any other. */
  readonly minGpus: number;
  readonly maxGpus: number;
  /** Declared peak per GPU; null: unknown, so it needs its GPUs to itself. */
  readonly vramMib: number | null;
  readonly exclusive: boolean;
  readonly priority: number;
  readonly rank: number;
  readonly user: string;
  readonly submittedAtMs: number;
  /** Share of a GPU's time that it uses when alone, 0 to 1; null: unknown. */
  readonly gpuUtil: number | null;
  /** True: it may be stopped and goes on from its checkpoint. */
  readonly restartable: boolean;
  /** How often it was preempted. */
  readonly preemptions: number;
  /** GPU-seconds received so far. */
  readonly attainedGpuS: number;
  /** Predicted run time still needed; null: nothing is known. */
  readonly remaining: TimeSpread | null;
  /** Jobs of one kind run the same command; left out: nobody compares them. */
  readonly kind?: string;
  /** What was predicted of its whole run time before it first ran; null or left out: nothing. */
  readonly predicted?: TimeSpread | null;
  /** What a preemption is expected to cost: work done since a checkpoint, and the restart. Seconds; left out: unknown. */
  readonly stopCostS?: number;
  /** Names what is run, so that runs of the same can be told; null or left out: unknown. */
  readonly command?: string | null;
  /** The only devices that a person lets it start on; left out: any. */
  readonly pinnedTo?: readonly string[];
}

/** So many past runs are looked at: enough for a distribution, and few enough for every decision. */
export const MOST_PAST_RUNS = 256;

/** A job that ended by itself, as evidence of how long others like it may run. */
export interface PastRun {
  readonly id: number;
  readonly command: string | null;
  readonly user: string;
  readonly gpus: number;
  readonly submittedAtMs: number;
  /** GPU-seconds that it took / the GPUs that it asked for. */
  readonly ranS: number;
}

export interface WaitingJob extends SnapshotJob {
  /** Since when it has been ready to run (submitted or released). */
  readonly waitingSinceMs: number;
  /**
   * Since when it has had to start if it is to be over by its deadline, perhaps not yet; null: it has none to meet.
   * From then on it is treated as if it starved.
   */
  readonly urgentSinceMs: number | null;
  /** True when a person has moved it in the queue. */
  readonly moved: boolean;
}

/** Every job that holds devices: starting, running, paused or stopping. */
export interface RunningJob extends SnapshotJob {
  readonly deviceIds: readonly string[];
  readonly startedAtMs: number;
  /** Since when it is as it is: started, paused, or resumed. */
  readonly changedAtMs: number;
  /**
   * Who made it stand still; null: it runs. By a person: a lock that no policy may lift. By the scheduler: it gave
   * way, holds its memory and no more.
   */
  readonly pausedBy: 'person' | 'scheduler' | null;
  /** True: it was told to give way and has not ended yet, so that its devices are nobody's for a while. */
  readonly leaving?: boolean;
  /** 0 to 1; null: it does not say. */
  readonly progress: number | null;
}

/** Waiting jobs that are not in a snapshot, because the queue is longer than one decision can look at. */
export interface Backlog {
  readonly waiting: number;
  readonly waitingGpus: number;
  /** Sum of `priorityWeight` over them. */
  readonly weight: number;
  readonly users: ReadonlySet<string>;
}

/**
 * All that a decision may depend on. The live engine and the simulator build the same type; a decision is a
 * pure function of it, the policy, and the random generator.
 */
export interface Snapshot {
  readonly nowMs: number;
  readonly devices: readonly SnapshotDevice[];
  /** Ascending by rank. */
  readonly waiting: readonly WaitingJob[];
  /** What else waits; left out: nothing. */
  readonly backlog?: Backlog;
  readonly running: readonly RunningJob[];
  /** How many CPU-only jobs may run at once. */
  readonly cpuSlots: number;
  readonly goals: GoalWeights;
  /** GPU-seconds of service in this episode by user. */
  readonly serviceByUser: Readonly<Record<string, number>>;
  /** What keeps jobs from starting anywhere; left out: nothing. */
  readonly halts?: readonly Halt[];
  /** Measured speed of a job beside another relative to alone, by {@link pairKey} of their kinds; left out: none was. */
  readonly interference?: Readonly<Record<string, number>>;
  /** Jobs that ended lately, the latest last; another array after each change. Left out: none is known. */
  readonly past?: readonly PastRun[];
  /** What sharing costs here, as jobs that computed two to a device showed: for how long, and the work that they did. */
  readonly sharing?: { readonly pairedS: number; readonly workS: number };
}

/** Names the speed of jobs of one kind while one job of another kind is on their devices. */
export const pairKey = (kind: string, beside: string): string => `${kind} ${beside}`;

/** Limits that are not learned; the owner sets them. */
export interface ShieldLimits {
  /** A job that has waited longer goes first, whatever the policy thinks. Seconds. */
  readonly starvationAgeS: number;
  /** Kept free on a shared device for what declarations forget. MiB. */
  readonly memoryMarginMib: number;
  /** Jobs that may compute on one device at once. */
  readonly mostPerDevice: number;
  /** A job that was preempted so often is left alone. */
  readonly maxPreemptions: number;
  /** A job is left alone for so long after each start. Seconds. */
  readonly minSpellS: number;
  /** True: the scheduler may pause jobs that cannot be preempted. */
  readonly mayPause: boolean;
}

export const DEFAULT_LIMITS: ShieldLimits = {
  starvationAgeS: 6 * 3600,
  memoryMarginMib: 256,
  mostPerDevice: 16,
  maxPreemptions: 5,
  minSpellS: 300,
  mayPause: false,
};
