import type { Policy } from '../policy.ts';
import type { Snapshot } from '../snapshot.ts';

/** Parameters of a policy that preempts: where a stop costs nothing, and where it costs a checkpoint and a restart. */
export interface ByStopCost<T> {
  readonly free: T;
  readonly costly: T;
}

/**
 * A policy with the parameters that suit the machine: stops cost nothing in most papers and in the lab's regimes after them,
 * and a great deal on a real machine, where a policy should change its mind less often. A cost that nobody told is one.
 */
export function byStopCost<T>(configs: ByStopCost<T>, make: (config: T) => Policy): Policy {
  const [free, costly] = [make(configs.free), make(configs.costly)];
  const of = (snapshot: Snapshot): Policy => (stopsCost(snapshot) ? costly : free);
  return {
    ...costly,
    choose: (input) => of(input.snapshot).choose(input),
    ...(costly.reviewAfterS === undefined
      ? {}
      : { reviewAfterS: (snapshot, history) => of(snapshot).reviewAfterS!(snapshot, history) }),
  };
}

/** Whether anything is lost by a stop of one of these jobs. */
function stopsCost({ running, waiting }: Snapshot): boolean {
  const costs = ({ stopCostS }: { readonly stopCostS?: number }): boolean => stopCostS !== 0;
  return running.some(costs) || waiting.some(costs);
}
