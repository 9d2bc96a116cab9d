import type { TimeSpread } from '../scheduler/snapshot.ts';

/** Standard normal deviate of the 90th percentile. */
const Z90 = 1.2816;

/** Quantiles of a log-normal. @param sigma of the logarithm. */
export function spreadAround(p50S: number, sigma: number): TimeSpread {
  const factor = Math.exp(Z90 * sigma);
  return { p10S: p50S / factor, p50S, p90S: p50S * factor };
}
