import type { ArrayMember } from '../../domain/array.ts';
import { noSuchArray, noSuchDependency } from '../../domain/dependencies.ts';
import type { Deputy } from '../../domain/deputy.ts';
import { NotFoundError } from '../../domain/errors.ts';
import { isLive, isTerminal, type Job, type JobSpec } from '../../domain/job.ts';
import { type Actor, applyEvent, createJob, type Folded, type JobEvent } from '../../domain/lifecycle.ts';
import { firstWhere } from '../../domain/sorted.ts';
import type { Dependency } from '../../domain/terms.ts';
import type { Clock } from '../ports.ts';
import type { Database } from '../store/database.ts';
import { type JobReader, jobReader, jobWriter, type StoredEvent } from '../store/jobStore.ts';
import type { Secrets } from './secrets.ts';

/** A job of an array that is submitted; its array's number is the store's. */
export interface NewMember {
  readonly spec: JobSpec;
  readonly array: Omit<ArrayMember, 'id'>;
}

export type LedgerListener = (entry: StoredEvent, job: Job, before: Job | null) => void;

/**
 * The only writer of jobs. Every change is an event, appended in one transaction with its projection; nothing
 * is told to anybody before it is committed. Jobs that are not over are kept in memory. Secrets end here: what is recorded
 * has none.
 */
export class Ledger {
  readonly read: JobReader;
  private readonly write: ReturnType<typeof jobWriter>;
  private readonly unfinished = new Map<number, Folded>();
  /** The same, by rank: kept in order, since there may be very many and each change touches one. */
  private readonly order: Job[] = [];
  private readonly living = new Map<number, Job>();
  private readonly listeners = new Set<LedgerListener>();
  private readonly db: Database;
  private readonly clock: Clock;
  private readonly secrets: Secrets | null;
  private readonly deputyNow: () => Deputy | null;
  private seqNow: number;
  private liveSeqNow = 0;

