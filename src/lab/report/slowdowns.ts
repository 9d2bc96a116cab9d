import { SAME_WITHIN } from './figures.ts';
import type { ReportJob, ReportRun } from './report.ts';

/** How the slowdowns of a run are spread. Quantiles by nearest rank, as everywhere in the lab. */
export interface Distribution {
  /** Ascending. */
  readonly sorted: Float64Array;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly largest: number;
}

/** @returns NaN for the quantiles of nothing. */
export function distributionOf(jobs: readonly ReportJob[]): Distribution {
  const sorted = Float64Array.from(jobs, ({ slowdown }) => slowdown).sort();
  const at = (q: number): number => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
  return { sorted, median: at(0.5), p95: at(0.95), p99: at(0.99), largest: at(1) };
}

/** The same job under both policies. */
export interface Pair {
  readonly before: ReportJob;
  readonly after: ReportJob;
  /** Slowdown under the second / under the first. */
  readonly ratio: number;
}

/** Jobs that ran under both, in the order of the second. */
export function pairsOf([first, second]: readonly [ReportRun, ReportRun]): Pair[] {
  const byId = new Map(first.jobs.map((job) => [job.id, job]));
  return second.jobs.flatMap((after) => {
    const before = byId.get(after.id);
    return before ? [{ before, after, ratio: after.slowdown / before.slowdown }] : [];
  });
}

export interface Balance {
  readonly gained: number;
  readonly lost: number;
  readonly same: number;
  /** By the difference of slowdowns, the lower id where it is the same; null where nobody gained or lost. */
  readonly largestGain: Pair | null;
  readonly largestLoss: Pair | null;
}

/** Who fares better under the second policy, and who worse: by more than {@link SAME_WITHIN} of the slowdown. */
export function balanceOf(pairs: readonly Pair[]): Balance {
  const gains = pairs.filter(({ ratio }) => ratio < 1 - SAME_WITHIN);
  const losses = pairs.filter(({ ratio }) => ratio > 1 + SAME_WITHIN);
  const by = ({ before, after }: Pair): number => Math.abs(after.slowdown - before.slowdown);
  const largest = (some: readonly Pair[]): Pair | null =>
    some.toSorted((a, b) => by(b) - by(a) || a.after.id - b.after.id)[0] ?? null;
  return {
    gained: gains.length,
    lost: losses.length,
    same: pairs.length - gains.length - losses.length,
    largestGain: largest(gains),
    largestLoss: largest(losses),
  };
}

/** Classes of {@link Pair.ratio}, each up to and without its bound but for the middle one, which is "the same". */
const CLASSES: readonly (readonly [label: string, below: number])[] = [
  ['under ¼ of it', 0.25],
  ['¼ to ½', 0.5],
  ['½ to 0.99', 1 - SAME_WITHIN],
  ['the same, ±1 %', 1 + SAME_WITHIN + Number.EPSILON],
  ['1.01 to 2 times', 2],
  ['2 to 4 times', 4],
  ['4 times and more', Number.POSITIVE_INFINITY],
];

/** How many jobs fall into each class of change, from the largest gain to the largest loss. */
export function changesOf(pairs: readonly Pair[]): { readonly label: string; readonly jobs: number }[] {
  const counts = CLASSES.map(() => 0);
  for (const { ratio } of pairs) {
    const at = CLASSES.findIndex(([, below]) => ratio < below);
    if (at >= 0) counts[at]!++;
  }
  return CLASSES.map(([label], index) => ({ label, jobs: counts[index]! }));
}
