import type { Policy } from '../policy.ts';
import { greedy } from './greedy.ts';

export interface AgedConfig {
  /** So many hours of waiting weigh as much as one point of priority. */
  readonly pointH: number;
}

export const AGED: AgedConfig = { pointH: 1 };

/**
 * Backfilling by priority and age: of the jobs that fit, the one starts whose priority plus the hours that it has waited
 * is highest. Aging is the classic cure for what priorities starve (Silberschatz et al., "Operating System Concepts",
 * on priority scheduling), and the core of Slurm's multifactor plugin (Yoo, Jette & Grondona 2003), whose weights are
 * a site's to choose.
 *
 * Ours: a point is worth an hour, and age counts without a bound, so that of two jobs the same goes first however long
 * both wait. Equal priorities are first come, first served with backfilling.
 */
export function agedWith({ pointH }: AgedConfig): Policy {
  return greedy({ name: 'aged', key: (job) => job.waitingSinceMs / (3_600_000 * pointH) - job.priority });
}

export const aged: Policy = agedWith(AGED);
