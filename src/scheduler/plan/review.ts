import { beliefsOf } from '../belief.ts';
import type { Snapshot } from '../snapshot.ts';
import { PLAN, type PlanConfig } from './config.ts';

/** After how many seconds the plan may be another though nothing happens. */
export function planReviewS(snapshot: Snapshot, config: PlanConfig = PLAN): number {
  const beliefs = beliefsOf(snapshot, config.belief);
  let most = 0;
  for (const job of snapshot.waiting) {
    const density = beliefs.of(job).index / Math.max(1, job.gpus) ** config.sizeExponent;
    if (density > most) most = density;
  }
  let soonestS = Number.POSITIVE_INFINITY;
  for (const job of snapshot.running) {
    if (job.pausedBy !== null || job.deviceIds.length === 0) continue;
    const { index, doneS } = beliefs.of(job);
    const density = index / job.deviceIds.length ** config.sizeExponent;
    const ahead = Math.min(config.mostAhead, Math.max(1, density / most));
    const leastS = Math.max(config.reviewLeastS, config.reviewShare * doneS);
    soonestS = Math.min(soonestS, leastS * ahead);
  }
  return soonestS;
}
