import { parentPort } from 'node:worker_threads';
import { messageOf } from '../domain/errors.ts';
import type { JobMessage, WorkerMessage } from './threads.ts';

/** Between two reports of how far a job is. */
const REPORT_EVERY_MS = 200;

/**
 * Does the jobs that a thread is given, one at a time.
 * @param work is told whom to tell how far it is, 0 to 1.
 */
export function serveJobs<Job, Result>(
  work: (job: Job, onFraction: (fraction: number) => void) => Result,
): void {
  const port = parentPort;
  if (port === null) throw new TypeError('this module runs as a worker of threads.ts only');
  const post = (message: WorkerMessage<Result>): void => port.postMessage(message);
  let reportedAtMs = performance.now();
  const onFraction = (fraction: number): void => {
    const nowMs = performance.now();
    if (nowMs - reportedAtMs < REPORT_EVERY_MS) return;
    reportedAtMs = nowMs;
    post({ kind: 'fraction', fraction });
  };
  port.on('message', ({ job }: JobMessage<Job>) => {
    try {
      post({ kind: 'done', result: work(job, onFraction) });
    } catch (error) {
      post({ kind: 'failed', message: messageOf(error) });
    }
  });
  post({ kind: 'ready' });
}
