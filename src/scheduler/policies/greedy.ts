import type { Policy, PolicyChoice, PolicyInput } from '../policy.ts';
import type { Snapshot, WaitingJob } from '../snapshot.ts';
import { chosen } from './fifo.ts';

/** What a policy that never preempts is made of. */
export interface Greed {
  readonly name: string;
  readonly clairvoyant?: boolean;
  /** Lower goes first; ties go in the order of the queue. */
  key(job: WaitingJob, snapshot: Snapshot, history: readonly number[]): number;
}

/**
 * A policy that goes through the queue in the order of a key and starts everybody who fits, each at the first placement
 * that it is offered. It never waits while something may start.
 */
export function greedy({ name, clairvoyant = false, key }: Greed): Policy {
  return {
    name,
    version: '1',
    clairvoyant,
    choose: (input) => leastLaunch(input, (job) => key(job, input.snapshot, input.history)),
  };
}

/**
 * The first launch of the job with the least key, the first of equals; where there is no launch, the last candidate.
 * One pass: candidates stand in the order of the queue, those of a job together.
 */
export function leastLaunch(
  { snapshot: { waiting }, candidates }: PolicyInput,
  key: (job: WaitingJob) => number,
): PolicyChoice {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  let at = 0;
  for (let i = 0; i < candidates.length; i++) {
    const action = candidates[i]!;
    if (action.kind !== 'launch') break;
    if (waiting[at - 1]?.id === action.jobId) continue;
    while (at < waiting.length && waiting[at]!.id !== action.jobId) at++;
    const job = waiting[at++];
    if (job === undefined) break;
    const value = key(job);
    if (best >= 0 && value >= least) continue;
    best = i;
    least = value;
  }
  return chosen(best >= 0 ? best : candidates.length - 1);
}
