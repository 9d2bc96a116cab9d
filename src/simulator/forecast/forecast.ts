import type { ExpectedStart, SpreadMs } from '../../domain/expectedStart.ts';
import { seededRng } from '../../domain/rng.ts';
import type { Policy } from '../../scheduler/policy.ts';
import type { ShieldLimits, Snapshot } from '../../scheduler/snapshot.ts';
import { type FutureStart, playFuture } from './future.ts';

export interface ForecastInput {
  readonly snapshot: Snapshot;
  /** A fresh one for each future: some remember. */
  readonly policy: () => Policy;
  readonly heuristic: Policy;
  readonly limits: ShieldLimits;
  /** As a policy is told it. */
  readonly history: readonly number[];
  readonly seed: number;
  /** The most that are played. */
  readonly samples: number;
  /** Seconds, of a clock that only goes on; and how many of them it may take. */
  readonly clock: () => number;
  readonly budgetS: number;
}

/** Below this many a spread means nothing: a future is cut short rather. */
const LEAST_SAMPLES = 8;

/**
 * When each waiting job of a snapshot starts, from futures that are played through until the budget is spent. What a cut
 * future did not come to counts as later than was looked ahead.
 */
export function forecast(input: ForecastInput): { readonly samples: number; readonly jobs: ExpectedStart[] } {
  const { snapshot, clock, budgetS } = input;
  const { policy, heuristic, limits, history, seed } = input;
  const endsS = clock() + budgetS;
  const futures: Map<number, FutureStart>[] = [];
  while (futures.length < input.samples && (futures.length < LEAST_SAMPLES || clock() < endsS)) {
    const leftS = Math.max(0, endsS - clock());
    const untilS =
      clock() + Math.max(budgetS / (4 * LEAST_SAMPLES), leftS / Math.max(1, LEAST_SAMPLES - futures.length));
    const rng = seededRng(seed * 1009 + futures.length);
    const enough = (): boolean => clock() >= untilS;
    futures.push(playFuture({ snapshot, policy: policy(), heuristic, limits, history, rng, enough }));
  }
  return { samples: futures.length, jobs: snapshot.waiting.map(({ id }) => expectedOf(id, futures)) };
}

function expectedOf(jobId: number, futures: readonly ReadonlyMap<number, FutureStart>[]): ExpectedStart {
  const starts = futures.flatMap((future) => future.get(jobId) ?? []);
  const places = Map.groupBy(starts, ({ deviceIds }) => deviceIds.join('\0'));
  const [usual] = [...places.values()].sort((a, b) => b.length - a.length);
  const spread = (of: (start: FutureStart) => number): SpreadMs =>
    spreadOf(
      starts.map(of).sort((a, b) => a - b),
      futures.length,
    );
  return {
    jobId,
    deviceIds: [...(usual?.[0]?.deviceIds ?? [])],
    start: spread(({ atMs }) => atMs),
    end: spread(({ endsMs }) => endsMs),
  };
}

/** By nearest rank; the values that are missing of `count` lie beyond all others. */
function spreadOf(values: readonly number[], count: number): SpreadMs {
  const at = (q: number): number | null => {
    const value = values[Math.max(0, Math.ceil(q * count) - 1)];
    return value === undefined ? null : Math.round(value);
  };
  return { p10Ms: at(0.1), p50Ms: at(0.5), p90Ms: at(0.9) };
}
