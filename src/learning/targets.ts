import { scalarise } from '../domain/reward.ts';
import { headsOf, scoresOf, type Weights } from '../scheduler/network.ts';
import type { TrainingBatch } from './kernelNetwork.ts';
import type { Transition } from './transition.ts';

/**
 * Targets of double Q-learning (van Hasselt, Guez & Silver 2016) in semi-Markov form:
 * r + e^(−βΔt) · Q_target(s', argmax_a Q_online(s', a)), and r alone when the machine went idle; the components
 * of r are weighed by the goals that were in force. B × heads: each member of an ensemble has its own.
 */
export function doubleDqnTargets(
  online: Weights,
  target: Weights,
  transitions: readonly Transition[],
): Float32Array {
  const { members, quantiles } = headsOf(online);
  const heads = members * quantiles;
  const targets = new Float32Array(transitions.length * heads);
  transitions.forEach(({ reward, goals, discount, next }, i) => {
    targets.fill(scalarise(reward, goals), i * heads, (i + 1) * heads);
    if (next === null) return;
    const choosing = scoresOf(online, next.features, [next.rows]);
    const values = scoresOf(target, next.features, [next.rows]);
    for (let first = 0; first < heads; first += quantiles) {
      const best = bestRow(choosing, 0, next.rows, heads, first, quantiles);
      for (let head = first; head < first + quantiles; head++) {
        targets[i * heads + head]! += discount * values[best * heads + head]!;
      }
    }
  });
  return targets;
}

/** The row among `rows` from `from` on whose heads from `first` on have the largest sum; the first of equals. */
export function bestRow(
  q: Float32Array,
  from: number,
  rows: number,
  heads: number,
  first: number,
  quantiles: number,
): number {
  let best = from;
  let largest = Number.NEGATIVE_INFINITY;
  for (let row = from; row < from + rows; row++) {
    let sum = 0;
    for (let head = first; head < first + quantiles; head++) sum += q[row * heads + head]!;
    if (sum <= largest) continue;
    best = row;
    largest = sum;
  }
  return best;
}

/** The candidate sets of the transitions, one after another, ready for {@link TrainingBatch}. */
export function stackStates(
  transitions: readonly Transition[],
): Pick<TrainingBatch, 'features' | 'setRows' | 'chosen'> {
  const length = transitions.reduce((sum, { state }) => sum + state.features.length, 0);
  const features = new Float32Array(length);
  let at = 0;
  for (const { state } of transitions) {
    features.set(state.features, at);
    at += state.features.length;
  }
  return {
    features,
    setRows: transitions.map(({ state }) => state.rows),
    chosen: transitions.map(({ chosen }) => chosen),
  };
}
