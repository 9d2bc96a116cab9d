import type { Action, Explanation } from '../domain/decision.ts';
import { DISCOUNT_RATE_PER_S, type RewardParts } from '../domain/reward.ts';
import type { DecisionStep } from './decide.ts';
import { FEATURE_COUNT, FEATURE_NAMES } from './features.ts';
import { featureCountOf, forward, type Weights } from './network.ts';
import type { Snapshot } from './snapshot.ts';

/** So many features are kept: of those that follow, none tells anybody anything. */
const MOST_FEATURES = 6;

/** One feature's part in a choice. Values as the network sees them. */
export interface Effect {
  readonly column: number;
  readonly chosen: number;
  readonly otherwise: number;
  /** By how much the chosen one's score falls when it has the other's value; in units of the score. */
  readonly effect: number;
}

/**
 * Leave one out: for each feature in which two candidates of a decision differ, what the first one's score loses when it has
 * the second one's value. What both have in common (the value of the state, the mean advantage) cancels out.
 * @param features rows of the decision's candidates. @returns the largest effect first.
 */
export function effectsOf(
  weights: Weights,
  features: Float32Array,
  chosen: number,
  otherwise: number,
): { readonly gap: number; readonly effects: readonly Effect[] } {
  const width = featureCountOf(weights);
  const a = features.subarray(chosen * width, (chosen + 1) * width);
  const b = features.subarray(otherwise * width, (otherwise + 1) * width);
  const columns: number[] = [];
  for (let i = 0; i < width; i++) if (a[i] !== b[i]) columns.push(i);
  // One set, so that all of them share what they have in common.
  const rows = new Float32Array((columns.length + 2) * width);
  rows.set(a);
  rows.set(b, width);
  columns.forEach((column, i) => {
    const at = (i + 2) * width;
    rows.set(a, at);
    rows[at + column] = b[column]!;
  });
  const scores = forward(weights, rows, columns.length + 2);
  const effects = columns.map((column, i) => ({
    column,
    chosen: a[column]!,
    otherwise: b[column]!,
    effect: scores[0]! - scores[i + 2]!,
  }));
  effects.sort((one, other) => Math.abs(other.effect) - Math.abs(one.effect));
  return { gap: scores[0]! - scores[1]!, effects };
}

/**
 * How many minutes of waiting of one job (of priority 0) a difference of scores is worth: scores are costs in units of a cost
 * rate of 1 for ever, scaled by the discount rate. null: completion is no goal.
 */
export function waitMinutes(gap: number, goals: RewardParts, devices: number): number | null {
  if (goals.completion === 0) return null;
  return ((gap / DISCOUNT_RATE_PER_S) * 2 * Math.max(1, devices)) / goals.completion / 60;
}

/** Why what was done was done rather than the best alternative; null where nothing was scored from features. */
export function whyChosen(step: DecisionStep, snapshot: Snapshot, weights: Weights): Explanation | null {
  const { choice, allowedActions } = step;
  if (choice?.features == null || choice.scores === null) return null;
  const otherwise = bestOther(allowedActions, choice.scores, choice.index);
  if (otherwise === null || choice.features.length !== allowedActions.length * FEATURE_COUNT) return null;
  const { gap, effects } = effectsOf(weights, choice.features, choice.index, otherwise);
  const least = 0.01 * Math.max(...effects.map(({ effect }) => Math.abs(effect)), 0);
  return {
    otherwise: allowedActions[otherwise]!,
    gap,
    waitMinutes: waitMinutes(gap, snapshot.goals, snapshot.devices.length),
    features: effects
      .filter(({ effect }) => Math.abs(effect) > least)
      .slice(0, MOST_FEATURES)
      .map(({ column, ...rest }) => ({ name: FEATURE_NAMES[column]!, ...rest })),
  };
}

/** The best scored that is about another job or does something else with it; another place for it where there is none. */
function bestOther(actions: readonly Action[], scores: readonly number[], chosen: number): number | null {
  const done = actions[chosen]!;
  const sameJob = (action: Action): boolean =>
    action.kind === done.kind &&
    (action.kind === 'wait' || done.kind === 'wait' || action.jobId === done.jobId);
  let best: number | null = null;
  let place: number | null = null;
  scores.forEach((score, i) => {
    if (i === chosen) return;
    if (sameJob(actions[i]!)) {
      if (place === null || score > scores[place]!) place = i;
    } else if (best === null || score > scores[best]!) best = i;
  });
  return best ?? place;
}
