import { impossible } from '../../domain/dependencies.ts';
import { ConflictError } from '../../domain/errors.ts';
import type { Job, JobStatus } from '../../domain/job.ts';
import { applyEvent, createJob, type Folded, type JobEvent } from '../../domain/lifecycle.ts';
import type { Dependency } from '../../domain/terms.ts';
import { formatDuration } from '../../domain/units.ts';
import type { Clock } from '../ports.ts';
import type { StoredEvent } from '../store/jobStore.ts';
import type { Ledger } from './ledger.ts';

/** For so long a cancel can be undone: what happened since is looked through for what came of it. */
export const UNDO_WINDOW_MS = 3600 * 1000;

type Withdrawal = StoredEvent & { readonly event: Extract<JobEvent, { kind: 'withdrawn' }> };
type Undone = Extract<JobEvent, { kind: 'undone' }>;

export interface UndoOptions {
  readonly ledger: Ledger;
  /** How a dependency stands, as a status. */
  readonly statusOf: (dependency: Dependency) => JobStatus;
  readonly clock: Clock;
}

/**
 * Takes back that a waiting job was cancelled: it waits again as if that had not happened, and so does what was cancelled
 * because of it. All in one transaction.
 */
export class Undo {
  private readonly options: UndoOptions;

  constructor(options: UndoOptions) {
    this.options = options;
  }

  /** @throws {ConflictError} saying why that would not be right any more; nothing was changed then. */
  job(jobId: number): Job {
    this.restore([this.withdrawalOf(jobId)]);
    return this.options.ledger.get(jobId);
  }

  /**
   * Those jobs of an array that were withdrawn together last.
   * @returns their numbers, and those of what was cancelled because of them.
   * @throws {ConflictError} where no job of it can be put back.
   */
  array(jobs: readonly Job[]): number[] {
    const found: Withdrawal[] = [];
    let trouble: unknown = new ConflictError('no job of it was cancelled', 'there is nothing to undo');
    for (const { id, status } of jobs) {
      if (status !== 'cancelled') continue;
      try {
        found.push(this.withdrawalOf(id));
      } catch (error) {
        trouble = error;
      }
    }
    if (found.length === 0) throw trouble;
    const last = found.reduce((a, b) => (b.seq > a.seq ? b : a));
    const { together } = last.event;
    return this.restore(
      together === undefined ? [last] : found.filter(({ event }) => event.together === together),
    );
  }

  private withdrawalOf(jobId: number): Withdrawal {
    const { ledger, clock } = this.options;
    const job = ledger.get(jobId);
    const last = ledger.read.lastEvent(jobId);
    const retry = `stint retry ${jobId} puts it back as another attempt`;
    if (job.status !== 'cancelled')
      throw new ConflictError(
        `job ${jobId} is ${job.status}`,
        'only the cancel of a waiting job can be undone',
      );
    if (last?.event.kind !== 'withdrawn')
      throw new ConflictError(`job ${jobId} ran when it was cancelled`, retry);
    if (last.actor !== 'person')
      throw new ConflictError(
        `job ${jobId} was cancelled because ${last.event.reason}`,
        'undo or retry that first',
      );
    const agoMs = clock.nowMs() - last.atMs;
    if (agoMs > UNDO_WINDOW_MS) {
      const window = formatDuration(UNDO_WINDOW_MS);
      throw new ConflictError(
        `job ${jobId} was cancelled ${formatDuration(agoMs)} ago, which can be undone for ${window}`,
        retry,
      );
    }
    return last as Withdrawal;
  }

  /** @returns the numbers of all that wait again. */
  private restore(withdrawals: readonly Withdrawal[]): number[] {
    const { ledger } = this.options;
    const back = new Map<number, Job>();
    const mayStart = (job: Job): string | null => {
      const found = impossible(job, (one) => this.statusOf(one, back));
      return found === null ? null : `#${found.dependency.jobId} is ${found.status}`;
    };
    for (const { jobId } of withdrawals) {
      const job = ledger.get(jobId);
      const never = mayStart(job);
      if (never !== null)
        throw new ConflictError(`job ${jobId} could not start any more: ${never}`, 'retry that job first');
      back.set(jobId, job);
    }
    const since = ledger.read.eventsSince(Math.min(...withdrawals.map(({ seq }) => seq)), [
      'launching',
      'handed',
      'withdrawn',
    ]);
    const entries = withdrawals.map((one) => this.undoing(one));
    for (const entry of since) {
      const job = ledger.get(entry.jobId);
      if (back.has(job.id) || !waitsForAny(job, back)) continue;
      // An attempt that began because of this cannot be taken back.
      if (entry.event.kind === 'launching' || entry.event.kind === 'handed') throw goneOn(job, back);
      if (job.status !== 'cancelled' || entry.actor === 'person' || mayStart(job) !== null) continue;
      if (ledger.read.lastEvent(job.id)?.seq !== entry.seq) continue;
      back.set(job.id, job);
      entries.push(this.undoing(entry as Withdrawal));
    }
    ledger.appendTogether(entries, 'person');
    return [...back.keys()];
  }

  /** What the job was before, from its events. */
  private undoing({ jobId, seq }: Withdrawal): { jobId: number; event: Undone } {
    const [first, ...events] = this.options.ledger.read.events(jobId);
    if (first?.event.kind !== 'submitted') throw new Error(`job ${jobId} does not begin with its submission`);
    let folded: Folded = { job: createJob(jobId, first.event, first.atMs), stoppingAs: null };
    for (const { event, atMs, seq: at } of events) if (at < seq) folded = applyEvent(folded, event, atMs);
    const { status, cause, diagnosis, pausedBy, pauseMethod } = folded.job;
    if (status !== 'queued' && status !== 'held')
      throw new Error(`job ${jobId} was ${status} when withdrawn`);
    return { jobId, event: { kind: 'undone', status, cause, diagnosis, pausedBy, pauseMethod } };
  }

  private statusOf(dependency: Dependency, back: ReadonlyMap<number, Job>): JobStatus {
    return namesAny(dependency, back) ? 'queued' : this.options.statusOf(dependency);
  }
}

const waitsForAny = ({ after }: Job, back: ReadonlyMap<number, Job>): boolean =>
  after.some((one) => namesAny(one, back));

const namesAny = ({ jobId, array }: Dependency, back: ReadonlyMap<number, Job>): boolean =>
  array ? [...back.values()].some((job) => job.array?.id === jobId) : back.has(jobId);

function goneOn(job: Job, back: ReadonlyMap<number, Job>): ConflictError {
  const of = job.after.find((one) => namesAny(one, back))!.jobId;
  return new ConflictError(
    `job ${job.id} has started since, because #${of} was cancelled`,
    `stint retry ${of} puts it back as another attempt`,
  );
}
