/** Held because the queue that it is for refused it, or lost it: nothing happens before a person has said what becomes of it. */
export const isRefused = (job: {
  readonly status: string;
  readonly executor: string | null;
  readonly cause: string | null;
}): boolean => job.status === 'held' && job.executor !== null && job.cause !== null;
