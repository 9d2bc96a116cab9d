import { impossible } from '../../domain/dependencies.ts';
import { ConflictError } from '../../domain/errors.ts';
import type { Job, JobStatus } from '../../domain/job.ts';
import { applyEvent, createJob, type Folded, type JobEvent } from '../../domain/lifecycle.ts';
import type { Dependency } from '../../domain/terms.ts';
import { formatDuration } from '../../domain/units.ts';
import type { Clock } from '../ports.ts';
import type { StoredEvent } from '../store/jobStore.ts';
import type { Ledger } from './ledger.ts';

/** For so long a cancel or a move can be undone: what happened since is looked through for what came of it. */
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
 * Takes back what a person did to a waiting job. One that was cancelled waits again as if that had not happened, and so does what
 * was cancelled because of it, all in one transaction. One that was moved in the queue has the place that it had before its last
 * move that was not taken back.
 */
export class Undo {
  private readonly options: UndoOptions;

  constructor(options: UndoOptions) {
    this.options = options;
  }

  /** @throws {ConflictError} saying why that would not be right any more; nothing was changed then. */
  job(jobId: number): Job {
    const { status } = this.options.ledger.get(jobId);
    if (status === 'queued' || status === 'held') return this.moveBack(jobId);
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
        'only that a waiting job was cancelled or moved can be undone',
      );
    if (last?.event.kind !== 'withdrawn')
      throw new ConflictError(`job ${jobId} ran when it was cancelled`, retry);
    if (last.actor !== 'person')
      throw new ConflictError(
        `job ${jobId} was cancelled because ${last.event.reason}`,
        'undo or retry that first',
      );
    checkWindow(`job ${jobId} was cancelled`, clock.nowMs() - last.atMs, retry);
    return last as Withdrawal;
  }

  private moveBack(jobId: number): Job {
    const { ledger, clock } = this.options;
    /** Where it was before each move that stands, and when that was. */
    const moves: { rank: number; moved: boolean; atMs: number }[] = [];
    for (const [{ job }, { event, atMs }] of this.foldedBefore(jobId)) {
      if (event.kind !== 'moved') continue;
      if (event.back === undefined) moves.push({ rank: job.rank, moved: job.moved, atMs });
      else moves.pop();
    }
    const last = moves.at(-1);
    if (last === undefined)
      throw new ConflictError(
        `job ${jobId} waits and was not moved`,
        'only that a waiting job was cancelled or moved can be undone',
      );
    checkWindow(`job ${jobId} was moved`, clock.nowMs() - last.atMs, `stint move ${jobId} puts it elsewhere`);
    const { rank, moved } = last;
    return ledger.append(jobId, { kind: 'moved', rank, back: { moved } }, 'person');
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
    const [before] = this.foldedBefore(jobId).find(([, { seq: at }]) => at === seq)!;
    const { status, cause, diagnosis, pausedBy, pauseMethod } = before.job;
    if (status !== 'queued' && status !== 'held')
      throw new Error(`job ${jobId} was ${status} when withdrawn`);
    return { jobId, event: { kind: 'undone', status, cause, diagnosis, pausedBy, pauseMethod } };
  }

  /** Each event of the job after its submission, with how the job stood until then. */
  private foldedBefore(jobId: number): [before: Folded, entry: StoredEvent][] {
    const [first, ...entries] = this.options.ledger.read.events(jobId);
    if (first?.event.kind !== 'submitted') throw new Error(`job ${jobId} does not begin with its submission`);
    let folded: Folded = { job: createJob(jobId, first.event, first.atMs), stoppingAs: null };
    return entries.map((entry) => {
      const before = folded;
      folded = applyEvent(folded, entry.event, entry.atMs);
      return [before, entry];
    });
  }

  private statusOf(dependency: Dependency, back: ReadonlyMap<number, Job>): JobStatus {
    return namesAny(dependency, back) ? 'queued' : this.options.statusOf(dependency);
  }
}

/** @throws {ConflictError} when it is too long ago. */
function checkWindow(what: string, agoMs: number, remedy: string): void {
  if (agoMs <= UNDO_WINDOW_MS) return;
  const window = formatDuration(UNDO_WINDOW_MS);
  throw new ConflictError(`${what} ${formatDuration(agoMs)} ago, which can be undone for ${window}`, remedy);
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
