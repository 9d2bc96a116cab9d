import { randomInt, seededRng } from '../../domain/rng.ts';

/** Windows, and for each of several quantities its sum over what belongs to the window. */
export interface Clusters {
  /** Per window, how many values its sums are made of; at least one. */
  readonly counts: readonly number[];
  /** Per quantity, per window. */
  readonly sums: readonly Float64Array[];
}

const DRAWS = 2000;
const SEED = 20_171;
const [LOW, HIGH] = [0.025, 0.975];

/**
 * 95 % intervals of the means of several quantities by the percentile bootstrap (Efron, "Bootstrap methods", 1979) over
 * whole windows, because what one window gives on several machines hangs together. All quantities see the same draws.
 * @returns per quantity; null for fewer than two windows, which say nothing of how windows differ.
 */
export function meanIntervals({ counts, sums }: Clusters): ([low: number, high: number] | null)[] {
  const windows = counts.length;
  if (windows < 2) return sums.map(() => null);
  const rng = seededRng(SEED);
  const means = sums.map(() => new Float64Array(DRAWS));
  const times = new Float64Array(windows);
  for (let draw = 0; draw < DRAWS; draw++) {
    times.fill(0);
    for (let i = 0; i < windows; i++) times[randomInt(rng, windows)]!++;
    let count = 0;
    for (let i = 0; i < windows; i++) count += times[i]! * counts[i]!;
    sums.forEach((sum, quantity) => {
      let total = 0;
      for (let i = 0; i < windows; i++) total += times[i]! * sum[i]!;
      means[quantity]![draw] = total / count;
    });
  }
  return means.map((values) => {
    values.sort();
    return [quantile(values, LOW), quantile(values, HIGH)];
  });
}

/** By linear interpolation between order statistics (type 7 of Hyndman & Fan 1996). @param sorted ascending. */
function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  return low + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - low);
}
