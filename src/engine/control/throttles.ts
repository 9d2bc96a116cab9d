import { getCompileCacheDir } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConflictError, messageOf } from '../../domain/errors.ts';
import type { Job, Pauser } from '../../domain/job.ts';
import { mayHappen } from '../../domain/lifecycle.ts';
import type { MachineRules } from '../../domain/machineRules.ts';
import type { ThrottleBy } from '../../domain/rungSchemas.ts';
import { type HeldRung, THROTTLE_RUNGS } from '../../domain/rungs.ts';
import { LineProcess } from '../devices/lineProcess.ts';
import type { Ledger } from '../jobs/ledger.ts';
import { signalJob } from '../jobs/processes.ts';
import { ACTOR_OF } from '../jobs/runner.ts';
import type { Log } from '../ports.ts';
import type { DutyOrder, DutyReport } from './dutyLine.ts';
import type { Held } from './heldRungs.ts';

/** This file's sibling, in the form that this file has: `.ts` from source, `.js` when built. */
const CHILD = fileURLToPath(new URL(`./dutyChild${extname(import.meta.url)}`, import.meta.url));
const START_DEADLINE_MS = 20_000;
/** A process that says nothing for so long while it throttles is given up, and its jobs run on until the next. */
const SILENCE_DEADLINE_MS = 10_000;

export interface ThrottlesOptions {
  readonly ledger: Ledger;
  readonly held: Readonly<Record<HeldRung, Held>>;
  /** What the owner chose for where nobody says. */
  readonly rules: () => Pick<MachineRules, 'throttleBy' | 'whenStopped'>;
  readonly log: Log;
}

/**
 * Holds jobs at a share of their speed. What is wanted is recorded with the job first, and this only keeps to it, so that
 * the next engine takes it up again; while none is there, jobs run at full speed, unless the owner wants what the kernel
 * keeps to by itself to stay.
 */
export class Throttles {
  private readonly options: ThrottlesOptions;
  private readonly unsubscribe: () => void;
  /** Jobs that are cycled now. */
  private readonly cycled = new Map<number, Job>();
  /** Jobs that the process was told to leave alone, and may signal until it says so. */
  private readonly leaving = new Set<number>();
  private process: LineProcess | null = null;
  /** What is done to kernel and driver, one after another. */
  private queue: Promise<unknown> = Promise.resolve();

  constructor(options: ThrottlesOptions) {
    this.options = options;
    this.unsubscribe = options.ledger.onEvent(({ event }, job, before) => {
      if (event.kind === 'progressed') return;
      this.follow(job);
      const held = before?.throttle ?? null;
      if (before && held && !(job.throttle?.method === held.method && job.throttle.share === held.share))
        void this.letGo(before);
    });
  }

  /** Takes up what a person told an earlier engine. A guard tells this one again, if its reason still holds. */
  recover(): void {
    for (const job of this.options.ledger.live()) {
      if (job.throttle?.by === 'guard') this.set(job.id, null, 'guard');
      else this.follow(job);
    }
    for (const [method, held] of Object.entries(this.options.held)) {
      const its = this.options.ledger.live().filter(({ throttle }) => throttle?.method === method);
      const ids = new Set(its.map(({ id }) => id));
      const again = [...its.map((job) => () => held.hold(job, job.throttle!.share))];
      if (held.sweep) again.push(async () => held.sweep?.((id) => ids.has(id)));
      for (const step of again) void this.next(step).catch((error: unknown) => this.warn(method, error));
    }
  }

  /**
   * Throttles for a person, by a rung of the ladder: the first that works for the job, or the one that is named.
   * @throws {ConflictError} saying why it cannot be done; the job runs as before.
   */
  async throttle(jobId: number, share: number | null, wanted?: ThrottleBy): Promise<Job> {
    const { ledger, held, rules } = this.options;
    const job = ledger.get(jobId);
    const by = wanted ?? rules().throttleBy;
    if (share === null || !mayHappen(job.status, 'throttled') || by === 'duty-cycle')
      return this.set(jobId, share);
    const refusals: string[] = [];
    for (const rung of by === 'auto' ? THROTTLE_RUNGS : [by]) {
      if (rung === 'duty-cycle') return this.set(jobId, share);
      const why = await troubleOf(held[rung], job);
      if (why === null) return this.hold(jobId, share, rung);
      refusals.push(why);
    }
    throw new ConflictError(
      `job ${jobId} cannot be throttled by ${by}: ${refusals[0]}`,
      'choose another rung',
    );
  }

  private async hold(jobId: number, share: number, rung: HeldRung): Promise<Job> {
    const { ledger, held } = this.options;
    const job = ledger.append(
      jobId,
      { kind: 'throttled', throttle: { share, method: rung, by: 'person' } },
      'person',
    );
    try {
      await this.next(() => held[rung].hold(job, share));
    } catch (error) {
      if (mayHappen(ledger.get(jobId).status, 'throttled')) this.set(jobId, null);
      throw new ConflictError(
        `job ${jobId} cannot be throttled by ${rung} (${messageOf(error)})`,
        'it runs at full speed; choose another rung',
      );
    }
    return ledger.get(jobId);
  }

  private letGo(job: Job): Promise<void> {
    const { method, share } = job.throttle!;
    if (method === 'duty-cycle') return Promise.resolve();
    const held = this.options.held[method as HeldRung];
    return this.next(() => held.letGo(job, share)).catch((error: unknown) => this.warn(method, error));
  }

