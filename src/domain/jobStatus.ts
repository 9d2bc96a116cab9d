/** Every status that a job can have. Fixed names: scripts rely on them. */
export const JOB_STATUSES = [
  'queued',
  'held',
  'starting',
  'running',
  'paused',
  'stopping',
  'succeeded',
  'failed',
  'cancelled',
  'timed-out',
  'lost',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

const TERMINAL: ReadonlySet<JobStatus> = new Set(['succeeded', 'failed', 'cancelled', 'timed-out', 'lost']);
const LIVE: ReadonlySet<JobStatus> = new Set(['starting', 'running', 'paused', 'stopping']);

/** True once nothing more can happen to the job. */
export const isTerminal = (status: JobStatus): boolean => TERMINAL.has(status);
/** True while the job has, or may have, a process, and so holds its devices. */
export const isLive = (status: JobStatus): boolean => LIVE.has(status);
