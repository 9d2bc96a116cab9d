import type { StintClient } from '../contract/client.ts';
import { messageOf } from '../domain/errors.ts';
import type { Log } from '../engine/ports.ts';

/** Pauses every running job. One that cannot be paused (any more) does not keep the others from it. */
export async function pauseAll(client: StintClient, log: Log): Promise<void> {
  try {
    const { jobs } = await client.jobs.list({ statuses: ['running'], limit: 10_000 });
    const outcomes = await Promise.allSettled(jobs.map(({ id }) => client.jobs.pause({ id })));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') continue;
      log.warn('a job could not be paused', { id: jobs[index]?.id, error: messageOf(outcome.reason) });
    }
  } catch (error) {
    log.error('the jobs could not be listed to pause them', { error: messageOf(error) });
  }
}
