import { seededRng } from '../../src/domain/rng.ts';

/** The q-quantile by linear interpolation between order statistics (type 7 of Hyndman & Fan 1996). */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  return low + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - low);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export interface Interval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

const DRAWS = 2000;

/** Median of the paired ratios with a 95 % percentile-bootstrap interval (Efron 1979). */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): Interval {
  const ratios = ours.map((v, i) => v / theirs[i]!);
  const rng = seededRng(99);
  const draws = Array.from({ length: DRAWS }, () =>
    median(ratios.map(() => ratios[Math.floor(rng.next() * ratios.length)]!)),
  );
  return { median: median(ratios), low: quantile(draws, 0.025), high: quantile(draws, 0.975) };
}
