import type { JobView } from '../contract/messages.ts';

/** How a command ends that waited for a job. One that did not succeed never counts as 0. */
export function exitStatusOf(job: JobView | undefined): number {
  if (!job || job.status === 'succeeded') return 0;
  if (job.exitCode) return job.exitCode;
  switch (job.status) {
    case 'cancelled':
      return 130;
    case 'timed-out':
      return 137;
    case 'lost':
      return 129;
    case 'held':
      return 126;
    default:
      return 127;
  }
}
