import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { lateDiagnosis } from '../../domain/deadline.ts';
import type { Diagnosis } from '../../domain/diagnosis.ts';
import { ConflictError, messageOf } from '../../domain/errors.ts';
import { isLive, isTerminal, type Job, type Pauser, type ProcessIdentity } from '../../domain/job.ts';
import { type Actor, isGivingWay, mayHappen } from '../../domain/lifecycle.ts';
import { isNews, readProgress } from '../../domain/progress.ts';
import { retryAtMs } from '../../domain/retries.ts';
import { overTimeLimit } from '../../domain/timeLimit.ts';
import type { Cgroups } from '../control/cgroups.ts';
import type { Clock, Log } from '../ports.ts';
import { diagnoseEnd, type End, type EndSources, signalOf } from './diagnoseEnd.ts';
import { type EndStep, endSteps } from './endSteps.ts';
import { launch } from './launcher.ts';
import type { Ledger } from './ledger.ts';
import { ageMs, bootId, handles, isAlive, jobProcesses, listProcesses, signalJob } from './processes.ts';
import { RunDirectory } from './runDirectory.ts';

/** How often live jobs are looked at. Exits of jobs that we started ourselves are seen at once. */
const WATCH_INTERVAL_MS = 250;
const PROGRESS_INTERVAL_MS = 1000;
/** A supervisor that has claimed its launch writes itself down within this time, or never will. */
const CLAIM_PATIENCE_MS = 5000;
const PROGRESS_READ_BYTES = 64 * 1024;

export interface RunnerOptions {
  readonly ledger: Ledger;
  readonly runPath: (jobId: number, attempt: number) => string;
  readonly clock: Clock;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The job with its secrets. @throws {ConflictError} where they are not kept. */
  readonly reveal: (job: Job) => Job;
  /** From SIGTERM to SIGKILL, for jobs that say nothing of it. */
  readonly graceMs: number;
  readonly freezer: Pick<Cgroups, 'freeze'>;
  readonly faultOf: EndSources['faultOf'];
}

interface Watched {
  /** What it is told to bring it to its end, which of it last, and until when that has time; null: nobody asked it to. */
  ending: { readonly steps: readonly EndStep[]; at: number; untilMs: number; after: boolean } | null;
  progressOffset: number;
  /** Since when a claimed launch has been without a supervisor's file (recovery only). */
  claimedSinceMs: number | null;
  orphanNoted: boolean;
  /** What went wrong at the last look; null when nothing did. Said once, not four times a second. */
  trouble: string | null;
  /** What the job was to be told when it had no process of its own yet; null when it has heard everything. */
  owed: Pick<EndStep, 'signal' | 'handled'> | null;
}

const STOP = { signal: 'SIGSTOP', handled: false } as const;

/** Whose doing it is in the log of events. */
export const ACTOR_OF = {
  person: 'person',
  scheduler: 'scheduler',
  guard: 'engine',
} as const satisfies Record<Pauser, Actor>;

const UNTOUCHED: Watched = {
  ending: null,
  progressOffset: -1,
  claimedSinceMs: null,
  orphanNoted: false,
  trouble: null,
  owed: null,
};

/**
 * Starts, watches, pauses and ends the processes of jobs, and adopts those that ran on while no engine was
 * there. It records first and acts second, so that whatever a killed engine left half done is done again.
 */
export class Runner {
  private readonly options: RunnerOptions;
  private readonly watched = new Map<number, Watched>();
  private timer: NodeJS.Timeout | null = null;
  private progressAtMs = 0;

  constructor(options: RunnerOptions) {
    this.options = options;
  }

  /** Takes up every job that has, or may have, a process. Call once, before anything is scheduled. */
  recover(): void {
    for (const job of this.options.ledger.live()) {
      this.watch(job.id);
      this.guard(job.id, () => this.look(job.id));
    }
    // Looked at once for all: there may be many jobs, and hardly one of them was left standing still.
    const all = listProcesses();
    const stopped = new Set(all.filter(({ state }) => state.startsWith('T')).map(({ pid }) => pid));
    for (const job of this.options.ledger.live()) {
      this.guard(job.id, () => {
        if (job.process === null) return;
        // Its memory may be half way between GPU and host: `Pauses` sees to that.
        if (job.pauseMethod === 'cuda-checkpoint' && job.holdsVram) return;
        if (job.status === 'paused') return this.standStill(job.id);
        const pids = jobProcesses(job.process, all);
        this.options.freezer.freeze(job, false, pids);
        if (job.status === 'running' && pids.some((pid) => stopped.has(pid)))
          signalJob(job.process, 'SIGCONT');
        else if (job.status === 'stopping') this.terminate(job);
      });
    }
  }

