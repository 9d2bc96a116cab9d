import { standingOf, waitsFor } from '../../../domain/dependencies.ts';
import { messageOf } from '../../../domain/errors.ts';
import { isTerminal, type Job } from '../../../domain/job.ts';
import { localTime } from '../../scheduling/localTime.ts';
import { SlurmError } from './commands.ts';
import { markOf, type SlurmContext } from './context.ts';
import { batchScript, placeSupervisor, sbatchArguments, sharedRun, writeTask } from './submission.ts';

/** What Slurm says when a user has as many jobs as he may: later there is room again. */
const FULL = /submit limit|MaxSubmit|job limit|too many|limit.*(reached|exceeded)/i;
/** Of a default Slurm; what it says itself counts. */
const MAX_ARRAY_SIZE = 1001;
/** Fewer in one go, so that what runs is looked at in between. */
const MOST_AT_ONCE = 25;

/** After that it is tried again so late. */
const FULL_REST_MS = 30_000;

type After = Parameters<typeof sbatchArguments>[0]['after'];

/** Hands jobs over to Slurm: each once, and what can be one array as one. */
export class HandOver {
  readonly #context: SlurmContext;
  readonly #onTaken: (jobId: number) => void;
  #supervisor: string | null = null;
  #fullUntilMs = 0;

  /** @param onTaken Slurm said that it has this job. */
  constructor(context: SlurmContext, onTaken: (jobId: number) => void) {
    this.#context = context;
    this.#onTaken = onTaken;
  }

