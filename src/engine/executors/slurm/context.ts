import type { ExecutorConfig } from '../../../domain/executor.ts';
import type { Job, JobStatus } from '../../../domain/job.ts';
import type { Dependency } from '../../../domain/terms.ts';
import type { Ledger } from '../../jobs/ledger.ts';
import type { Clock, Log } from '../../ports.ts';
import type { SlurmCommands } from './commands.ts';
import type { SlurmFacts } from './queue.ts';
import type { Places } from './submission.ts';

/** What a job waits for, as the gate of this machine judges it too. */
export interface Readiness {
  /** Why a job can never start; null: it can. */
  neverStarts(job: Job): string | null;
  statusOf(dependency: Dependency): JobStatus;
  /** How many more jobs of its array may run; null: as many as find room. */
  roomInArray(job: Job): number | null;
}

/** What the parts of one Slurm's executor work with. */
export interface SlurmContext {
  readonly ledger: Ledger;
  readonly commands: SlurmCommands;
  readonly places: Places;
  readonly readiness: Readiness;
  readonly config: () => ExecutorConfig;
  /** As it said last; null: it was not asked yet. */
  readonly facts: () => SlurmFacts | null;
  /** The job with its secrets. @throws {ConflictError} where they are not kept. */
  readonly reveal: (job: Job) => Job;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
  /** Why each job waits, while it does. */
  readonly reasons: Map<number, string>;
  readonly isStopped: () => boolean;
}

/** So begins the mark of every submission of one Stint. */
export const markOf = ({ homeId }: Places): string => `stint:${homeId}:`;