  /**
   * @param secrets null: whoever writes (a benchmark, a test) has none.
   * @param deputyNow through whom a person acts at the moment; null: by the person's own hand.
   */
  constructor(
    db: Database,
    clock: Clock,
    secrets: Secrets | null = null,
    deputyNow: () => Deputy | null = () => null,
  ) {
    this.db = db;
    this.clock = clock;
    this.secrets = secrets;
    this.deputyNow = deputyNow;
    this.read = jobReader(db);
    this.write = jobWriter(db);
    for (const folded of this.read.unfinished()) {
      this.unfinished.set(folded.job.id, folded);
      this.order.push(folded.job);
      if (isLiveHere(folded.job)) this.living.set(folded.job.id, folded.job);
    }
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

  /**
   * @param within what else belongs to it is put in its place here, by its number, before the job is there for good.
   * @throws {FieldError} if it would wait for a job that is not there, or has a secret in a path; nothing is written.
   */
  submit(spec: JobSpec, actor: Actor = 'person', within?: (id: number) => void): Job {
    return this.submitTogether([{ spec }], actor, within)[0]!;
  }

  /**
   * All jobs of an array, in one transaction: all of them are there, or none.
   * @throws {FieldError} as `submit`.
   */
  submitArray(members: readonly NewMember[], actor: Actor = 'person', within?: (id: number) => void): Job[] {
    return this.submitTogether(members, actor, within);
  }

  private submitTogether(
    given: readonly { readonly spec: JobSpec; readonly array?: NewMember['array'] }[],
    actor: Actor,
    within: ((id: number) => void) | undefined,
  ): Job[] {
    const { jobs: members, values } = this.secrets?.conceal(given) ?? { jobs: given, values: [] };
    // As many wait for the same.
    const known = new Set<string>();
    for (const { spec } of members) {
      for (const one of spec.after) {
        const key = JSON.stringify(one);
        if (!known.has(key)) this.checkThere(one);
        known.add(key);
      }
    }
    const atMs = this.clock.nowMs();
    const by = this.deputyOf(actor);
    let first: number | null = null;
    const insert = this.db.transaction(() =>
      members.map(({ spec, array }) => {
        const id = this.write.allocateId(atMs);
        // Before the jobs are there: none of them may ever be without its secrets.
        if (first === null && values.length > 0) this.secrets!.vault.write(id, values);
        if (first === null) {
          within?.(id);
          this.write.oweCode(id);
        }
        first ??= id;
        const event: Extract<JobEvent, { kind: 'submitted' }> =
          array === undefined
            ? { kind: 'submitted', spec }
            : { kind: 'submitted', spec, array: { ...array, id: first } };
        const folded: Folded = { job: createJob(id, event, atMs), stoppingAs: null };
        this.write.project(folded);
        if (array !== undefined) this.write.joinArray(id, first);
        const entry = { jobId: id, atMs, actor, by, event };
        return { folded, entry: { ...entry, seq: this.write.append(entry) } };
      }),
    );
    let made: ReturnType<typeof insert>;
    try {
      made = insert();
    } catch (error) {
      if (first !== null && values.length > 0) this.secrets!.vault.forget(first);
      throw error;
    }
    for (const { folded } of made) this.keep(folded, null);
    for (const { folded, entry } of made) this.tell(entry, folded.job, null);
    return made.map(({ folded }) => folded.job);
  }

  /** Whoever calls has nothing to do with what the scheduler or the engine itself does meanwhile. */
  private deputyOf(actor: Actor): Deputy | null {
    return actor === 'person' ? this.deputyNow() : null;
  }

  private checkThere({ jobId, array }: Dependency): void {
    if (array) {
      if (this.read.arrayStanding(jobId).length === 0) throw noSuchArray(jobId);
    } else if (!this.unfinished.has(jobId) && this.read.get(jobId) === null) throw noSuchDependency(jobId);
  }

  /**
   * Records that this happened to the job.
   * @param atMs when, if that was before now (an exit code that was found later).
   * @throws {NotFoundError} @throws {IllegalTransitionError} with nothing written.
   */
  append(jobId: number, event: JobEvent, actor: Actor, atMs: number = this.clock.nowMs()): Job {
    return this.appendTogether([{ jobId, event }], actor, atMs)[0]!;
  }

  /** The same of several jobs, each one once: all of it is recorded, or nothing. */
  appendTogether(
    entries: readonly { readonly jobId: number; readonly event: JobEvent }[],
    actor: Actor,
    atMs: number = this.clock.nowMs(),
  ): Job[] {
    const changes = entries.map(({ jobId, event: happened }) => {
      const before = this.unfinished.get(jobId) ?? this.read.get(jobId);
      if (before === null) throw noSuchJob(jobId);
      const event = this.secrets?.told(before.job, happened) ?? happened;
      return { jobId, event, before, after: applyEvent(before, event, atMs) };
    });
    const by = this.deputyOf(actor);
    const seqs = this.db.transaction(() =>
      changes.map(({ jobId, event, before, after }) => {
        this.write.project(after);
        if (event.kind === 'launching') this.write.openAllocations(after.job, atMs);
        if (isLiveHere(before.job) && !isLiveHere(after.job)) {
          this.write.closeAllocations(jobId, after.job.finishedAtMs ?? atMs);
        }
        return this.write.append({ jobId, atMs, actor, by, event });
      }),
    )();
    changes.forEach(({ before, after }, i) => {
      this.keep(after, before.job);
      if (isLiveHere(before.job) || isLiveHere(after.job)) this.liveSeqNow = seqs[i]!;
    });
    changes.forEach(({ jobId, event, before, after }, i) => {
      this.tell({ seq: seqs[i]!, jobId, atMs, actor, by, event }, after.job, before.job);
    });
    return changes.map(({ after }) => after.job);
  }

  /** @throws {NotFoundError} */
  get(jobId: number): Job {
    const found = this.unfinished.get(jobId) ?? this.read.get(jobId);
    if (found === null) throw noSuchJob(jobId);
    return found.job;
  }

  /** Jobs that are not over, by rank: as they are now, and not after what is done to them. */
  current(): Job[] {
    return [...this.order];
  }

  /** The same without a copy: for whoever changes no job while looking. */
  inOrder(): readonly Job[] {
    return this.order;
  }

  /** What a stopping job will be when it has ended; null: it is not stopping. @throws {NotFoundError} */
  stoppingAs(jobId: number): Folded['stoppingAs'] {
    const found = this.unfinished.get(jobId) ?? this.read.get(jobId);
    if (found === null) throw noSuchJob(jobId);
    return found.stoppingAs;
  }

  /** Jobs that have, or may have, a process on this machine, by rank. */
  live(): Job[] {
    return [...this.living.values()].sort(byRank);
  }

  /** Called after each commit, in order. */
  onEvent(listener: LedgerListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** @param before null: it was not there. */
  private keep(folded: Folded, before: Job | null): void {
    const { job } = folded;
    const over = isTerminal(job.status);
    if (over) this.unfinished.delete(job.id);
    else this.unfinished.set(job.id, folded);
    if (isLiveHere(job)) this.living.set(job.id, job);
    else this.living.delete(job.id);
    const was = before === null || isTerminal(before.status) ? null : before;
    const at = was === null ? -1 : placeOf(this.order, was);
    if (was !== null && !over && was.rank === job.rank) this.order[at] = job;
    else {
      if (was !== null) this.order.splice(at, 1);
      if (!over) this.order.splice(placeOf(this.order, job), 0, job);
    }
  }

  private tell(entry: StoredEvent, job: Job, before: Job | null): void {
    this.seqNow = entry.seq;
    for (const listener of this.listeners) listener(entry, job, before);
  }
}

const isLiveHere = ({ status, executor }: Job): boolean => executor === null && isLive(status);

const byRank = (a: Job, b: Job): number => a.rank - b.rank || a.id - b.id;

/** Where the job stands, or belongs, among jobs by rank. */
const placeOf = (order: readonly Job[], job: Job): number =>
  firstWhere(order, (other) => byRank(other, job) >= 0);

function noSuchJob(jobId: number): NotFoundError {
  return new NotFoundError('job', jobId, 'stint ls shows the jobs that there are');
}
