import { FEATURE_COUNT, featuresOf } from '../features.ts';
import { checkWeights, forward, type Weights, WeightsError } from '../network.ts';
import { planReviewS } from '../plan/review.ts';
import type { Policy, PolicyChoice, PolicyInput } from '../policy.ts';
import { sensibleCount } from './dqn.ts';

export interface PgOptions {
  /** null: none that can be used, so that every choice throws and the heuristic decides. */
  readonly weights: Weights | null;
  readonly version: string;
  /**
   * Difference of scores that counts as one logit: it draws from the softmax. 0 when left out: it takes the most probable, as
   * is right for a live machine.
   */
  readonly temperature?: number;
}

/**
 * The actor of a policy gradient: scores every candidate with the network that `dqn` has too, and takes the probabilities
 * of actions from the scores. Trained as {@link sequenceAdvantages} says.
 *
 * `choose` throws {@link WeightsError} without weights, and when a score is not finite.
 * @throws {WeightsError} for weights that do not fit.
 */
export function createPgPolicy({ weights, version, temperature = 0 }: PgOptions): Policy {
  if (weights !== null) checkWeights(weights, FEATURE_COUNT);
  return {
    name: 'pg',
    version,
    preempts: weights?.preempts === true,
    reviewAfterS: (snapshot) =>
      weights?.preempts === true ? planReviewS(snapshot) : Number.POSITIVE_INFINITY,
    choose({ snapshot, candidates, rng }: PolicyInput): PolicyChoice {
      if (weights === null) throw new WeightsError('are missing', 'the heuristic decides in its place');
      const features = featuresOf(snapshot, candidates);
      const scores = Array.from(forward(weights, features, candidates.length));
      if (!scores.every(Number.isFinite))
        throw new WeightsError('gave a score that is not finite', 'the heuristic decides in its place');
      const sensible = scores.slice(0, sensibleCount(snapshot, candidates));
      const index = temperature > 0 ? drawn(sensible, temperature, rng.next()) : highest(sensible);
      return { index, scores, epsilon: null, explored: false, features };
    },
  };
}

/** The first of the largest. */
const highest = (scores: readonly number[]): number =>
  scores.reduce((best, score, i) => (score > scores[best]! ? i : best), 0);

/** @param at uniform in [0, 1). */
function drawn(scores: readonly number[], temperature: number, at: number): number {
  const most = Math.max(...scores);
  const weights = scores.map((score) => Math.exp((score - most) / temperature));
  let left = at * weights.reduce((sum, weight) => sum + weight, 0);
  const index = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return index < 0 ? scores.length - 1 : index;
}
