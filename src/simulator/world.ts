import type { GoalWeights } from '../domain/reward.ts';
import type { PastRun, ShieldLimits, TimeSpread } from '../scheduler/snapshot.ts';

/** A job of a simulated day. What is left out is as on a machine where nothing goes wrong and nothing can be stopped. */
export interface SimulatedJob {
  readonly id: number;
  readonly submittedAtS: number;
  /** Run time alone on the `gpus` devices that it asks for. */
  readonly durationS: number;
  /** What is predicted of the duration; null: nothing. */
  readonly predicted: TimeSpread | null;
  readonly gpus: number;
  /** It may be given any number of devices between these; both are `gpus` when left out. */
  readonly minGpus?: number;
  readonly maxGpus?: number;
  /** Declared peak per device; null: not declared. */
  readonly vramMib: number | null;
  /** What it really takes at its peak; as declared (or nothing) when left out. */
  readonly peakMib?: number;
  readonly exclusive: boolean;
  readonly priority: number;
  readonly user: string;
  /** Share of a device's time that it uses when alone, 0 to 1; null: unknown. */
  readonly gpuUtil?: number | null;
  /** What it computes, for the interference with its neighbours; null: unknown. */
  readonly kind?: string | null;
  /** True: it may be stopped, and goes on from its checkpoint. */
  readonly restartable?: boolean;
  /** Work between two checkpoints; what was done since the last is lost at a stop. 0: nothing is lost. Seconds. */
  readonly checkpointEveryS?: number;
  /** To load its checkpoint, at every start but the first. Seconds. */
  readonly restartS?: number;
  /** Names what it runs; null: unknown. */
  readonly command?: string | null;
}

/** Somebody who sits at the machine from `fromH` to `toH` o'clock each day. */
export interface OwnerPresence {
  /** Index of the device that the screen hangs on. */
  readonly device: number;
  readonly fromH: number;
  readonly toH: number;
  /** Held by the desktop meanwhile. */
  readonly foreignMib: number;
  /** Speed of the jobs on that device meanwhile; 1: as ever. */
  readonly speed: number;
}

/** A machine with a day of jobs. What is left out costs nothing and never happens. */
export interface SimulatedWorld {
  /** Memory of each device. */
  readonly devicesMib: readonly number[];
  /** Ascending by submission, then by id. */
  readonly jobs: readonly SimulatedJob[];
  readonly goals?: GoalWeights;
  readonly limits?: ShieldLimits;
  /** Speed of a job beside those that compute on the same device, 0 to 1; {@link DEFAULT_SHARING} when left out. */
  readonly speedBeside?: (job: SimulatedJob, neighbours: readonly SimulatedJob[]) => number;
  /** From a start to the first step of work. Seconds. */
  readonly startS?: number;
  /** Speed on g devices instead of r: (g/r) to the power of this. 1 when left out. */
  readonly scalingExponent?: number;
  /** Crashes of jobs that are nobody's fault, for each device-day of running; at most two of one job. */
  readonly failuresPerGpuDay?: number;
  /** A job takes `share` of its peak memory at first, and all of it once it has run for `untilS`. */
  readonly growth?: { readonly share: number; readonly untilS: number };
  readonly owner?: OwnerPresence;
  /** Hour of the day at which the simulation starts. 0 when left out. */
  readonly startsAtH?: number;
  /** GPU-seconds that earlier jobs took, ascending: what a policy may know of the past. */
  readonly history?: readonly number[];
  /** The same jobs one by one, the latest to end last. */
  readonly past?: readonly PastRun[];
  /** Of the failures. The same job fails after the same run time under every policy. */
  readonly seed?: number;
}

/** A job beside k others runs at 1 / (1 + k · slowdown). */
export function fixedSharing(slowdown: number): NonNullable<SimulatedWorld['speedBeside']> {
  return (_job, neighbours) => 1 / (1 + neighbours.length * slowdown);
}

/** Two jobs on one device then finish a quarter more work together than one alone. */
export const DEFAULT_SHARING = fixedSharing(0.6);

/** How one job fared, in seconds from the start of the day. */
export interface JobOutcome {
  readonly job: SimulatedJob;
  /** Its first start. */
  readonly startedAtS: number;
  readonly finishedAtS: number;
  readonly preemptions: number;
  readonly pauses: number;
  /** Deaths for want of memory, after each of which it ran again. */
  readonly oomDeaths: number;
  /** The same for crashes that were nobody's fault. */
  readonly failures: number;
  /** Work that was done and had to be done again. Seconds at full speed. */
  readonly lostS: number;
  /** Device-seconds that it held and was not paused. */
  readonly attainedGpuS: number;
  /** What its devices drew because of it, above what they draw when idle. Joules. */
  readonly energyJ: number;
}

/** A stretch of time in which a job held devices. */
export interface Span {
  readonly jobId: number;
  /** Indices, ascending; empty for a CPU-only job. */
  readonly devices: readonly number[];
  readonly fromS: number;
  readonly toS: number;
  /** False: it stood still, and held memory. */
  readonly computes: boolean;
}

/** A job that cannot run on the simulated machine, or a policy that lets everybody wait for ever. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';
}
