import type { TraceJob } from '../domain/trace.ts';
import type { TimeSpread } from '../scheduler/snapshot.ts';
import { spreadAround } from './spread.ts';

/** Spread of a command that ran once, σ of ln(duration): runs of one command differ, and one says nothing of how much. */
const FIRST_SIGMA = 0.7;
/** However alike the earlier runs were. */
const LEAST_SIGMA = 0.2;
/** Earlier runs that count as much as the guess of {@link FIRST_SIGMA}. */
const PRIOR_RUNS = 2;

interface Runs {
  count: number;
  /** Of ln(duration). */
  mean: number;
  squares: number;
}

/**
 * What was known of each job's duration at its submission from earlier runs of the same command (the trace's `name`):
 * a log-normal fitted to those that would have ended by then had they started at once. Null for new commands and jobs
 * without a name. Running mean and variance by Welford's method.
 * @param jobs sorted by submission.
 */
export function pastOf(jobs: readonly TraceJob[]): (TimeSpread | null)[] {
  const byName = new Map<string, Runs>();
  const running = new Map<string, { readonly endS: number; readonly durationS: number }[]>();
  return jobs.map(({ name, submitS, durationS }) => {
    if (name === null) return null;
    const open = running.get(name) ?? [];
    const runs = byName.get(name) ?? { count: 0, mean: 0, squares: 0 };
    byName.set(name, runs);
    const still = open.filter((run) => {
      if (run.endS > submitS) return true;
      learn(runs, Math.log(Math.max(1, run.durationS)));
      return false;
    });
    still.push({ endS: submitS + durationS, durationS });
    running.set(name, still);
    return runs.count === 0 ? null : spreadOf(runs);
  });
}

function learn(runs: Runs, value: number): void {
  runs.count++;
  const off = value - runs.mean;
  runs.mean += off / runs.count;
  runs.squares += off * (value - runs.mean);
}

function spreadOf({ count, mean, squares }: Runs): TimeSpread {
  const variance = (squares + PRIOR_RUNS * FIRST_SIGMA ** 2) / (count - 1 + PRIOR_RUNS);
  return spreadAround(Math.exp(mean), Math.max(LEAST_SIGMA, Math.sqrt(variance)));
}
