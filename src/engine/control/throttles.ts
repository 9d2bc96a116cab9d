import { getCompileCacheDir } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConflictError } from '../../domain/errors.ts';
import type { Job, Pauser } from '../../domain/job.ts';
import { LineProcess } from '../devices/lineProcess.ts';
import type { Ledger } from '../jobs/ledger.ts';
import { signalJob } from '../jobs/processes.ts';
import { ACTOR_OF } from '../jobs/runner.ts';
import type { Log } from '../ports.ts';
import type { DutyOrder } from './dutyLine.ts';

/** This file's sibling, in the form that this file has: `.ts` from source, `.js` when built. */
const CHILD = fileURLToPath(new URL(`./dutyChild${extname(import.meta.url)}`, import.meta.url));
const START_DEADLINE_MS = 20_000;
/** A process that says nothing for so long while it throttles is given up, and its jobs run on until the next. */
const SILENCE_DEADLINE_MS = 10_000;

export interface ThrottlesOptions {
  readonly ledger: Ledger;
  readonly log: Log;
}

/**
 * Holds jobs at a share of their speed. What is wanted is recorded with the job first, and this only keeps to it, so that
 * the next engine takes it up again; while none is there, jobs run at full speed.
 */
export class Throttles {
  private readonly options: ThrottlesOptions;
  private readonly unsubscribe: () => void;
  /** Jobs that are cycled now. */
  private readonly cycled = new Map<number, Job>();
  private process: LineProcess | null = null;

  constructor(options: ThrottlesOptions) {
    this.options = options;
    this.unsubscribe = options.ledger.onEvent(({ event }, job) => {
      if (event.kind !== 'progressed') this.follow(job);
    });
  }

  /** Takes up what a person told an earlier engine. A guard tells this one again, if its reason still holds. */
  recover(): void {
    for (const job of this.options.ledger.live()) {
      if (job.throttle?.by === 'guard') this.set(job.id, null, 'guard');
      else this.follow(job);
    }
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

  /** Lets everything run at full speed. What was wanted stays recorded. */
  async stop(): Promise<void> {
    this.unsubscribe();
    await this.process?.stop();
    this.process = null;
    this.letRun();
    this.cycled.clear();
  }

  private follow(job: Job): void {
    const wanted = job.status === 'running' && job.throttle !== null && job.process !== null;
    const before = this.cycled.get(job.id);
    if (!wanted) {
      if (before === undefined) return;
      this.cycled.delete(job.id);
      this.tell({ clear: job.id, stopped: job.status === 'paused' });
      if (this.cycled.size === 0) this.endIdle();
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
        for (const job of this.cycled.values()) child.send(JSON.stringify(this.orderOf(job)));
      },
      // That it says anything is what counts.
      onLine: () => true,
      onDown: ({ sentence }) => {
        this.options.log.warn(`${sentence}; throttled jobs run at full speed until it is back`);
        this.letRun();
      },
    });
    this.process = child;
    child.start();
  }

  /** Nothing is throttled any more: the process would only take memory. */
  private endIdle(): void {
    const child = this.process;
    // After it has read its last order: it ends by itself once its input is closed.
    child?.finish();
    this.process = null;
  }

  private tell(order: DutyOrder): void {
    this.process?.send(JSON.stringify(order));
  }

  private letRun(): void {
    for (const { id, process } of this.cycled.values()) {
      if (process !== null && this.options.ledger.get(id).status === 'running') signalJob(process, 'SIGCONT');
    }
  }
}
