import type { Job } from '../../domain/job.ts';
import { isGivingWay } from '../../domain/lifecycle.ts';
import type { Cgroups } from '../control/cgroups.ts';
import type { Clock } from '../ports.ts';
import { type EndStep, endSteps } from './endSteps.ts';
import type { Ledger } from './ledger.ts';
import { handles, signalJob } from './processes.ts';
import type { RunDirectory } from './runDirectory.ts';

export interface MessengerOptions {
  readonly ledger: Ledger;
  readonly runOf: (job: Job) => RunDirectory;
  readonly freezer: Pick<Cgroups, 'freeze'>;
  readonly clock: Clock;
  /** From SIGTERM to SIGKILL, for jobs that say nothing of it. */
  readonly graceMs: number;
}

type Message = Pick<EndStep, 'signal' | 'handled'>;

/** How a job is brought to its end: which step it is at, and until when that has time. */
interface Ending {
  readonly steps: readonly EndStep[];
  at: number;
  untilMs: number;
  after: boolean;
}

const STOP: Message = { signal: 'SIGSTOP', handled: false };

/** Tells the processes of jobs to stand still, to go on and to end, each as soon as there are any to hear it. */
export class Messenger {
  readonly #options: MessengerOptions;
  readonly #endings = new Map<number, Ending>();
  /** What jobs were to be told when they had no process of their own yet. */
  readonly #owed = new Map<number, Message>();

  constructor(options: MessengerOptions) {
    this.#options = options;
  }

  /** Has a paused job stand still, by the rung that it was paused by, or else by signals. */
  standStill(job: Job): void {
    if (job.pauseMethod === 'freezer' && this.#options.freezer.freeze(job, true)) return;
    this.#deliver(job, STOP);
  }

  goOn(job: Job): void {
    this.#owed.delete(job.id);
    this.#options.freezer.freeze(job, false);
    if (job.process) signalJob(job.process, 'SIGCONT');
  }

  /** Begins to bring a job to its end; what an earlier engine began is begun anew. */
  terminate(job: Job): void {
    if (job.process === null) return;
    const { ledger, runOf, graceMs } = this.#options;
    const toCheckpoint = isGivingWay(ledger.stoppingAs(job.id));
    if (toCheckpoint) runOf(job).noteTold();
    const ending = { steps: endSteps(job, toCheckpoint, graceMs), at: -1, untilMs: 0, after: false };
    this.#endings.set(job.id, ending);
    this.#endFurther(job, ending);
  }

  /** To be called often: tells it what is due by now. */
  remind(job: Job): void {
    const owed = this.#owed.get(job.id);
    if (owed !== undefined) this.#deliver(job, owed);
    if (job.status !== 'stopping' || job.process === null) return;
    const { runOf, clock, graceMs } = this.#options;
    const ending = this.#endings.get(job.id);
    if (ending === undefined) return this.terminate(job);
    if (!ending.after && runOf(job).isAfter()) {
      // Its command is gone; what it wants done afterwards has the grace period once more.
      ending.after = true;
      this.#owed.delete(job.id);
      ending.untilMs = clock.monotonicMs() + (job.graceS === null ? graceMs : job.graceS * 1000);
    }
    if (clock.monotonicMs() >= ending.untilMs) this.#endFurther(job, ending);
  }

  /** Of a job that has no process any more. */
  forget(jobId: number): void {
    this.#endings.delete(jobId);
    this.#owed.delete(jobId);
  }

  #endFurther(job: Job, ending: Ending): void {
    const { runOf, clock } = this.#options;
    ending.at = Math.min(ending.at + 1, ending.steps.length - 1);
    const step = ending.steps[ending.at]!;
    ending.untilMs = clock.monotonicMs() + step.patienceMs;
    const heard = this.#deliver(job, step);
    // Nobody there would know what to do with it.
    if (!heard && step.handled && runOf(job).supervisor() !== null) this.#endFurther(job, ending);
  }

  /**
   * Tells the job's processes, now or as soon as it has any: in its first milliseconds there are only those with
   * which the supervisor writes itself down, and these must not be disturbed.
   */
  #deliver(job: Job, what: Message): boolean {
    if (job.process === null) return false;
    const { runOf, freezer } = this.#options;
    const { signal, handled } = what;
    const begun = runOf(job).supervisor() !== null;
    // What is frozen hears nothing but SIGKILL.
    if (signal !== 'SIGSTOP') freezer.freeze(job, false);
    // The post hook may begin while the command's last processes are told: it is not who is meant.
    const spares = this.#endings.get(job.id)?.after === false;
    const among = (pid: number): boolean =>
      (!handled || handles(pid, signal)) && !(spares && runOf(job).isAfter());
    const heard = begun && signalJob(job.process, signal, among).length > 0;
    // What is stopped hears it only once it goes on.
    if (heard && signal !== 'SIGSTOP') signalJob(job.process, 'SIGCONT');
    if (heard) this.#owed.delete(job.id);
    else this.#owed.set(job.id, { signal, handled });
    return heard;
  }
}
