import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { ConflictError, messageOf } from '../../domain/errors.ts';
import { isTerminal, type Job } from '../../domain/job.ts';
import { mayHappen } from '../../domain/lifecycle.ts';
import { isNews, readProgress } from '../../domain/progress.ts';
import type { Clock, Log } from '../ports.ts';
import { launch } from './launcher.ts';
import type { Ledger } from './ledger.ts';
import { bootId, isAlive, jobProcesses, signalJob } from './processes.ts';
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
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number;
}

interface Watched {
  /** When SIGKILL follows, on the monotonic clock; null while nobody asked it to end. */
  killAtMs: number | null;
  progressOffset: number;
  /** Since when a claimed launch has been without a supervisor's file (recovery only). */
  claimedSinceMs: number | null;
  orphanNoted: boolean;
  /** What went wrong at the last look; null when nothing did. Said once, not four times a second. */
  trouble: string | null;
  /** What the job was to be told when it had no process of its own yet; null when it has heard everything. */
  owed: 'SIGSTOP' | 'SIGTERM' | null;
}

const UNTOUCHED: Watched = {
  killAtMs: null,
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
    for (const job of this.options.ledger.live()) {
      this.guard(job.id, () => {
        if (job.process === null) return;
        if (job.status === 'paused') this.deliver(job, 'SIGSTOP');
        else if (job.status === 'running') signalJob(job.process, 'SIGCONT');
        else if (job.status === 'stopping') this.terminate(job);
      });
    }
  }

  /** Launches a queued job on these devices. The returned job is running, or over if it could not be started. */
  start(jobId: number, deviceIds: readonly string[]): Job {
    const { ledger } = this.options;
    const queued = ledger.get(jobId);
    const attempt = queued.attempt + 1;
    const job = ledger.append(jobId, { kind: 'launching', devices: [...deviceIds], attempt }, 'scheduler');
    const result = launch(job, this.runOf(job), this.options.env, () =>
      this.guard(jobId, () => this.look(jobId)),
    );
    // Before anything is recorded: what cannot be written now is found by the next look.
    this.watch(jobId);
    if (!result.ok) return ledger.append(jobId, { kind: 'launch-failed', reason: result.reason }, 'engine');
    return ledger.append(jobId, { kind: 'started', process: result.process }, 'engine');
  }

  /** Stops the whole process tree where it stands. Its GPU memory stays held. */
  pause(jobId: number): Job {
    const job = this.options.ledger.append(
      jobId,
      { kind: 'paused', method: 'signals', holdsVram: this.options.ledger.get(jobId).devices.length > 0 },
      'person',
    );
    this.deliver(job, 'SIGSTOP');
    return job;
  }

  resume(jobId: number): Job {
    const job = this.options.ledger.append(jobId, { kind: 'resumed' }, 'person');
    const watched = this.watched.get(jobId);
    if (watched) watched.owed = null;
    if (job.process) signalJob(job.process, 'SIGCONT');
    return job;
  }

  /** Withdraws a job that waits; tells one that runs to end (SIGTERM, the grace period, SIGKILL). */
  cancel(jobId: number): Job {
    const { ledger } = this.options;
    const job = ledger.get(jobId);
    if (mayHappen(job.status, 'withdrawn')) {
      return ledger.append(jobId, { kind: 'withdrawn', reason: 'cancelled before it started' }, 'person');
    }
    if (job.status === 'stopping')
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
    if (isTerminal(job.status)) return this.unwatch(jobId);
    if (job.process === null) return this.lookForLaunch(job, watched);
    // Liveness first: an exit code written between the two looks must not be missed.
    const alive = isAlive(job.process);
    const exit = this.runOf(job).exit();
    if (exit !== null) return this.recordExit(job, exit);
    if (alive) return this.escalate(job, watched);
    this.recordDeath(job, watched);
  }

  /** A launch was recorded, but not what came of it: the engine died in between. */
  private lookForLaunch(job: Job, watched: Watched): void {
    const { ledger, clock } = this.options;
    const run = this.runOf(job);
    const supervisor = run.supervisor();
    if (supervisor !== null) {
      ledger.append(job.id, { kind: 'started', process: supervisor }, 'engine');
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

  private recordExit(job: Job, exit: { exitCode: number; atMs: number }): void {
    this.guard(job.id, () => this.followProgressOf(job, { ...UNTOUCHED }, true));
    if (job.status === 'stopping' && job.process) signalJob(job.process, 'SIGKILL');
    const atMs = Math.max(job.startedAtMs ?? exit.atMs, Math.min(exit.atMs, this.options.clock.nowMs()));
    const cause = this.runOf(job).cause() ?? describeExit(exit.exitCode);
    this.options.ledger.append(
      job.id,
      { kind: 'exited', exitCode: exit.exitCode, cause: job.status === 'stopping' ? null : cause },
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
      return this.escalate(job, watched);
    }
    const reason = rebooted
      ? 'the machine was restarted while it ran'
      : 'its supervisor was killed, so nobody saw how it ended';
    this.options.ledger.append(job.id, { kind: 'lost', reason }, 'engine');
    this.unwatch(job.id);
  }

  private terminate(job: Job): void {
    if (job.process === null) return;
    const watched = this.watched.get(job.id);
    if (watched) watched.killAtMs = this.options.clock.monotonicMs() + this.options.graceMs;
    this.deliver(job, 'SIGTERM');
  }

  /**
   * Tells the job's processes, now or as soon as it has any: in its first milliseconds there are only those with
   * which the supervisor writes itself down, and these must not be disturbed.
   */
  private deliver(job: Job, signal: 'SIGSTOP' | 'SIGTERM'): void {
    if (job.process === null) return;
    const begun = this.runOf(job).supervisor() !== null;
    const heard = begun && signalJob(job.process, signal).length > 0;
    // What is stopped hears SIGTERM only once it goes on.
    if (heard && signal === 'SIGTERM') signalJob(job.process, 'SIGCONT');
    const watched = this.watched.get(job.id);
    if (watched) watched.owed = heard ? null : signal;
  }

  private escalate(job: Job, watched: Watched): void {
    if (watched.owed !== null) this.deliver(job, watched.owed);
    if (job.status !== 'stopping' || job.process === null) return;
    if (watched.killAtMs === null) return this.terminate(job);
    if (this.options.clock.monotonicMs() >= watched.killAtMs) signalJob(job.process, 'SIGKILL');
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
  const name = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0];
  return exitCode > 128 && name ? `ended by ${name}` : `exited with code ${exitCode}`;
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
