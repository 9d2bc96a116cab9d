import { impossible, neverStarts, standingOf, waitsFor } from '../../domain/dependencies.ts';
import { ConflictError } from '../../domain/errors.ts';
import { isLive, isTerminal, type Job, type JobStatus } from '../../domain/job.ts';
import { remember } from '../../domain/remember.ts';
import type { Dependency } from '../../domain/terms.ts';
import type { Ledger } from '../jobs/ledger.ts';
import { localTime } from './localTime.ts';

/** Whether a queued job lacks nothing but its turn, and since when; else why not, and until when if that is known. */
export type Readiness =
  | { readonly ready: true; readonly sinceMs: number }
  | { readonly ready: false; readonly reason: string; readonly untilMs: number | null };

/** How the jobs of an array stand, counted. */
interface ArrayNow {
  readonly live: number;
  readonly open: number;
  /** Those that ended otherwise than well. */
  readonly bad: number;
  readonly endedAtMs: number;
}

type Over = Pick<Job, 'status' | 'finishedAtMs'>;

/** So many jobs that are over are remembered, since other jobs wait for them. */
const MOST_REMEMBERED = 2000;

/**
 * Keeps jobs from the scheduler that are not to start yet: before their time, between two attempts, or while a job
 * that they wait for is not over. All of it is read from the jobs themselves, so that a restart changes nothing.
 */
export class Gate {
  private readonly ledger: Ledger;
  private readonly over = new Map<number, Over>();
  private readonly arrays = new Map<number, ArrayNow>();
  private readonly unsubscribe: () => void;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
    // One that is over may be retried.
    this.unsubscribe = ledger.onEvent((entry, job) => {
      this.over.delete(entry.jobId);
      if (job.array !== null) this.arrays.delete(job.array.id);
    });
  }

  /** How a queued job stands at `nowMs`. */
  of(job: Job, nowMs: number): Readiness {
    const { after, beginAtMs, retryWait, array } = job;
    const atMost = array?.atMost ?? null;
    // As nearly all are, and there may be very many.
    if (after.length === 0 && beginAtMs === null && retryWait === null && atMost === null) {
      return { ready: true, sinceMs: job.readyAtMs };
    }
    const open = after.filter((one) => standingOf(one, this.lookAt(one).status) === 'open');
    if (open.length > 0) return { ready: false, reason: waitsFor(open), untilMs: null };
    if (beginAtMs !== null && beginAtMs > nowMs) {
      return { ready: false, reason: `is to start at ${localTime(beginAtMs)}`, untilMs: beginAtMs };
    }
    // Where the clock was set back since it failed, nobody knows how long ago that was: it has waited enough.
    if (retryWait !== null && retryWait.fromMs <= nowMs && nowMs < retryWait.untilMs) {
      const { because, untilMs } = retryWait;
      const reason = `attempt ${job.attempt}: ${because}; the next is at ${localTime(untilMs)}`;
      return { ready: false, reason, untilMs };
    }
    const ends = after.map((one) => this.lookAt(one).finishedAtMs ?? 0);
    if (array !== null && atMost !== null) {
      // Its turn within its array came when the last of the others ended.
      const { live, endedAtMs } = this.arrayOf(array.id);
      if (live >= atMost)
        return { ready: false, reason: `of its array, ${atMost} run at once`, untilMs: null };
      ends.push(endedAtMs);
    }
    return { ready: true, sinceMs: Math.min(nowMs, Math.max(job.readyAtMs, beginAtMs ?? 0, ...ends)) };
  }

  /** Why a job that waits can never start, because of how another ended; null: it can. */
  neverStarts(job: Job): string | null {
    const found = impossible(job, (one) => this.lookAt(one).status);
    return found && neverStarts(found.dependency, found.status);
  }

  /** How the job or array stands that a dependency names. */
  statusOf(dependency: Dependency): JobStatus {
    return this.lookAt(dependency).status;
  }

  /** @throws {ConflictError} if it could never start, because of how a job ended that it waits for. */
  checkStartable(job: Job): void {
    const never = this.neverStarts(job);
    if (never !== null) {
      throw new ConflictError(`job ${job.id} could not start: ${never}`, 'retry that job first');
    }
  }

  stop(): void {
    this.unsubscribe();
  }

  /** How many more jobs of its array may start now; null: as many as find room. */
  roomInArray({ array }: Pick<Job, 'array'>): number | null {
    if (array === null || array.atMost === null) return null;
    return Math.max(0, array.atMost - this.arrayOf(array.id).live);
  }

  private arrayOf(arrayId: number): ArrayNow {
    let now = this.arrays.get(arrayId);
    if (now === undefined) {
      const standing = this.ledger.read.arrayStanding(arrayId);
      const count = (is: (status: JobStatus) => boolean): number =>
        standing.reduce((sum, { status, n }) => sum + (is(status) ? n : 0), 0);
      now = {
        live: count(isLive),
        open: count((status) => !isTerminal(status)),
        bad: count((status) => isTerminal(status) && status !== 'succeeded'),
        endedAtMs: Math.max(0, ...standing.map(({ ended }) => ended ?? 0)),
      };
      remember(this.arrays, arrayId, now, MOST_REMEMBERED);
    }
    return now;
  }

  private lookAt(dependency: Dependency): Over {
    if (!dependency.array) return this.lookAtJob(dependency.jobId);
    const { open, bad, endedAtMs } = this.arrayOf(dependency.jobId);
    if (open > 0) return { status: 'queued', finishedAtMs: null };
    return { status: bad > 0 ? 'failed' : 'succeeded', finishedAtMs: endedAtMs };
  }

  private lookAtJob(jobId: number): Over {
    const known = this.over.get(jobId);
    if (known !== undefined) return known;
    const { status, finishedAtMs } = this.ledger.get(jobId);
    if (finishedAtMs !== null) remember(this.over, jobId, { status, finishedAtMs }, MOST_REMEMBERED);
    return { status, finishedAtMs };
  }
}
