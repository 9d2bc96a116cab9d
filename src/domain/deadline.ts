import type { Diagnosis } from './diagnosis.ts';
import type { Job } from './job.ts';
import { formatDuration } from './units.ts';

/**
 * Since when a job that waits must be started if it is to be over by its deadline; null: it has none, or missed it
 * already, so that hurrying would only make others late as well. May be in the future.
 * @param longestS how long it may well take from now on, seconds; null: nobody knows, and then half of the time that it
 * was given has to be enough.
 */
export function urgentSinceMs(
  job: Pick<Job, 'deadlineAtMs' | 'submittedAtMs' | 'timeLimitS'>,
  longestS: number | null,
  nowMs: number,
): number | null {
  const { deadlineAtMs, submittedAtMs, timeLimitS } = job;
  if (deadlineAtMs === null || nowMs >= deadlineAtMs) return null;
  const longest = Math.min(longestS ?? Number.POSITIVE_INFINITY, timeLimitS ?? Number.POSITIVE_INFINITY);
  if (Number.isFinite(longest)) return deadlineAtMs - 1000 * longest;
  return submittedAtMs + (deadlineAtMs - submittedAtMs) / 2;
}

/** `missed its deadline by 2 h 5 min`; null: it has not, or it has none. */
export function missedText(job: Pick<Job, 'deadlineAtMs' | 'finishedAtMs'>, nowMs: number): string | null {
  const lateMs = job.deadlineAtMs === null ? 0 : (job.finishedAtMs ?? nowMs) - job.deadlineAtMs;
  return lateMs > 0 ? `missed its deadline by ${formatDuration(lateMs)}` : null;
}

/** Of a job that ended well but late; null: it was in time. */
export function lateDiagnosis(job: Pick<Job, 'deadlineAtMs'>, endedAtMs: number): Diagnosis | null {
  const summary = missedText({ ...job, finishedAtMs: endedAtMs }, endedAtMs);
  if (summary === null) return null;
  const remedy =
    'Submit such a job earlier, give it a higher priority, or say how long it runs (--estimate).';
  return { code: 'deadline', summary, line: null, remedy };
}