  /**
   * Launches a queued job on these devices. The returned job is running, or, if it could not be started, over or back
   * in the queue.
   * @param readyAtMs since when nothing but its turn was missing.
   */
  start(jobId: number, deviceIds: readonly string[], readyAtMs?: number, actor: Actor = 'scheduler'): Job {
    const { ledger } = this.options;
    const queued = ledger.get(jobId);
    const attempt = queued.attempt + 1;
    const ready = readyAtMs === undefined ? {} : { readyAtMs };
    const launching = { kind: 'launching' as const, devices: [...deviceIds], attempt, ...ready };
    const job = ledger.append(jobId, launching, actor);
    const { env, reveal } = this.options;
    const result = launch(job, this.runOf(job), env, reveal, () => this.guard(jobId, () => this.look(jobId)));
    // Before anything is recorded: what cannot be written now is found by the next look.
    this.watch(jobId);
    if (!result.ok) {
      const { reason } = result;
      const diagnosis = this.diagnose(job, { exitCode: null, trouble: reason, lost: false });
      // Whoever has the claim decides: without it, something may yet be started by this launch.
      const retry = this.runOf(job).claim()
        ? this.retryOf(job, null, diagnosis, this.options.clock.nowMs())
        : {};
      return ledger.append(jobId, { kind: 'launch-failed', reason, diagnosis, ...retry }, 'engine');
    }
    return this.recordStart(jobId, result.process);
  }

  /**
   * Stops the whole process tree where it stands. Its GPU memory stays held.
   * @param method `freezer` of a job that has a control group; with `cuda-checkpoint` it runs on until its memory is free.
   */
  pause(
    jobId: number,
    by: Pauser = 'person',
    method: 'signals' | 'freezer' | 'cuda-checkpoint' = 'signals',
  ): Job {
    const { ledger, clock } = this.options;
    const holdsVram = ledger.get(jobId).devices.length > 0;
    const job = ledger.append(
      jobId,
      { kind: 'paused', method, holdsVram, monotonicMs: clock.monotonicMs(), by },
      ACTOR_OF[by],
    );
    if (method !== 'cuda-checkpoint') this.standStill(jobId);
    return job;
  }

  /** Has a paused job stand still, by the rung that it was paused by, or else by signals. */
  standStill(jobId: number): void {
    const job = this.options.ledger.get(jobId);
    if (job.pauseMethod === 'freezer' && this.options.freezer.freeze(job, true)) return;
    this.deliver(job, STOP);
  }

  /** @param by whoever may not lift a person's pause does not: it is left as it is. */
  resume(jobId: number, by: Pauser = 'person'): Job {
    const { ledger, clock } = this.options;
    const paused = ledger.get(jobId);
    if (by === 'person' && paused.status === 'held' && paused.pauseMethod === 'checkpoint') {
      return ledger.append(jobId, { kind: 'released' }, 'person');
    }
    if (by !== 'person' && paused.pausedBy !== by) return paused;
    const resumed = { kind: 'resumed' as const, monotonicMs: clock.monotonicMs() };
    const job = ledger.append(jobId, resumed, ACTOR_OF[by]);
    const watched = this.watched.get(jobId);
    if (watched) watched.owed = null;
    this.options.freezer.freeze(job, false);
    if (job.process) signalJob(job.process, 'SIGCONT');
    return job;
  }

  /** Nobody is there to let them go on later. */
  resumeAllBut(pauser: Pauser): void {
    for (const { id, status, pausedBy } of this.options.ledger.live()) {
      if (status === 'paused' && pausedBy !== null && pausedBy !== pauser)
        this.guard(id, () => void this.resume(id, pausedBy));
    }
  }

  /**
   * Pauses a job so that it holds nothing: it ends at its checkpoint and is held there.
   * @throws {ConflictError} saying why its memory cannot be freed.
   */
  park(jobId: number): Job {
    const job = this.options.ledger.get(jobId);
    if (mayHappen(job.status, 'preempting') && !job.restartable) {
      throw new ConflictError(
        `the GPU memory of job ${jobId} cannot be freed: it does not say that it can end and go on from a checkpoint`,
        'pause it with its memory held, or submit such jobs with --restartable',
      );
    }
    return this.preempt(jobId, 'paused at its checkpoint', 'person', true);
  }

