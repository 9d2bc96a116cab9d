import type { Action } from '../../domain/decision.ts';
import { randomInt } from '../../domain/rng.ts';
import { FEATURE_COUNT, featuresOf } from '../features.ts';
import { checkWeights, forward, headsOf, scoresOf, type Weights, WeightsError } from '../network.ts';
import { PLAN } from '../plan/config.ts';
import { planReviewS } from '../plan/review.ts';
import type { Policy, PolicyChoice, PolicyInput } from '../policy.ts';
import type { Snapshot } from '../snapshot.ts';

/** ε-greedy exploration that falls linearly from `start` to `end` over `overDecisions`, and stays there. */
export interface Exploration {
  readonly start: number;
  readonly end: number;
  readonly overDecisions: number;
  /** True: tries everything, `wait` as well. Only in simulation, where an idle device costs nobody anything. */
  readonly triesWait: boolean;
}

/** On a live machine: a tenth of the decisions at first, a hundredth after two thousand. */
export const LIVE_EXPLORATION: Exploration = { start: 0.1, end: 0.01, overDecisions: 2000, triesWait: false };
export const NO_EXPLORATION: Exploration = { start: 0, end: 0, overDecisions: 1, triesWait: false };

/** ε for the n-th decision (from 0). */
export function epsilonAt(n: number, { start, end, overDecisions }: Omit<Exploration, 'triesWait'>): number {
  return start + (end - start) * Math.min(1, Math.max(0, n / overDecisions));
}

export interface DqnOptions {
  /** null: none yet, so that every choice throws and the heuristic decides. */
  readonly weights: Weights | null;
  /** Names the weights, such as `second-wind` or `second-wind+350` after 350 training steps. */
  readonly version: string;
  readonly exploration?: Exploration;
  /**
   * Standard deviations over the members of an ensemble that are added to a score: what they do not agree on is tried
   * (Chen et al. 2017, "UCB exploration via Q-ensembles"). 0 when left out.
   */
  readonly upperConfidence?: number;
  /** Decisions taken before, so that a restart does not begin exploring anew. */
  readonly decisionsTaken?: number;
}

/** The learned policy. */
export interface DqnPolicy extends Policy {
  /** How many choices it has made, including `decisionsTaken`. */
  readonly decisions: number;
  /** ε of its next choice. */
  readonly epsilon: number;
  /** @throws {WeightsError} when they do not fit, and keeps the old ones. */
  setWeights(weights: Weights, version: string): void;
  /** Those in charge; null: none yet. */
  readonly weights: Weights | null;
  /** False: it takes the best from now on, and tries nothing; as a suggestion to a person should be. */
  explore(on: boolean): void;
}

/**
 * Scores every candidate with the Q-network and takes the best, or with probability ε another launch at random.
 *
 * It explores harmlessly: only among launches that the shield allows, so that no device idles for curiosity. And
 * it never waits on a machine where nothing runs: no completion would come that could be worth waiting for.
 *
 * `choose` throws {@link WeightsError} without weights, and when a score is not finite.
 */
export function createDqnPolicy(options: DqnOptions): DqnPolicy {
  const explores = options.exploration ?? LIVE_EXPLORATION;
  let exploration = explores;
  let weights: Weights | null = null;
  let version = 'none';
  let decisions = options.decisionsTaken ?? 0;
  const policy: DqnPolicy = {
    name: 'dqn',
    get version() {
      return version;
    },
    get decisions() {
      return decisions;
    },
    get weights() {
      return weights;
    },
    get preempts() {
      return weights?.preempts === true;
    },
    get moves() {
      return weights?.preempts === true && PLAN.moveFactor > 0;
    },
    get epsilon() {
      return epsilonAt(decisions, exploration);
    },
    reviewAfterS: (snapshot) =>
      weights?.preempts === true ? planReviewS(snapshot) : Number.POSITIVE_INFINITY,
    setWeights(next, nextVersion) {
      checkWeights(next, FEATURE_COUNT);
      weights = next;
      version = nextVersion;
    },
    explore(on) {
      exploration = on ? explores : NO_EXPLORATION;
    },
    choose({ snapshot, candidates, rng }: PolicyInput): PolicyChoice {
      if (weights === null) {
        throw new WeightsError('are missing', 'the heuristic decides until the learner has trained some');
      }
      const features = featuresOf(snapshot, candidates);
      const scores = Array.from(scored(weights, features, candidates.length, options.upperConfidence ?? 0));
      if (!scores.every(Number.isFinite)) {
        throw new WeightsError(
          'gave a score that is not finite',
          'the heuristic decides until they are replaced',
        );
      }
      const epsilon = epsilonAt(decisions, exploration);
      decisions++;
      const sensible = sensibleCount(snapshot, candidates);
      const tried = exploration.triesWait ? sensible : launchCount(candidates);
      const explored = tried > 1 && rng.next() < epsilon;
      const index = explored ? randomInt(rng, tried) : best(scores, sensible);
      return { index, scores, epsilon, explored, features };
    },
  };
  if (options.weights !== null) policy.setWeights(options.weights, options.version);
  return policy;
}

function scored(
  weights: Weights,
  features: Float32Array,
  rows: number,
  upperConfidence: number,
): Float32Array {
  const { members, quantiles } = headsOf(weights);
  if (upperConfidence === 0 || members === 1) return forward(weights, features, rows);
  const heads = members * quantiles;
  const all = scoresOf(weights, features, [rows]);
  return Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    let squares = 0;
    for (let member = 0; member < members; member++) {
      let q = 0;
      for (let i = 0; i < quantiles; i++) q += all[row * heads + member * quantiles + i]! / quantiles;
      sum += q;
      squares += q * q;
    }
    const mean = sum / members;
    return mean + upperConfidence * Math.sqrt(Math.max(0, squares / members - mean * mean));
  });
}

/** Launches come first, `wait` last where it is allowed. */
function launchCount(candidates: readonly Action[]): number {
  let count = 0;
  while (candidates[count]?.kind === 'launch') count++;
  return count;
}

/**
 * How many of the candidates, from the first on, are worth a thought: all, but for `wait` where nothing runs, since then
 * no completion would come that could be worth waiting for.
 */
export function sensibleCount(snapshot: Snapshot, candidates: readonly Action[]): number {
  const mayWait = snapshot.running.some((job) => job.pausedBy === null);
  const last = candidates.length - 1;
  return !mayWait && last > 0 && candidates[last]!.kind === 'wait' ? last : candidates.length;
}

/** Index of the largest of the first `count`; the first of equals. */
function best(scores: readonly number[], count: number): number {
  let index = 0;
  for (let i = 1; i < count; i++) if (scores[i]! > scores[index]!) index = i;
  return index;
}
