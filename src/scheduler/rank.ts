import { type DecisionInput, decide } from './decide.ts';

/** So many are put in order; what comes after them is left as it was. */
const MOST_RANKED = 64;

/**
 * The order in which a policy would start what waits, if there were room for one after the other: jobs of a queue elsewhere, of
 * which nobody here knows when that has room.
 * @param input its snapshot has room for any one of the jobs, and nothing runs in it.
 * @returns ids of all that waits. Where the policy would rather wait, the heuristic goes on, and then the order of the queue.
 */
export function rankOf(input: DecisionInput): number[] {
  const order: number[] = [];
  let { waiting } = input.snapshot;
  while (waiting.length > 0 && order.length < MOST_RANKED) {
    const snapshot = { ...input.snapshot, waiting };
    const first = [input.policy, input.heuristic]
      .map((policy) => decide({ ...input, snapshot, policy }).chosen)
      .find(({ kind }) => kind === 'launch');
    if (first?.kind !== 'launch') break;
    order.push(first.jobId);
    waiting = waiting.filter(({ id }) => id !== first.jobId);
  }
  return [...order, ...waiting.map(({ id }) => id)];
}