  /**
   * Has a job write its checkpoint and end, so that others get what it holds: its checkpoint signal, SIGTERM, SIGKILL.
   * Then it waits again, for its next attempt.
   * @param hold true: it does not wait for its turn then, but to be released.
   * @throws {ConflictError} if it does not say that it can be started again and go on.
   */
  preempt(jobId: number, reason: string, actor: Actor, hold = false): Job {
    const { ledger } = this.options;
    const { restartable, holdsVram, status } = ledger.get(jobId);
    if (restartable && status === 'paused' && holdsVram === false && ledger.get(jobId).devices.length > 0) {
      throw new ConflictError(`job ${jobId} is not on its GPU to write a checkpoint`, 'resume it first');
    }
    if (!restartable) {
      throw new ConflictError(
        `job ${jobId} does not say that it can be stopped and go on from a checkpoint`,
        'pause it, or submit such jobs with --restartable',
      );
    }
    const job = ledger.append(jobId, { kind: 'preempting', reason, hold }, actor);
    this.terminate(job);
    return job;
  }

  /**
   * Withdraws a job that waits; tells one that runs to end (SIGTERM, the grace period, SIGKILL).
   * @param together names all that are cancelled in one go.
   */
  cancel(jobId: number, together?: number): Job {
    const { ledger } = this.options;
    const job = ledger.get(jobId);
    if (mayHappen(job.status, 'withdrawn')) {
      const reason = `cancelled before ${job.attempt === 0 ? 'it started' : 'another attempt'}`;
      const event = { kind: 'withdrawn' as const, reason, ...(together === undefined ? {} : { together }) };
      return ledger.append(jobId, event, 'person');
    }
    if (job.status === 'stopping' && !this.isPreempting(jobId))
      throw new ConflictError(`job ${jobId} is already stopping`, 'wait for it to end');
    if (isTerminal(job.status))
      throw new ConflictError(`job ${jobId} is already over (${job.status})`, 'there is nothing to cancel');
    const stopping = ledger.append(
      jobId,
      { kind: 'stopping', outcome: 'cancelled', reason: 'cancelled' },
      'person',
    );
    this.terminate(stopping);
    return stopping;
  }

  runOf(job: Pick<Job, 'id' | 'attempt'>): RunDirectory {
    return new RunDirectory(this.options.runPath(job.id, job.attempt));
  }

