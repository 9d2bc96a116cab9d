import type { Trajectory } from './trajectory.ts';

/** One way in which the same jobs, arriving at the same times, were scheduled. */
export interface Rollout {
  readonly trajectory: Trajectory;
  /** When each of its decisions was taken. Seconds, ascending. */
  readonly timesS: ArrayLike<number>;
}

/**
 * How much better each decision of each rollout turned out than was to be expected at that time: its return less the mean
 * return of the other rollouts of the same arrival sequence from the same time on. What comes is mostly a matter of which jobs
 * come, and that is the same for all of them, so that little but the decision's own worth is left (Mao et al. 2019, "Variance
 * reduction for reinforcement learning in input-driven environments"). Since a rollout is not in its own baseline, the gradient
 * stays unbiased.
 * @param rollouts at least two, of one sequence.
 * @returns for each rollout one number per decision.
 */
export function sequenceAdvantages(rollouts: readonly Rollout[]): Float64Array[] {
  const returns = rollouts.map(({ trajectory }) => returnsOf(trajectory));
  return rollouts.map(({ timesS }, own) =>
    Float64Array.from(returns[own]!, (value, i) => {
      let others = 0;
      rollouts.forEach((rollout, other) => {
        if (other !== own) others += returnAt(rollout, returns[other]!, timesS[i]!);
      });
      return value - others / (rollouts.length - 1);
    }),
  );
}

/** Of every step: its discounted rewards until the machine is idle. */
function returnsOf({ reward, discount }: Trajectory): Float64Array {
  const returns = new Float64Array(reward.length);
  let after = 0;
  for (let i = reward.length - 1; i >= 0; i--) {
    after = reward[i]! + discount[i]! * after;
    returns[i] = after;
  }
  return returns;
}

/** The return from any moment on: between two decisions, costs are taken to come at one rate. */
function returnAt({ trajectory, timesS }: Rollout, returns: Float64Array, atS: number): number {
  let low = 0;
  let high = timesS.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timesS[middle]! <= atS) low = middle + 1;
    else high = middle;
  }
  const i = low - 1;
  const { discount, reward } = trajectory;
  if (i < 0) return returns[0] ?? 0;
  const nextS = timesS[i + 1];
  // After the last decision, nobody knows how long its reward went on.
  if (nextS === undefined) return atS > timesS[i]! ? 0 : returns[i]!;
  const part = nextS > timesS[i]! ? (nextS - atS) / (nextS - timesS[i]!) : 0;
  return part * reward[i]! + discount[i]! ** part * (discount[i]! > 0 ? returns[i + 1]! : 0);
}