  private next<T>(step: () => T | Promise<T>): Promise<T> {
    const done = this.queue.then(step);
    this.queue = done.catch(() => undefined);
    return done;
  }

  private warn(method: string, error: unknown): void {
    this.options.log.warn(`a throttle by ${method} could not be kept or undone`, { error: messageOf(error) });
  }

  /**
   * @param share of the processor time that it would have, above 0 and below 1; null: all of it.
   * @throws {ConflictError} if it neither runs nor is paused, or this is no Linux.
   */
  set(jobId: number, share: number | null, by: Pauser = 'person'): Job {
    const { ledger } = this.options;
    if (share !== null && process.platform !== 'linux') {
      throw new ConflictError('jobs can be throttled on Linux only', 'pause it instead');
    }
    const job = ledger.get(jobId);
    if (share === null && job.throttle === null) return job;
    const throttle = share === null ? null : { share, method: 'duty-cycle', by };
    return ledger.append(jobId, { kind: 'throttled', throttle }, ACTOR_OF[by]);
  }

  /**
   * Throttles for a guard, beside what a person wants: theirs is left as it is.
   * @returns false where a person wants it faster than that.
   */
  setForGuard(jobId: number, share: number | null): boolean {
    const { throttle } = this.options.ledger.get(jobId);
    if (throttle?.by === 'person') return share === null || throttle.share <= share;
    this.set(jobId, share, 'guard');
    return true;
  }

  /** Lets everything run at full speed, or what needs no engine be as it is. What was wanted stays recorded. */
  async stop(): Promise<void> {
    this.unsubscribe();
    const { ledger, rules } = this.options;
    if (rules().whenStopped === 'undo')
      for (const job of ledger.live()) if (job.throttle !== null) void this.letGo(job);
    await this.queue;
    await this.process?.stop();
    this.process = null;
    this.letRun();
    this.cycled.clear();
    this.leaving.clear();
  }

  private follow(job: Job): void {
    const wanted = job.status === 'running' && job.throttle?.method === 'duty-cycle' && job.process !== null;
    const before = this.cycled.get(job.id);
    if (!wanted) {
      if (before === undefined) return;
      this.cycled.delete(job.id);
      this.leaving.add(job.id);
      this.tell({ clear: job.id });
      return;
    }
    if (before?.throttle?.share === job.throttle?.share && before?.process?.pid === job.process?.pid) return;
    this.cycled.set(job.id, job);
    if (this.process === null) this.begin();
    else this.tell(this.orderOf(job));
  }

  private orderOf({ id, process, throttle }: Job): DutyOrder {
    return { set: id, supervisor: process!, share: throttle!.share };
  }

  private begin(): void {
    const child = new LineProcess({
      file: process.execPath,
      args: [
        '--max-old-space-size=32',
        '--max-semi-space-size=1',
        '--disable-warning=ExperimentalWarning',
        CHILD,
      ],
      env: {
        NODE_COMPILE_CACHE: getCompileCacheDir(),
        ...process.env,
        ELECTRON_RUN_AS_NODE: '1',
        NODE_OPTIONS: '',
      },
      name: 'the process that throttles jobs',
      startDeadlineMs: START_DEADLINE_MS,
      silenceDeadlineMs: SILENCE_DEADLINE_MS,
      onStart: () => {
        // What was said between two processes nobody has heard, and a new one signals nobody yet.
        this.leaving.clear();
        for (const job of this.cycled.values()) child.send(JSON.stringify(this.orderOf(job)));
        this.endIdle();
      },
      onLine: (line) => {
        this.hear(line);
        return true;
      },
      onDown: ({ sentence }) => {
        this.options.log.warn(`${sentence}; throttled jobs run at full speed until it is back`);
        this.letRun();
        this.leaving.clear();
        this.endIdle();
      },
    });
    this.process = child;
    child.start();
  }

  /** Nothing is throttled any more: the process would only take memory. */
  private endIdle(): void {
    if (this.cycled.size + this.leaving.size > 0) return;
    // It ends by itself once its input is closed.
    this.process?.finish();
    this.process = null;
  }

  private hear(line: string): void {
    const report = JSON.parse(line) as DutyReport;
    if (!('cleared' in report)) return;
    this.leaving.delete(report.cleared);
    if (!this.cycled.has(report.cleared)) this.settle(report.cleared);
    this.endIdle();
  }

  /**
   * Has a job that is no longer cycled run, or stand still, as it is recorded now: it may have been paused or have gone on
   * since the process was told, whose last signal came after that.
   */
  private settle(jobId: number): void {
    const { status, process, pauseMethod } = this.options.ledger.get(jobId);
    if (process === null) return;
    if (status !== 'paused') signalJob(process, 'SIGCONT');
    // The other ways to pause do not depend on what its processes were told last.
    else if (pauseMethod === 'signals') signalJob(process, 'SIGSTOP');
  }

  private tell(order: DutyOrder): void {
    this.process?.send(JSON.stringify(order));
  }

  private letRun(): void {
    for (const id of [...this.cycled.keys(), ...this.leaving]) this.settle(id);
  }
}

/** Why a rung does not work for a job; null: it does. */
async function troubleOf(held: Held, job: Job): Promise<string | null> {
  const trouble = await held.trouble();
  if (trouble !== null) return trouble;
  try {
    await held.check(job);
    return null;
  } catch (error) {
    if (error instanceof ConflictError) return error.message;
    throw error;
  }
}
