import { normalQuantile } from '../../src/domain/normal.ts';

export interface Slope {
  /** Change of y for a change of x by one. */
  readonly slope: number;
  /** Ends of the interval of 95 %. */
  readonly low: number;
  readonly high: number;
}

/**
 * The slope through points by Theil and Sen: the median of those between every two points, with Sen's interval by
 * Kendall's statistic (P. K. Sen, JASA 63, 1968). A single outlier, as a collector leaves them, does not move it.
 * @param points three or more, with different x.
 */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): Slope {
  const n = points.length;
  const slopes = points
    .flatMap(([x, y], i) => points.slice(i + 1).map(([x2, y2]) => (y2 - y) / (x2 - x)))
    .sort((a, b) => a - b);
  const reach = normalQuantile(0.975) * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const at = (rank: number): number => slopes[Math.max(0, Math.min(slopes.length - 1, Math.round(rank)))]!;
  return {
    slope: (at((slopes.length - 1) / 2 - 0.25) + at((slopes.length - 1) / 2 + 0.25)) / 2,
    low: at((slopes.length - 1 - reach) / 2),
    high: at((slopes.length - 1 + reach) / 2),
  };
}
