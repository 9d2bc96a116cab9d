import { messageOf } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import type { Clock, Log } from '../ports.ts';
import type { Ledger } from './ledger.ts';
import type { Secrets } from './secrets.ts';

const INTERVAL_MS = 3_600_000;

interface Forgetting {
  readonly secrets: Secrets;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
}

/** Forgets now, and then every hour, the secrets that no job can need any more. @returns what ends that. */
export function forgetSecrets({ secrets, ledger, clock, log }: Forgetting): () => void {
  const look = (): void => {
    try {
      secrets.prune((id) => jobsOfSubmission(ledger, id), clock.nowMs());
    } catch (error) {
      log.warn('secrets of old jobs could not be forgotten; it is tried again', { error: messageOf(error) });
    }
  };
  look();
  const timer = setInterval(look, INTERVAL_MS);
  return () => clearInterval(timer);
}

/** The jobs of a submission by its number, which is the first one's: the job itself, or those of its array; none: there is no such. */
export function jobsOfSubmission({ read }: Ledger, id: number): readonly Job[] {
  const members = read.arrayJobs(id);
  if (members.length > 0) return members;
  const found = read.get(id);
  return found === null ? [] : [found.job];
}
