import { setTimeout as sleep } from 'node:timers/promises';
import { type StintClient, watchForever } from '../contract/client.ts';
import { isLive, isTerminal, type JobStatus } from '../domain/job.ts';

export interface JobCounts {
  /** Jobs that hold, or may hold, a device and are not paused. */
  readonly running: number;
  readonly paused: number;
  /** Queued or held. */
  readonly waiting: number;
}

export function countJobs(statuses: Iterable<JobStatus>): JobCounts {
  let [running, paused, waiting] = [0, 0, 0];
  for (const status of statuses) {
    if (status === 'paused') paused += 1;
    else if (isLive(status)) running += 1;
    else if (!isTerminal(status)) waiting += 1;
  }
  return { running, paused, waiting };
}

/** Reports the counts at once and after every change, until aborted. */
export async function followJobCounts(
  client: StintClient,
  signal: AbortSignal,
  report: (counts: JobCounts) => void,
): Promise<void> {
  const overview = await client.system.overview();
  const statuses = new Map<number, JobStatus>();
  const keep = (id: number, status: JobStatus): void => {
    if (isTerminal(status)) statuses.delete(id);
    else statuses.set(id, status);
  };
  let last = '';
  const publish = (): void => {
    const counts = countJobs(statuses.values());
    const key = JSON.stringify(counts);
    if (key !== last) report(counts);
    last = key;
  };
  for (const job of overview.jobs) keep(job.id, job.status);
  publish();
  await watchForever(async () => client, {
    since: overview.seq,
    signal,
    onMessage: (message) => {
      if (message.type !== 'event') return;
      keep(message.job.id, message.job.status);
      publish();
    },
    sleep: async (ms, stop) => {
      await sleep(ms, undefined, { signal: stop as globalThis.AbortSignal }).catch((error: unknown) => {
        if (!stop.aborted) throw error;
      });
    },
  });
}
