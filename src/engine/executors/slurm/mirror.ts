import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../../domain/errors.ts';
import { isTerminal, type Job } from '../../../domain/job.ts';
import { mayHappen } from '../../../domain/lifecycle.ts';
import { ProgressFollower } from '../../jobs/progressFollower.ts';
import { RunDirectory } from '../../jobs/runDirectory.ts';
import { SlurmError } from './commands.ts';
import { markOf, type SlurmContext } from './context.ts';
import { endOf } from './endOf.ts';
import { meaningOf, readAccount, readEnd, type SlurmEnd, type SlurmRow } from './queue.ts';

/** A submission of which nobody knows what came of it may reach Slurm so late. */
const LATE_MS = 6000;
/** An exit code may reach this machine so late, from nodes that share a directory with it. */
const EXIT_PATIENCE_MS = 15_000;
/** Slurm hears so late at most that a job is over, unless word of that is lost: with a controller that was killed, say. */
const WORD_MS = 60_000;
/** What is told to end is told again after this time. */
const AGAIN_MS = 10_000;

interface Seen {
  /** When Slurm last said that it has it, on the monotonic clock; null: not to this engine. */
  atMs: number | null;
  /** Whether it was in the queue, and not only taken as sbatch said. */
  inQueue: boolean;
  /** Since when it has not been there. */
  missingSinceMs: number | null;
  /** Since when its own exit code has been there; null: it is not. */
  exitSinceMs: number | null;
  toldAtMs: number;
  /** When a person last did something to it there: older news of it is none. */
  touchedAtMs: number;
}

/** Brings the record of jobs in line with what Slurm says of them. */
export class Mirror {
  readonly #context: SlurmContext;
  readonly #seen = new Map<number, Seen>();
  /** Jobs that were lost before they were ever in the queue: believed of a controller that was killed, but not twice running. */
  readonly #lostAtOnce = new Set<number>();
  readonly #progress: ProgressFollower;

  constructor(context: SlurmContext) {
    this.#context = context;
    const { ledger, clock } = context;
    this.#progress = new ProgressFollower({ ledger, clock, logPath: (job) => this.#runOf(job).logPath });
  }

  /** Slurm said just now that it has it: what it knows nothing of a moment later, it has lost. */
  taken(jobId: number): void {
    this.#of(jobId).atMs = this.#context.clock.monotonicMs();
  }

  touched(jobId: number): void {
    this.#of(jobId).touchedAtMs = this.#context.clock.monotonicMs();
  }

  /**
   * @param jobs that were handed over and are not over.
   * @param rows what Slurm remembers. @param askedAtMs when it was asked, on the monotonic clock.
   * @throws {SlurmError} in an outage.
   */
  async reconcile(jobs: readonly Job[], rows: readonly SlurmRow[], askedAtMs: number): Promise<void> {
    const { ledger, places, log } = this.#context;
    const mark = markOf(places);
    const byMark = new Map<string, SlurmRow>();
    for (const row of rows) if (row.token.startsWith(mark)) byMark.set(keyOf(row.token, row.index), row);
    for (const { id } of jobs) {
      if (this.#context.isStopped()) return;
      const job = ledger.get(id);
      if (isTerminal(job.status) || job.remote === null) continue;
      const { token, index } = job.remote;
      const row = byMark.get(keyOf(token, index));
      try {
        if (row === undefined) await this.#missing(job);
        else await this.#found(job, row, askedAtMs);
      } catch (error) {
        if (error instanceof SlurmError) throw error;
        log.error(`job ${id} could not be looked at; it is tried again`, { error: messageOf(error) });
      }
      byMark.delete(keyOf(token, index));
    }
    await this.#endStrays([...byMark.values()]);
  }

  /** Tells Slurm to end it; that is tried again until it is over. */
  async end(job: Job): Promise<void> {
    const id = job.remote?.id;
    const seen = this.#of(job.id);
    const { clock, commands, log } = this.#context;
    if (id == null || clock.monotonicMs() - seen.toldAtMs < AGAIN_MS) return;
    seen.toldAtMs = clock.monotonicMs();
    try {
      await commands.run('scancel', [id]);
    } catch (error) {
      seen.toldAtMs = Number.NEGATIVE_INFINITY;
      log.warn(`job ${job.id} could not be cancelled in Slurm; it is tried again`, {
        error: messageOf(error),
      });
    }
  }

  #of(jobId: number): Seen {
    let seen = this.#seen.get(jobId);
    if (seen === undefined) {
      seen = {
        atMs: null,
        inQueue: false,
        missingSinceMs: null,
        exitSinceMs: null,
        toldAtMs: Number.NEGATIVE_INFINITY,
        touchedAtMs: Number.NEGATIVE_INFINITY,
      };
      this.#seen.set(jobId, seen);
    }
    return seen;
  }

