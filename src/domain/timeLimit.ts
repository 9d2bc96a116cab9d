import type { Job } from './job.ts';
import { runSeconds } from './runSeconds.ts';
import { formatDuration } from './units.ts';

/**
 * Why a running job is to end now because of its time limit; null while it may go on. Pauses do not count, and
 * neither does anybody's setting of the clock.
 * @param monotonicMs the machine's monotonic clock, as in `RunClock`.
 */
export function overTimeLimit(
  job: Pick<Job, 'timeLimitS' | 'runClock' | 'startedAtMs' | 'finishedAtMs' | 'pausedAtMs' | 'pausedMs'>,
  monotonicMs: number,
  nowMs: number,
): string | null {
  if (job.timeLimitS === null) return null;
  const { runClock } = job;
  const ranS =
    runClock === null
      ? runSeconds(job, nowMs)
      : (runClock.ranMs + (runClock.sinceMs === null ? 0 : Math.max(0, monotonicMs - runClock.sinceMs))) /
        1000;
  if (ranS < job.timeLimitS) return null;
  return `it reached its time limit of ${formatDuration(job.timeLimitS * 1000)}`;
}