  /**
   * @param waiting jobs that were not handed over, in the order in which they are to be.
   * @param room no more than so many.
   * @returns whether there is more to do at once.
   * @throws {SlurmError} in an outage: what was under way is looked for when it is over.
   */
  async run(waiting: readonly Job[], room: number): Promise<boolean> {
    const { ledger, reasons, isStopped, clock } = this.#context;
    if (clock.monotonicMs() < this.#fullUntilMs) return false;
    const ready = waiting.filter((job) => this.#isReady(job));
    let left = room;
    let submissions = 0;
    for (const batch of this.#batchesOf(ready)) {
      if (isStopped()) return false;
      // What happened since: a person may have cancelled or held it.
      const jobs = batch
        .map(({ id }) => ledger.get(id))
        .filter((job) => job.status === 'queued' && job.remote === null)
        .slice(0, left);
      if (left <= 0) {
        for (const { id } of batch)
          reasons.set(id, 'as many as may be are pending there: it is handed over when one of them starts');
        continue;
      }
      if (submissions === MOST_AT_ONCE) return true;
      if (jobs.length === 0) continue;
      left -= jobs.length;
      submissions++;
      await this.#submit(jobs);
      if (clock.monotonicMs() < this.#fullUntilMs) return false;
    }
    return false;
  }

  /** Withdraws what can never start. */
  #isReady(job: Job): boolean {
    const { ledger, readiness, reasons, clock } = this.#context;
    const never = readiness.neverStarts(job);
    if (never !== null) {
      ledger.append(job.id, { kind: 'withdrawn', reason: never }, 'engine');
      return false;
    }
    const { retryWait } = job;
    const nowMs = clock.nowMs();
    if (retryWait !== null && retryWait.fromMs <= nowMs && nowMs < retryWait.untilMs) {
      const next = localTime(retryWait.untilMs);
      reasons.set(job.id, `attempt ${job.attempt}: ${retryWait.because}; the next is at ${next}`);
      return false;
    }
    if (this.#after(job) === null) {
      reasons.set(job.id, waitsFor(this.#open(job)));
      return false;
    }
    // Those that are tried again are in no array there that would count them.
    if (job.attempt > 0 && readiness.roomInArray(job) === 0) {
      reasons.set(job.id, `of its array, ${job.array!.atMost} run at once`);
      return false;
    }
    reasons.delete(job.id);
    return true;
  }

  #open(job: Job): Job['after'] {
    const { readiness } = this.#context;
    return job.after.filter((one) => standingOf(one, readiness.statusOf(one)) === 'open');
  }

  /** What Slurm itself can wait for; null: something else is to be over first. */
  #after(job: Job): After | null {
    const { ledger, config } = this.#context;
    const after: { on: Job['after'][number]['on']; ids: string[] }[] = [];
    for (const { jobId, on, array } of this.#open(job)) {
      // `afternotok` of several wants all of them to fail.
      if (array && on === 'not-ok') return null;
      const jobs = array ? ledger.read.arrayJobs(jobId) : [ledger.get(jobId)];
      const ids: string[] = [];
      for (const { id } of jobs) {
        const other = ledger.get(id);
        if (isTerminal(other.status)) continue;
        // One that may be tried again is another job there each time.
        const there = other.executor?.split(':')[0] === config().name && other.retries === 0;
        if (!there || other.remote?.id == null) return null;
        ids.push(other.remote.id);
      }
      if (ids.length > 0) after.push({ on, ids });
    }
    return after;
  }

  /** Jobs of one array that are to be launched for the first time go as one, whole. */
  #batchesOf(ready: readonly Job[]): Job[][] {
    const most = this.#context.facts()?.maxArraySize ?? MAX_ARRAY_SIZE;
    const batches: Job[][] = [];
    const arrays = new Map<number, Job[]>();
    for (const job of ready) {
      if (job.array === null || job.attempt > 0 || job.array.index >= most) {
        batches.push([job]);
        continue;
      }
      const known = arrays.get(job.array.id);
      if (known === undefined) {
        const batch = [job];
        arrays.set(job.array.id, batch);
        batches.push(batch);
      } else known.push(job);
    }
    return batches;
  }

  async #submit(jobs: readonly Job[]): Promise<void> {
    const { ledger, commands, config, places, clock, reveal, env } = this.#context;
    const asArray = jobs.length > 1;
    const sorted = asArray ? jobs.toSorted((a, b) => a.array!.index - b.array!.index) : [...jobs];
    const first = sorted[0]!;
    const after = this.#after(first);
    if (after === null) return;
    const token = `${markOf(places)}${first.id}.${first.attempt + 1}`;
    const handed = ledger.appendTogether(
      sorted.map((job) => ({
        jobId: job.id,
        event: {
          kind: 'handed' as const,
          attempt: job.attempt + 1,
          token,
          index: asArray ? job.array!.index : null,
        },
      })),
      'engine',
    );
    let script: string;
    try {
      this.#supervisor ??= placeSupervisor(places, config());
      for (const job of handed) writeTask(reveal(job), places, config(), env);
      const runs = new Map(
        handed.map((job) => [
          asArray ? job.array!.index : null,
          sharedRun(places, config(), job.id, job.attempt),
        ]),
      );
      script = batchScript(runs, this.#supervisor);
    } catch (error) {
      return this.#handBack(
        handed,
        `it could not be written down for ${config().name}: ${messageOf(error)}`,
        true,
      );
    }
    const args = sbatchArguments(
      {
        job: handed[0]!,
        token,
        indices: asArray ? handed.map(({ array }) => array!.index) : null,
        after,
        nice: Math.max(0, -first.priority),
        nowMs: clock.nowMs(),
      },
      config(),
    );
    try {
      const said = await commands.run('sbatch', args, script);
      const id = /^(\d+)(;[^\n]*)?$/m.exec(said)?.[1];
      // It may have it all the same: it is looked for there.
      if (id === undefined)
        throw new SlurmError(
          `sbatch answered with something else than a number: ${said.slice(0, 80)}`,
          'unknown',
        );
      if (this.#context.isStopped()) return;
      this.#took(handed, id);
    } catch (error) {
      if (this.#context.isStopped()) return;
      if (!(error instanceof SlurmError) || error.outcome === 'unknown') throw error;
      const full = error.outcome === 'refused' && FULL.test(error.message);
      const refused = error.outcome === 'refused' && !full;
      this.#handBack(
        handed,
        refused ? `${config().name} refused it: ${error.message}` : error.message,
        refused,
      );
      if (error.outcome === 'missing') throw error;
      if (!full) return;
      this.#fullUntilMs = clock.monotonicMs() + FULL_REST_MS;
      for (const { id } of handed)
        this.#context.reasons.set(id, `${config().name} takes no more now: ${error.message}`);
    }
  }

  #took(jobs: readonly Job[], id: string): void {
    const { ledger } = this.#context;
    ledger.appendTogether(
      jobs
        .map((job) => ledger.get(job.id))
        // A look at the queue may have found it first.
        .filter(({ remote }) => remote !== null && remote.id === null)
        .map(({ id: jobId, remote }) => ({
          jobId,
          event: {
            kind: 'taken' as const,
            remoteId: remote!.index === null ? id : `${id}_${remote!.index}`,
          },
        })),
      'engine',
    );
    for (const { id: jobId } of jobs) this.#onTaken(jobId);
  }

  #handBack(jobs: readonly Job[], reason: string, hold: boolean): void {
    const { ledger } = this.#context;
    ledger.appendTogether(
      jobs.map(({ id }) => ({ jobId: id, event: { kind: 'handed-back' as const, reason, hold } })),
      'engine',
    );
  }
}
