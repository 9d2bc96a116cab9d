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
  readonly utilisation: number | null;
  readonly temperatureC: number | null;
  readonly powerW: number | null;
}

interface SnapshotJob {
  readonly id: number;
  readonly gpus: number;
  /** Declared peak per GPU; null: unknown, so it needs its GPUs to itself. */
  readonly vramMib: number | null;
  readonly exclusive: boolean;
  readonly priority: number;
  readonly rank: number;
  readonly user: string;
  readonly submittedAtMs: number;
  /** GPU-seconds received so far. */
  readonly attainedGpuS: number;
  /** Predicted run time still needed; null: nothing is known. */
  readonly remaining: TimeSpread | null;
}

export interface WaitingJob extends SnapshotJob {
  /** Since when it has been ready to run (submitted or released). */
  readonly waitingSinceMs: number;
  /** True when a person has moved it in the queue. */
  readonly moved: boolean;
}

/** Every job that holds devices: starting, running, paused or stopping. */
export interface RunningJob extends SnapshotJob {
  readonly deviceIds: readonly string[];
  readonly startedAtMs: number;
  /** Paused by a person: a lock that no policy may lift. */
  readonly paused: boolean;
  /** 0 to 1; null: it does not say. */
  readonly progress: number | null;
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
  readonly running: readonly RunningJob[];
  /** How many CPU-only jobs may run at once. */
  readonly cpuSlots: number;
  readonly goals: GoalWeights;
  /** GPU-seconds of service in this episode by user. */
  readonly serviceByUser: Readonly<Record<string, number>>;
}

/** Limits that are not learned; the owner sets them. */
export interface ShieldLimits {
  /** A job that has waited longer goes first, whatever the policy thinks. Seconds. */
  readonly starvationAgeS: number;
  /** Kept free on a shared device for what declarations forget. MiB. */
  readonly memoryMarginMib: number;
}

export const DEFAULT_LIMITS: ShieldLimits = { starvationAgeS: 6 * 3600, memoryMarginMib: 256 };
