import type { Policy } from '../../scheduler/policy.ts';
import { median } from './record.ts';
import { asItWas, type ReplayedJobs, replayUnder } from './replayRun.ts';
import type { ReplayMachine } from './replayWorld.ts';

/** How far a replay of what happened is from what happened. */
export interface ReplayTrust {
  /** Whose starts were replayed: the policy that was in charge, or the record's own order. */
  readonly policy: string;
  readonly mean_jct_change: number | null;
  readonly p99_jct_change: number | null;
  /** Half of the jobs start no further than this from when they did. Seconds. */
  readonly median_start_error_s: number;
}

/**
 * Replays what was done, on the machine on which it was done.
 * @param policy that was in charge, or one that does what it did.
 */
export function replayTrust(
  policy: Policy,
  replayed: ReplayedJobs,
  deviceIds: readonly string[],
  machine: ReplayMachine,
  seed: number,
): ReplayTrust {
  const happened = asItWas(replayed, deviceIds);
  // Nothing is restartable in the live engine, so that policies which stop jobs there only choose whom to start.
  const { row, outcomes } = replayUnder(policy, replayed, machine, happened, seed, false);
  const startedAtS = new Map(happened.outcomes.map(({ job, startedAtS: at }) => [job.id, at]));
  const errorsS = outcomes.map(({ job, startedAtS: at }) =>
    Math.abs(at + machine.startS - startedAtS.get(job.id)!),
  );
  return {
    policy: policy.name,
    mean_jct_change: row.mean_jct_change,
    p99_jct_change: row.p99_jct_change,
    median_start_error_s: median(errorsS),
  };
}
