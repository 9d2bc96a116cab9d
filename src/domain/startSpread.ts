import type { SpreadMs } from './expectedStart.ts';

type Whole = { readonly [K in keyof SpreadMs]: number };

/** What happens sooner has no logarithm worth the name. Seconds. */
const LEAST_S = 1;
/** Verdicts before the record counts as much as trust in the futures themselves. */
const PRIOR = 10;
const COVERAGE = 0.8;
const LEAST_STRETCH = 0.5;
const MOST_STRETCH = 6;

const waitS = (atMs: number, madeAtMs: number): number => Math.max(LEAST_S, (atMs - madeAtMs) / 1000);

/**
 * How far off an estimate was, in its own half widths on a logarithmic scale of the time from when it was made: 0 at the
 * median, 1 on an edge.
 */
export function missOf(spread: Whole, madeAtMs: number, startedAtMs: number): number {
  const [p10S, p50S, p90S] = [spread.p10Ms, spread.p50Ms, spread.p90Ms].map((ms) => waitS(ms, madeAtMs));
  const off = Math.log(waitS(startedAtMs, madeAtMs) / p50S!);
  const half = off > 0 ? Math.log(p90S! / p50S!) : Math.log(p50S! / p10S!);
  return Math.min(MOST_STRETCH, Math.abs(off) / Math.max(0.01, half));
}

/**
 * By what factor spreads are to be stretched so that eight in ten hold, as their record has it (split conformal prediction;
 * Lei et al. 2018, "Distribution-free predictive inference for regression"). 1 without a record.
 * @param misses see {@link missOf}, of spreads that were not stretched.
 */
export function stretchOf(misses: readonly number[]): number {
  if (misses.length === 0) return 1;
  const sorted = misses.toSorted((a, b) => a - b);
  const edge = sorted[Math.min(sorted.length - 1, Math.ceil(COVERAGE * (sorted.length + 1)) - 1)]!;
  const trusted = Math.max(LEAST_STRETCH, edge) ** (misses.length / (misses.length + PRIOR));
  return Math.min(MOST_STRETCH, Math.max(LEAST_STRETCH, trusted));
}

/** The spread, as many times as wide about its median. What lay beyond all that was looked ahead stays there. */
export function stretched({ p10Ms, p50Ms, p90Ms }: SpreadMs, madeAtMs: number, stretch: number): SpreadMs {
  if (p50Ms === null) return { p10Ms, p50Ms, p90Ms };
  const p50S = waitS(p50Ms, madeAtMs);
  const moved = (atMs: number | null): number | null =>
    atMs === null ? null : Math.round(madeAtMs + 1000 * p50S * (waitS(atMs, madeAtMs) / p50S) ** stretch);
  // What starts at once does so however wide the spread.
  const p10 = p10Ms !== null && p10Ms - madeAtMs < 1000 * LEAST_S ? p10Ms : moved(p10Ms);
  return { p10Ms: p10, p50Ms, p90Ms: moved(p90Ms) };
}