  /** Leaves every job running and stops looking. */
  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.watched.clear();
  }

  private watch(jobId: number): void {
    this.watched.set(jobId, { ...UNTOUCHED });
    this.timer ??= setInterval(() => this.lookAtAll(), WATCH_INTERVAL_MS);
  }

  private unwatch(jobId: number): void {
    this.watched.delete(jobId);
    if (this.watched.size === 0 && this.timer !== null) {
      clearInterval(this.timer);
      this.timer = null;
    }
  }

  private lookAtAll(): void {
    const nowMs = this.options.clock.monotonicMs();
    const withProgress = nowMs - this.progressAtMs >= PROGRESS_INTERVAL_MS;
    if (withProgress) this.progressAtMs = nowMs;
    for (const jobId of [...this.watched.keys()]) {
      this.guard(jobId, () => {
        this.look(jobId);
        if (!withProgress) return;
        this.followProgress(jobId);
        const watched = this.watched.get(jobId);
        if (watched) watched.trouble = null;
      });
    }
  }

  /** One job's unreadable folder, or a disk that is full for a while, ends neither the watch nor the engine. */
  private guard(jobId: number, act: () => void): void {
    try {
      act();
    } catch (error) {
      const trouble = messageOf(error);
      const watched = this.watched.get(jobId);
      if (watched?.trouble === trouble) return;
      if (watched) watched.trouble = trouble;
      this.options.log.error(`job ${jobId} could not be looked at; it is tried again`, { error: trouble });
    }
  }

  /** Brings one job's record in line with what its processes and files say. */
  private look(jobId: number): void {
    const watched = this.watched.get(jobId);
    if (watched === undefined) return;
    const job = this.options.ledger.get(jobId);
    if (!isLive(job.status)) return this.unwatch(jobId);
    if (job.process === null) return this.lookForLaunch(job, watched);
    // Liveness first: an exit code written between the two looks must not be missed.
    const alive = isAlive(job.process);
    const exit = this.runOf(job).exit();
    if (exit !== null) return this.recordExit(job, exit);
    if (alive) return this.escalate(this.limit(job), watched);
    this.recordDeath(job, watched);
  }

  /** A launch was recorded, but not what came of it: the engine died in between. */
  private lookForLaunch(job: Job, watched: Watched): void {
    const { ledger, clock } = this.options;
    const run = this.runOf(job);
    const supervisor = run.supervisor();
    if (supervisor !== null) {
      this.recordStart(job.id, supervisor);
      return this.look(job.id);
    }
    if (watched.claimedSinceMs === null && !run.claim()) watched.claimedSinceMs = clock.monotonicMs();
    const waitedMs =
      watched.claimedSinceMs === null
        ? Number.POSITIVE_INFINITY
        : clock.monotonicMs() - watched.claimedSinceMs;
    if (waitedMs < CLAIM_PATIENCE_MS) return;
    // Ours now, or claimed by a supervisor that died before it started anything: identity comes first there.
    ledger.append(
      job.id,
      { kind: 'launch-abandoned', reason: 'the engine ended while it was being launched' },
      'engine',
    );
    this.unwatch(job.id);
  }

  /** The clock of its time limit runs from its own start, however late that was found. */
  private recordStart(jobId: number, process: ProcessIdentity): Job {
    const monotonicMs = this.options.clock.monotonicMs() - ageMs(process);
    return this.options.ledger.append(jobId, { kind: 'started', process, monotonicMs }, 'engine');
  }

  /** Tells a job to end that has run as long as it may. */
  private limit(job: Job): Job {
    if (job.status !== 'running') return job;
    const { ledger, clock } = this.options;
    const reason = overTimeLimit(job, clock.monotonicMs(), clock.nowMs());
    if (reason === null) return job;
    return ledger.append(job.id, { kind: 'stopping', outcome: 'timed-out', reason }, 'engine');
  }

  private recordExit(job: Job, exit: { exitCode: number; atMs: number }): void {
    this.guard(job.id, () => this.followProgressOf(job, { ...UNTOUCHED }, true));
    if (job.status === 'stopping' && job.process) signalJob(job.process, 'SIGKILL');
    const atMs = Math.max(job.startedAtMs ?? exit.atMs, Math.min(exit.atMs, this.options.clock.nowMs()));
    const { exitCode } = exit;
    const refusal = this.runOf(job).cause();
    const cause = refusal ?? describeExit(exitCode);
    const preempted = this.isPreempting(job.id);
    const untold = preempted && !this.runOf(job).wasTold();
    const ended: Job = untold ? { ...job, status: 'running' } : job;
    // What gives way has not come to grief.
    const diagnosis =
      preempted && !untold
        ? null
        : (this.diagnose(ended, { exitCode, trouble: refusal, lost: false }) ?? lateDiagnosis(job, atMs));
    const retry = this.retryOf(ended, exitCode, diagnosis, atMs);
    // Two attempts of a job never run at once, and what the first left behind would hold its devices.
    if (retry.retryAtMs !== undefined && job.process) signalJob(job.process, 'SIGKILL');
    this.options.ledger.append(
      job.id,
      {
        kind: 'exited',
        exitCode,
        cause: ended.status === 'stopping' ? null : cause,
        diagnosis,
        ...retry,
        ...(untold ? { untold } : {}),
      },
      'process',
      atMs,
    );
    this.unwatch(job.id);
  }

  private recordDeath(job: Job, watched: Watched): void {
    const supervisor = job.process!;
    const rebooted = supervisor.bootId !== bootId();
    if (!rebooted && jobProcesses(supervisor).length > 0) {
      if (!watched.orphanNoted) {
        watched.orphanNoted = true;
        this.options.log.warn(`job ${job.id} runs on without its supervisor: its exit code will be unknown`);
      }
      return this.escalate(this.limit(job), watched);
    }
    const reason = rebooted
      ? 'the machine was restarted while it ran'
      : 'its supervisor was killed, so nobody saw how it ended';
    const diagnosis = this.diagnose(job, { exitCode: null, trouble: reason, lost: true });
    const retry = this.retryOf(job, null, diagnosis, this.options.clock.nowMs());
    this.options.ledger.append(job.id, { kind: 'lost', reason, diagnosis, ...retry }, 'engine');
    this.unwatch(job.id);
  }

  private retryOf(
    job: Job,
    exitCode: number | null,
    diagnosis: Diagnosis | null,
    endedAtMs: number,
  ): { retryAtMs?: number } {
    const at = retryAtMs(job, { exitCode, diagnosis: diagnosis?.code ?? null }, endedAtMs);
    return at === null ? {} : { retryAtMs: at };
  }

  private diagnose(job: Job, end: End): Diagnosis | null {
    const { ledger, log, faultOf } = this.options;
    return diagnoseEnd(job, end, { ledger, run: this.runOf(job), log, faultOf });
  }

  private isPreempting(jobId: number): boolean {
    return isGivingWay(this.options.ledger.stoppingAs(jobId));
  }

  /** Begins to bring it to its end; what an earlier engine began is begun anew. */
  private terminate(job: Job): void {
    const watched = this.watched.get(job.id);
    if (job.process === null || watched === undefined) return;
    const toCheckpoint = this.isPreempting(job.id);
    if (toCheckpoint) this.runOf(job).noteTold();
    watched.ending = {
      steps: endSteps(job, toCheckpoint, this.options.graceMs),
      at: -1,
      untilMs: 0,
      after: false,
    };
    this.endFurther(job, watched.ending);
  }

  private endFurther(job: Job, ending: NonNullable<Watched['ending']>): void {
    ending.at = Math.min(ending.at + 1, ending.steps.length - 1);
    const step = ending.steps[ending.at]!;
    ending.untilMs = this.options.clock.monotonicMs() + step.patienceMs;
    const heard = this.deliver(job, step);
    // Nobody there would know what to do with it.
    if (!heard && step.handled && this.runOf(job).supervisor() !== null) this.endFurther(job, ending);
  }

  /**
   * Tells the job's processes, now or as soon as it has any: in its first milliseconds there are only those with
   * which the supervisor writes itself down, and these must not be disturbed.
   */
  private deliver(job: Job, what: Pick<EndStep, 'signal' | 'handled'>): boolean {
    if (job.process === null) return false;
    const { signal, handled } = what;
    const begun = this.runOf(job).supervisor() !== null;
    // What is frozen hears nothing but SIGKILL.
    if (signal !== 'SIGSTOP') this.options.freezer.freeze(job, false);
    const watched = this.watched.get(job.id);
    // The post hook may begin while the command's last processes are told: it is not who is meant.
    const spares = watched?.ending?.after === false;
    const among = (pid: number): boolean =>
      (!handled || handles(pid, signal)) && !(spares && this.runOf(job).isAfter());
    const heard = begun && signalJob(job.process, signal, among).length > 0;
    // What is stopped hears it only once it goes on.
    if (heard && signal !== 'SIGSTOP') signalJob(job.process, 'SIGCONT');
    if (watched) watched.owed = heard ? null : what;
    return heard;
  }

  private escalate(job: Job, watched: Watched): void {
    if (watched.owed !== null) this.deliver(job, watched.owed);
    if (job.status !== 'stopping' || job.process === null) return;
    const { ending } = watched;
    if (ending === null) return this.terminate(job);
    if (!ending.after && this.runOf(job).isAfter()) {
      // Its command is gone; what it wants done afterwards has the grace period once more.
      ending.after = true;
      watched.owed = null;
      ending.untilMs =
        this.options.clock.monotonicMs() + (job.graceS === null ? this.options.graceMs : job.graceS * 1000);
    }
    if (this.options.clock.monotonicMs() >= ending.untilMs) this.endFurther(job, ending);
  }

  private followProgress(jobId: number): void {
    const watched = this.watched.get(jobId);
    const job = this.options.ledger.get(jobId);
    if (watched && job.status === 'running') this.followProgressOf(job, watched);
  }

  /** @param last the job has ended, so that nothing comes after. */
  private followProgressOf(job: Job, watched: Watched, last = false): void {
    const path = this.runOf(job).logPath;
    if (!existsSync(path)) return;
    const size = statSync(path).size;
    if (size === watched.progressOffset) return;
    watched.progressOffset = size;
    const progress = readProgress(readTail(path, size, PROGRESS_READ_BYTES));
    if (progress === null || !mayHappen(job.status, 'progressed')) return;
    const atMs = this.options.clock.nowMs();
    if (
      !isNews({
        known: job.progress,
        startedAtMs: job.startedAtMs ?? atMs,
        fraction: progress.fraction,
        atMs,
        last,
      })
    )
      return;
    this.options.ledger.append(job.id, { kind: 'progressed', progress: { ...progress, atMs } }, 'process');
  }
}

function describeExit(exitCode: number): string | null {
  if (exitCode === 0) return null;
  const signal = signalOf(exitCode);
  return signal === null ? `exited with code ${exitCode}` : `ended by ${signal}`;
}

function readTail(path: string, size: number, bytes: number): string {
  const from = Math.max(0, size - bytes);
  const buffer = Buffer.alloc(size - from);
  const file = openSync(path, 'r');
  try {
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, from));
  } finally {
    closeSync(file);
  }
}
