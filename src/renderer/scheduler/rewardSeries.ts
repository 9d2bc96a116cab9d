import type { Episode } from '../../domain/episode.ts';
import { fixed } from '../../domain/explanationText.ts';
import { REWARD_COMPONENTS, type RewardComponent, type RewardParts } from '../../domain/reward.ts';

/** Weighted parts of the mean reward rate per episode, oldest first; each part is w_k · part_k / seconds. */
export interface RewardSeries {
  readonly ids: readonly number[];
  readonly parts: Readonly<Record<RewardComponent, readonly number[]>>;
  readonly totals: readonly number[];
}

/** An episode's length in seconds, up to `nowMs` while it lasts. */
export const episodeSeconds = (episode: Episode, nowMs: number): number =>
  Math.max(0, ((episode.endedAtMs ?? nowMs) - episode.startedAtMs) / 1000);

/** The chart's columns from episodes that are over, latest first as the engine gives them. */
export function rewardSeries(episodes: readonly Episode[], goals: RewardParts): RewardSeries {
  const over = episodes.filter((episode) => episode.endedAtMs !== null).reverse();
  const part = (name: RewardComponent) =>
    over.map((episode) => {
      const seconds = episodeSeconds(episode, 0);
      return seconds > 0 ? (goals[name] * episode.rewardParts[name]) / seconds : 0;
    });
  return {
    ids: over.map((episode) => episode.id),
    parts: { completion: part('completion'), utilisation: part('utilisation'), fairness: part('fairness') },
    totals: over.map((episode) => episode.reward),
  };
}

/** Running sums of the parts in their order, for stacking: the last is the sum of all. */
export function stacked(series: RewardSeries): readonly (readonly number[])[] {
  let below: readonly number[] = series.ids.map(() => 0);
  return REWARD_COMPONENTS.map((name) => {
    below = series.parts[name].map((value, i) => value + below[i]!);
    return below;
  });
}

/** A reward for reading: three significant figures, a true minus, never in exponents. */
export function formatReward(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return fixed(value, digits);
}
