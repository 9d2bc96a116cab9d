import { REWARD_COMPONENTS, type RewardComponent } from '../../src/domain/reward.ts';
import { fifo } from '../../src/scheduler/policies/fifo.ts';
import { firstFit } from '../../src/scheduler/policies/firstFit.ts';
import { priority } from '../../src/scheduler/policies/priority.ts';
import type { Policy } from '../../src/scheduler/policy.ts';
import type { SimulatedWorld } from '../../src/simulator/machine.ts';
import { shortestFirst } from './shortestFirst.ts';
import { type Figures, figuresOf } from './simulatedDay.ts';
import { type Interval, median, medianRatio } from './statistics.ts';

export const METRICS = ['cost', 'meanJctS', 'slowdown', 'waitP95S', 'waitMaxS'] as const;
export type Metric = (typeof METRICS)[number];

/** The judged policy beside another one on the same days. */
export interface Comparison {
  readonly against: string;
  /** Medians over the days of judged / other; below 1 the judged one is better. */
  readonly ratios: Record<Metric, Interval>;
  /** Median weighed cost of each part, s. */
  readonly parts: Record<RewardComponent, { ours: number; theirs: number }>;
  /** Days on which the judged one cost less, the same, more. */
  readonly days: { less: number; same: number; more: number };
  /** Median ratio of the cost over each group of days. */
  readonly costByGroup: readonly number[];
}

/** @param daysEach days of one group, which follow each other in `days`. */
export function compare(policy: Policy, days: readonly SimulatedWorld[], daysEach: number): Comparison[] {
  const ours = days.map((world) => figuresOf(world, policy));
  return [fifo, firstFit, priority, shortestFirst].map((other) => {
    const theirs = days.map((world) => figuresOf(world, other));
    return comparison(other.name, ours, theirs, daysEach);
  });
}

function comparison(against: string, ours: Figures[], theirs: Figures[], daysEach: number): Comparison {
  const of = (figures: Figures[], value: (f: Figures) => number): number[] => figures.map(value);
  const ratios = METRICS.map((m) => [
    m,
    medianRatio(
      of(ours, (f) => f[m]),
      of(theirs, (f) => f[m]),
    ),
  ]);
  const parts = REWARD_COMPONENTS.map((k) => [
    k,
    { ours: median(of(ours, (f) => f.parts[k])), theirs: median(of(theirs, (f) => f.parts[k])) },
  ]);
  const costs = ours.map((f, i) => f.cost / theirs[i]!.cost);
  return {
    against,
    ratios: Object.fromEntries(ratios) as Comparison['ratios'],
    parts: Object.fromEntries(parts) as Comparison['parts'],
    days: {
      less: costs.filter((r) => r < 1).length,
      same: costs.filter((r) => r === 1).length,
      more: costs.filter((r) => r > 1).length,
    },
    costByGroup: Array.from({ length: costs.length / daysEach }, (_, i) =>
      median(costs.slice(i * daysEach, (i + 1) * daysEach)),
    ),
  };
}
