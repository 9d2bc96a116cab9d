import type { Policy } from '../policy.ts';
import { type ByStopCost, byStopCost } from './byStopCost.ts';
import { competing, isComputing } from './competition.ts';
import { expectedServiceGpuS } from './expectedService.ts';

export interface PsptConfig {
  /** Who runs keeps its devices until somebody comes whose total is smaller by this factor. */
  readonly headStart: number;
}

export const PSPT: ByStopCost<PsptConfig> = { free: { headStart: 0.9 }, costly: { headStart: 0.3 } };

/**
 * Shortest predicted total first, preempting: by the service that a job has had plus what it is expected to need still.
 * Totals hardly change while jobs run, so that a wrong prediction costs a wrong place, but no seesaw as it does when
 * predicted remaining times are compared (Dell'Amico, Carra & Michiardi 2016, "PSBS: practical size-based scheduling",
 * on why errors hurt there).
 *
 * Ours: service in GPU-seconds; unpredicted jobs are ranked by the mean of earlier jobs that took more than they have
 * had; who runs counts less, so that equals do not take turns.
 */
export function psptWith({ headStart }: PsptConfig): Policy {
  return competing({
    name: 'pspt',
    key(job, _snapshot, history) {
      const totalGpuS = job.attainedGpuS + expectedServiceGpuS(job, history);
      return isComputing(job) ? headStart * totalGpuS : totalGpuS;
    },
  });
}

export const pspt: Policy = byStopCost(PSPT, psptWith);
