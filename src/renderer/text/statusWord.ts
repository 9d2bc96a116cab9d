import type { JobStatus } from '../../domain/job.ts';

/** A status as the console says it. */
export const statusWord = (status: JobStatus): string => (status === 'held' ? 'held back' : status);
