import type { TraceJob } from '../domain/trace.ts';
import { type RegimeName, type RegimeOptions, worldOf } from '../simulator/regimes.ts';
import { type JobColumns, jobColumns } from './jobColumns.ts';
import type { MakePolicy } from './policies.ts';
import { runWorld } from './runWorld.ts';
import { type SimulationRow, simulationRow } from './simulationRow.ts';

/** One world and the policies to run it under: what a worker does at a time. */
export interface Task {
  /** How errors call it. */
  readonly label: string;
  /** Sorted by submission; none larger than the machine. */
  readonly jobs: readonly TraceJob[];
  /** Jobs that were. */
  readonly rejected: number;
  readonly regime: RegimeName;
  readonly options: RegimeOptions;
  readonly policies: readonly string[];
  /** Also say how each job fared. */
  readonly wantsJobs: boolean;
}

export interface TaskResult {
  readonly row: SimulationRow;
  readonly version: string;
  readonly jobs: JobColumns | null;
}

/** Told from 0 to 1 how far a task is. */
export type OnFraction = (fraction: number) => void;

/**
 * Runs a task: the same world under each of its policies.
 * @throws {Error} that names the task and the policy.
 */
export function runTask(task: Task, makePolicy: MakePolicy, onFraction: OnFraction): TaskResult[] {
  const { jobs, rejected, regime, options, policies } = task;
  const world = worldOf(regime, jobs, options);
  const lastS = jobs.at(-1)!.submitS;
  return policies.map((name, i) => {
    const policy = makePolicy(name);
    const tellTime = ({ toS }: { readonly toS: number }): void =>
      onFraction((i + Math.min(1, toS / Math.max(1, lastS))) / policies.length);
    try {
      const outcomes = runWorld(world, policy, options.seed, tellTime);
      return {
        row: simulationRow(policy, outcomes, { gpus: options.gpus, rejected }),
        version: policy.version,
        jobs: task.wantsJobs ? jobColumns(outcomes) : null,
      };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new Error(`${name} on ${task.label}: ${error.message}`, { cause: error });
    }
  });
}