  async #found(given: Job, row: SlurmRow, askedAtMs: number): Promise<void> {
    const { ledger, reasons, config } = this.#context;
    const seen = this.#of(given.id);
    seen.atMs = askedAtMs;
    seen.inQueue = true;
    seen.missingSinceMs = null;
    let job = given;
    if (job.remote!.id === null) {
      job = ledger.append(job.id, { kind: 'taken', remoteId: row.id }, 'engine');
    }
    const fresh = seen.touchedAtMs < askedAtMs;
    const meaning = meaningOf(row.state);
    if (meaning === 'over') return this.#conclude(job, row, row);
    if (job.status === 'stopping') await this.end(job);
    if (meaning === 'pending') {
      if (job.startedAtMs !== null && mayHappen(job.status, 'requeued')) {
        const reason = `${config().name} took it off its machines, and it waits there again`;
        job = ledger.append(job.id, { kind: 'requeued', reason }, 'engine');
      }
      const heldThere = /held/i.test(row.reason);
      if (fresh && heldThere && job.status === 'queued') ledger.append(job.id, { kind: 'held' }, 'engine');
      if (fresh && !heldThere && job.status === 'held') ledger.append(job.id, { kind: 'released' }, 'engine');
      reasons.set(job.id, `${config().name}, job ${row.id}: ${reasonText(row.reason)}`);
      return;
    }
    reasons.delete(job.id);
    if (meaning === 'ending') return;
    job = this.#begun(job, row);
    if (this.#isLongOver(job, seen)) {
      const { exitCode } = this.#runOf(job).exit()!;
      return this.#conclude(job, { state: exitCode === 0 ? 'COMPLETED' : 'FAILED', reason: '' }, row);
    }
    if (fresh && meaning === 'suspended' && job.status === 'running') {
      ledger.append(job.id, { kind: 'paused', method: 'slurm', holdsVram: job.gpus > 0 }, 'engine');
    }
    if (fresh && meaning === 'running' && job.status === 'paused') {
      ledger.append(job.id, { kind: 'resumed' }, 'engine');
    }
    if (job.status === 'running') this.#progress.follow(job);
  }

  /** It has said itself how it ended, and Slurm does not get to know. What it has left there is cancelled as a stray. */
  #isLongOver(job: Job, seen: Seen): boolean {
    if (this.#runOf(job).exit() === null) {
      seen.exitSinceMs = null;
      return false;
    }
    const nowMs = this.#context.clock.monotonicMs();
    seen.exitSinceMs ??= nowMs;
    return nowMs - seen.exitSinceMs >= WORD_MS;
  }

  #begun(job: Job, row: Pick<SlurmRow, 'startMs' | 'nodes'>): Job {
    if (job.startedAtMs !== null) return job;
    const { ledger, clock } = this.#context;
    const nowMs = clock.nowMs();
    // Its clock may not be ours.
    const atMs = Math.max(job.submittedAtMs, Math.min(row.startMs ?? nowMs, nowMs));
    return ledger.append(job.id, { kind: 'began', nodes: [...row.nodes] }, 'engine', atMs);
  }

  #runOf({ id, attempt }: Job): RunDirectory {
    return new RunDirectory(this.#context.places.runPath(id, attempt));
  }

  /** @param row as it was in the queue; null: it is not there any more. */
  async #conclude(given: Job, end: Pick<SlurmEnd, 'state' | 'reason'>, row: SlurmRow | null): Promise<void> {
    const { ledger, commands, readiness, config, clock, log } = this.#context;
    const run = this.#runOf(given);
    // Without a node it never ran, or not again after it was put back: what lies there is of the time before.
    const ran = row === null ? run.supervisor() !== null : row.nodes.length > 0;
    const exit = ran ? run.exit() : null;
    const known = 'exitCode' in end ? (end.exitCode as number | null) : null;
    const told =
      exit === null && ran && row !== null ? ((await readEnd(commands, row.id))?.exitCode ?? null) : known;
    if (this.#context.isStopped()) return;
    let job = ledger.get(given.id);
    if (isTerminal(job.status) || job.remote?.token !== given.remote?.token) return;
    if (ran) job = this.#begun(job, { startMs: row?.startMs ?? null, nodes: row?.nodes ?? [] });
    const nowMs = clock.nowMs();
    const endedMs = Math.min(exit?.atMs ?? row?.endMs ?? nowMs, nowMs);
    const atMs = Math.max(job.startedAtMs ?? job.submittedAtMs, endedMs);
    if (job.status === 'running') this.#progress.follow(job, true);
    const event = endOf(ledger.get(job.id), {
      state: end.state,
      reason: end.reason,
      exitCode: exit?.exitCode ?? told,
      seen: exit !== null,
      run,
      never: readiness.neverStarts(job),
      executor: config().name,
      atMs,
      ledger,
      log,
    });
    ledger.append(job.id, event, 'process', atMs);
    forgetTask(run);
    this.#lostAtOnce.delete(job.id);
    this.#forget(job.id);
  }

  /** It is not in the queue: not there yet, forgotten, or never there. */
  async #missing(job: Job): Promise<void> {
    const { ledger, commands, clock, config, facts } = this.#context;
    const seen = this.#of(job.id);
    const nowMs = clock.monotonicMs();
    seen.missingSinceMs ??= nowMs;
    const missingMs = nowMs - seen.missingSinceMs;
    const run = this.#runOf(job);
    const id = job.remote!.id ?? slurmIdIn(run, job);
    if (id === null) {
      if (missingMs < LATE_MS) return;
      const reason = `${config().name} does not have it: it is handed over again`;
      if (run.claim()) this.#handedBack(job, reason, false);
      return;
    }
    if (job.remote!.id === null) {
      ledger.append(job.id, { kind: 'taken', remoteId: id }, 'engine');
      return;
    }
    const exit = run.exit();
    const account = await readAccount(commands, id);
    if (this.#context.isStopped()) return;
    if (account !== null && meaningOf(account.state) === 'over') return this.#conclude(job, account, null);
    if (account !== null) return;
    if (exit !== null) {
      return this.#conclude(job, { state: exit.exitCode === 0 ? 'COMPLETED' : 'FAILED', reason: '' }, null);
    }
    if (missingMs < LATE_MS) return;
    if (run.claim()) {
      // What was there a moment ago, and is not even remembered as over, Slurm has lost. What was not looked at for long may
      // have been cancelled there meanwhile.
      const rememberedMs = ((facts()?.minJobAgeS ?? 300) / 2) * 1000;
      const believed = seen.inQueue || !this.#lostAtOnce.has(job.id);
      const lost = believed && seen.atMs !== null && seen.missingSinceMs - seen.atMs < rememberedMs;
      if (lost && !seen.inQueue) this.#lostAtOnce.add(job.id);
      else this.#lostAtOnce.delete(job.id);
      const name = config().name;
      this.#handedBack(
        job,
        lost
          ? `${name} has lost it before it ran: it is handed over again`
          : `${name} knows nothing of it any more, and it never ran: released, it is handed over again`,
        !lost,
      );
      return;
    }
    if (missingMs < EXIT_PATIENCE_MS) return;
    await this.#conclude(job, { state: 'FORGOTTEN', reason: '' }, null);
  }

  #handedBack(job: Job, reason: string, hold: boolean): void {
    this.#context.ledger.append(job.id, { kind: 'handed-back', reason, hold }, 'engine');
    forgetTask(this.#runOf(job));
    this.#forget(job.id);
  }

  #forget(jobId: number): void {
    this.#seen.delete(jobId);
    this.#progress.forget(jobId);
    this.#context.reasons.delete(jobId);
  }

  /** What Slurm got after it was given up on: it would run nothing, and need not wait for that. */
  async #endStrays(rows: readonly SlurmRow[]): Promise<void> {
    const { commands, log } = this.#context;
    const strays = rows.filter(({ state }) => ['pending', 'running', 'suspended'].includes(meaningOf(state)));
    if (strays.length === 0) return;
    const ids = strays.map(({ id }) => id);
    log.warn('Slurm has jobs that were given up on: they are cancelled there', { ids: ids.join(' ') });
    try {
      await commands.run('scancel', ids);
    } catch (error) {
      log.warn('they could not be cancelled; it is tried again', { error: messageOf(error) });
    }
  }
}

/** It may hold secrets, and is of no use any more. */
const forgetTask = ({ path }: RunDirectory): void => rmSync(join(path, 'task.sh'), { force: true });

const keyOf = (token: string, index: number | null): string => `${token} ${index ?? ''}`;

/** As the job itself wrote it down when it began. */
function slurmIdIn(run: RunDirectory, { remote }: Job): string | null {
  try {
    const id = readFileSync(join(run.path, 'slurm'), 'utf8').trim();
    return /^\d+$/.test(id) && remote !== null ? id : null;
  } catch {
    // It never began.
    return null;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  None: 'Slurm has not looked at it yet',
  Priority: 'others go first there',
  Resources: 'it waits for resources there',
  Dependency: 'it waits for another job there',
  BeginTime: 'its time has not come',
  JobHeldUser: 'held there',
  JobHeldAdmin: 'held there by an administrator',
  JobArrayTaskLimit: 'its array runs as many at once as it may',
  PartitionDown: 'the partition is down',
  ReqNodeNotAvail: 'nodes that it asks for are not available',
};
const reasonText = (reason: string): string => REASONS[reason] ?? `Slurm says ${reason}`;
