import { NotFoundError } from '../../domain/errors.ts';
import { isLive, isTerminal, type Job, type JobSpec } from '../../domain/job.ts';
import { type Actor, applyEvent, createJob, type Folded, type JobEvent } from '../../domain/lifecycle.ts';
import type { Clock } from '../ports.ts';
import type { Database } from '../store/database.ts';
import { type JobReader, jobReader, jobWriter, type StoredEvent } from '../store/jobStore.ts';

export type LedgerListener = (entry: StoredEvent, job: Job, before: Job | null) => void;

/**
 * The only writer of jobs. Every change is an event, appended in one transaction with its projection; nothing
 * is told to anybody before it is committed. Jobs that are not over are kept in memory.
 */
export class Ledger {
  readonly read: JobReader;
  private readonly write: ReturnType<typeof jobWriter>;
  private readonly unfinished = new Map<number, Folded>();
  private readonly listeners = new Set<LedgerListener>();
  private readonly db: Database;
  private readonly clock: Clock;
  private seqNow: number;
  private liveSeqNow = 0;

  constructor(db: Database, clock: Clock) {
    this.db = db;
    this.clock = clock;
    this.read = jobReader(db);
    this.write = jobWriter(db);
    for (const folded of this.read.unfinished()) this.unfinished.set(folded.job.id, folded);
    this.seqNow = this.read.lastSeq();
  }

  /** The sequence number of the last event. */
  get seq(): number {
    return this.seqNow;
  }

  /** The sequence number of the last event of a job that had a process or has one: others leave holdings as they are. */
  get liveSeq(): number {
    return this.liveSeqNow;
  }

  submit(spec: JobSpec, actor: Actor = 'person'): Job {
    const atMs = this.clock.nowMs();
    const event: Extract<JobEvent, { kind: 'submitted' }> = { kind: 'submitted', spec };
    const { folded, seq } = this.db.transaction(() => {
      const id = this.write.allocateId(atMs);
      const made: Folded = { job: createJob(id, event, atMs), stoppingAs: null };
      this.write.project(made);
      return { folded: made, seq: this.write.append(id, event, actor, atMs) };
    })();
    this.unfinished.set(folded.job.id, folded);
    this.tell({ seq, jobId: folded.job.id, atMs, actor, event }, folded.job, null);
    return folded.job;
  }

  /**
   * Records that `event` happened to the job.
   * @param atMs when, if that was before now (an exit code that was found later).
   * @throws {NotFoundError} @throws {IllegalTransitionError} with nothing written.
   */
  append(jobId: number, event: JobEvent, actor: Actor, atMs: number = this.clock.nowMs()): Job {
    const before = this.unfinished.get(jobId) ?? this.read.get(jobId);
    if (before === null) throw noSuchJob(jobId);
    const after = applyEvent(before, event, atMs);
    const seq = this.db.transaction(() => {
      this.write.project(after);
      if (event.kind === 'launching') this.write.openAllocations(after.job, atMs);
      if (isLive(before.job.status) && !isLive(after.job.status)) {
        this.write.closeAllocations(jobId, after.job.finishedAtMs ?? atMs);
      }
      return this.write.append(jobId, event, actor, atMs);
    })();
    if (isTerminal(after.job.status)) this.unfinished.delete(jobId);
    else this.unfinished.set(jobId, after);
    if (isLive(before.job.status) || isLive(after.job.status)) this.liveSeqNow = seq;
    this.tell({ seq, jobId, atMs, actor, event }, after.job, before.job);
    return after.job;
  }

  /** @throws {NotFoundError} */
  get(jobId: number): Job {
    const found = this.unfinished.get(jobId) ?? this.read.get(jobId);
    if (found === null) throw noSuchJob(jobId);
    return found.job;
  }

  /** Jobs that are not over, by rank. */
  current(): Job[] {
    return [...this.unfinished.values()]
      .map((folded) => folded.job)
      .sort((a, b) => a.rank - b.rank || a.id - b.id);
  }

  /** Jobs that have, or may have, a process. */
  live(): Job[] {
    return this.current().filter((job) => isLive(job.status));
  }

  /** Called after each commit, in order. */
  onEvent(listener: LedgerListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(entry: StoredEvent, job: Job, before: Job | null): void {
    this.seqNow = entry.seq;
    for (const listener of this.listeners) listener(entry, job, before);
  }
}

function noSuchJob(jobId: number): NotFoundError {
  return new NotFoundError('job', jobId, 'stint ls shows the jobs that there are');
}
