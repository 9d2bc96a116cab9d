import type { RunningJob, WaitingJob } from '../snapshot.ts';
import { pastServiceOf } from './pastService.ts';

/**
 * GPU-seconds that a job is expected to need still: the median of its prediction × its GPUs. Where nothing is predicted,
 * what those earlier jobs needed on average that took more than it has had; Infinity where there were none either.
 * A CPU-only job counts as one GPU.
 */
export function expectedServiceGpuS(job: WaitingJob | RunningJob, history: readonly number[]): number {
  if (job.remaining !== null) return job.remaining.p50S * Math.max(1, job.gpus);
  const past = pastServiceOf(history);
  if (past === null) return Number.POSITIVE_INFINITY;
  return past.meanBeyond(job.attainedGpuS) - job.attainedGpuS;
}
