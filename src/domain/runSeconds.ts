import type { Job } from './job.ts';

/** Seconds that the job has actually run: from its start to its end (or now), without pauses. */
export function runSeconds(
  job: Pick<Job, 'startedAtMs' | 'finishedAtMs' | 'pausedAtMs' | 'pausedMs'>,
  nowMs: number,
): number {
  if (job.startedAtMs === null) return 0;
  const end = job.finishedAtMs ?? job.pausedAtMs ?? nowMs;
  return Math.max(0, (end - job.startedAtMs - job.pausedMs) / 1000);
}
