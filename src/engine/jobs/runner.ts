import { ConflictError, messageOf } from '../../domain/errors.ts';
import { isLive, isTerminal, type Job, type Pauser, type ProcessIdentity } from '../../domain/job.ts';
import { type Actor, isGivingWay, mayHappen } from '../../domain/lifecycle.ts';
import { overTimeLimit } from '../../domain/timeLimit.ts';
import type { Cgroups } from '../control/cgroups.ts';
import type { Clock, Log } from '../ports.ts';
import type { EndSources } from './diagnoseEnd.ts';
import { EndRecorder } from './endRecorder.ts';
import { launch } from './launcher.ts';
import type { Ledger } from './ledger.ts';
import { Messenger } from './messenger.ts';
import { ageMs, bootId, isAlive, jobProcesses, listProcesses, signalJob } from './processes.ts';
import { ProgressFollower } from './progressFollower.ts';
import { RunDirectory } from './runDirectory.ts';

/** How often live jobs are looked at. Exits of jobs that we started ourselves are seen at once. */
const WATCH_INTERVAL_MS = 250;
const PROGRESS_INTERVAL_MS = 1000;
/** A supervisor that has claimed its launch writes itself down within this time, or never will. */
const CLAIM_PATIENCE_MS = 5000;

export interface RunnerOptions {
  readonly ledger: Ledger;
  readonly runPath: (jobId: number, attempt: number) => string;
  readonly clock: Clock;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The job with its secrets. @throws {ConflictError} where they are not kept. */
  readonly reveal: (job: Job) => Job;
  /** Where the job runs. @throws {ConflictError} where that is not kept. */
  readonly directoryOf: (job: Job) => string;
  /** From SIGTERM to SIGKILL, for jobs that say nothing of it. */
  readonly graceMs: number;
  readonly freezer: Pick<Cgroups, 'freeze'>;
  readonly faultOf: EndSources['faultOf'];
}

interface Watched {
  /** Since when a claimed launch has been without a supervisor's file (recovery only). */
  claimedSinceMs: number | null;
  orphanNoted: boolean;
  /** What went wrong at the last look; null when nothing did. Said once, not four times a second. */
  trouble: string | null;
}

/** Whose doing it is in the log of events. */
export const ACTOR_OF = {
  person: 'person',
  scheduler: 'scheduler',
  guard: 'engine',
} as const satisfies Record<Pauser, Actor>;

const UNTOUCHED: Watched = { claimedSinceMs: null, orphanNoted: false, trouble: null };

/**
 * Starts, watches, pauses and ends the processes of jobs, and adopts those that ran on while no engine was
 * there. It records first and acts second, so that whatever a killed engine left half done is done again.
 */
export class Runner {
  private readonly options: RunnerOptions;
  private readonly messenger: Messenger;
  private readonly progress: ProgressFollower;
  private readonly ends: EndRecorder;
  private readonly watched = new Map<number, Watched>();
  private timer: NodeJS.Timeout | null = null;
  private progressAtMs = 0;

  constructor(options: RunnerOptions) {
    this.options = options;
    const runOf = (job: Job): RunDirectory => this.runOf(job);
    this.messenger = new Messenger({ ...options, runOf });
    this.progress = new ProgressFollower({ ...options, logPath: (job) => this.runOf(job).logPath });
    this.ends = new EndRecorder({ ...options, runOf });
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
        if (job.status === 'paused') return this.messenger.standStill(job);
        const pids = jobProcesses(job.process, all);
        this.options.freezer.freeze(job, false, pids);
        if (job.status === 'running' && pids.some((pid) => stopped.has(pid)))
          signalJob(job.process, 'SIGCONT');
        else if (job.status === 'stopping') this.messenger.terminate(job);
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
    const { env } = this.options;
    const result = launch(job, this.runOf(job), env, this.options, () =>
      this.guard(jobId, () => this.look(jobId)),
    );
    // Before anything is recorded: what cannot be written now is found by the next look.
    this.watch(jobId);
    return result.ok ? this.recordStart(jobId, result.process) : this.ends.launchFailed(job, result.reason);
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
    if (method !== 'cuda-checkpoint') this.messenger.standStill(job);
    return job;
  }

  /** Has a paused job stand still, by the rung that it was paused by, or else by signals. */
  standStill(jobId: number): void {
    this.messenger.standStill(this.options.ledger.get(jobId));
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
    this.messenger.goOn(job);
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
    this.messenger.terminate(job);
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
    this.messenger.terminate(stopping);
    return stopping;
  }

  runOf(job: Pick<Job, 'id' | 'attempt'>): RunDirectory {
    return new RunDirectory(this.options.runPath(job.id, job.attempt));
  }

  /** Leaves every job running and stops looking. */
  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    for (const jobId of [...this.watched.keys()]) this.unwatch(jobId);
  }

  private watch(jobId: number): void {
    this.watched.set(jobId, { ...UNTOUCHED });
    this.timer ??= setInterval(() => this.lookAtAll(), WATCH_INTERVAL_MS);
  }

  private unwatch(jobId: number): void {
    this.watched.delete(jobId);
    this.messenger.forget(jobId);
    this.progress.forget(jobId);
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
        const job = this.options.ledger.get(jobId);
        if (this.watched.has(jobId) && job.status === 'running') this.progress.follow(job);
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
    if (exit !== null) {
      this.guard(job.id, () => this.progress.follow(job, true));
      this.ends.exited(job, exit);
      return this.unwatch(job.id);
    }
    if (alive) return this.messenger.remind(this.limit(job));
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

  private recordDeath(job: Job, watched: Watched): void {
    const supervisor = job.process!;
    const rebooted = supervisor.bootId !== bootId();
    if (!rebooted && jobProcesses(supervisor).length > 0) {
      if (!watched.orphanNoted) {
        watched.orphanNoted = true;
        this.options.log.warn(`job ${job.id} runs on without its supervisor: its exit code will be unknown`);
      }
      return this.messenger.remind(this.limit(job));
    }
    const reason = rebooted
      ? 'the machine was restarted while it ran'
      : 'its supervisor was killed, so nobody saw how it ended';
    this.ends.lost(job, reason);
    this.unwatch(job.id);
  }

  private isPreempting(jobId: number): boolean {
    return isGivingWay(this.options.ledger.stoppingAs(jobId));
  }
}
