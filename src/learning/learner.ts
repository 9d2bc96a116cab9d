import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../domain/errors.ts';
import { FEATURE_NAMES } from '../scheduler/features.ts';
import { decodeWeights, encodeWeights, type Weights } from '../scheduler/network.ts';
import { type AgentConfig, LIVE_AGENT } from './agent.ts';
import type { BackendName } from './backend.ts';
import type { LearnerMessage, SleepState, WorkerMessage } from './learnerMessages.ts';
import { encodeTransition, type Transition } from './transition.ts';

export interface LearnerOptions {
  /** Where learning starts from, and goes on after the worker was lost. */
  readonly weights: Weights;
  /** Gradient steps that these weights have had on this machine. */
  readonly trainSteps?: number;
  readonly config?: AgentConfig;
  readonly backend?: BackendName;
  /** Transitions in the store now. */
  readonly storedTransitions: number;
  /**
   * At most `limit` stored transitions older than the newest `skip`, as blobs of encodeTransition, oldest first. Called
   * whenever a worker starts, a page at a time; includes those that were pushed.
   */
  readonly refill: (limit: number, skip: number) => readonly Uint8Array[];
  /** New weights that passed every check. `blob` is what goes to the store. */
  readonly onWeights: (weights: Weights, trainSteps: number, blob: Uint8Array) => void;
  readonly onStatus?: (status: LearnerStatus) => void;
  /** First wait before a lost worker is replaced, ms; doubles up to a minute, and falls back after a success. */
  readonly firstBackoffMs?: number;
  /** Part of one core that training may take, 0 to 1; all of it when left out. See `setCpuShare`. */
  readonly cpuShare?: number;
  /** Without a new transition for so long, the worker is put to sleep and its memory given back. */
  readonly sleepAfterMs?: number;
}

export interface LearnerStatus {
  /**
   * waiting: nothing to learn from yet, no worker. starting: the worker loads. learning: it runs. asleep: nothing was
   * new for a while, no worker until something is. restarting: it was lost and will be replaced. stopped: for good.
   */
  readonly state: 'waiting' | 'starting' | 'learning' | 'asleep' | 'restarting' | 'stopped';
  readonly backend: BackendName | null;
  readonly trainSteps: number;
  readonly replaySize: number;
  /** Running mean of the loss; null before the first step. */
  readonly loss: number | null;
  /** What is wrong at the moment, in a sentence; null when nothing is. */
  readonly trouble: string | null;
  /** Times that the worker was lost. */
  readonly restarts: number;
}

/** MiB of JavaScript heap; tensors live outside of it. */
const WORKER_HEAP = ['--max-old-space-size=96', '--max-semi-space-size=1'];
const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 60_000;
const SLEEP_AFTER_MS = 180_000;
/** Stored transitions that are read and sent at once. */
const PAGE = 32;
/** `worker.ts` from source, `worker.js` once built. */
const WORKER = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url),
);

/**
 * The learner as the engine sees it. Gradient steps happen in a worker process, which is started once there is
 * enough to learn from, ended while nothing is new, and replaced when it dies; nothing here ever throws into the
 * engine. A process and not a thread, because the memory of a thread that ended stays with the engine.
 *
 * Going to sleep loses nothing: the worker publishes its last steps and hands over what else it knows, and is ended
 * only if no transition was sent that it had not learned from by then. It wakes with the next one, which pays for
 * training like any other.
 */
export class Learner {
  private readonly options: LearnerOptions;
  private readonly config: AgentConfig;
  private worker: ChildProcess | null = null;
  private weightsBlob: Uint8Array;
  private stored: number;
  private backoffMs: number;
  private retry: NodeJS.Timeout | null = null;
  private bedtime: NodeJS.Timeout | null = null;
  /** Transitions that pay the present worker. */
  private paid = 0;
  /** Newest stored transitions that the present worker was not sent yet; null once it has caught up. */
  private unread: number | null = null;
  private asleep: SleepState | null = null;
  private cpuShare: number;
  /** Of all workers that were ended. */
  private ending: Promise<void> = Promise.resolve();
  private current: LearnerStatus;

  constructor(options: LearnerOptions) {
    this.options = options;
    this.config = options.config ?? LIVE_AGENT;
    this.weightsBlob = encodeWeights(options.weights, FEATURE_NAMES);
    this.stored = options.storedTransitions;
    this.backoffMs = options.firstBackoffMs ?? FIRST_BACKOFF_MS;
    this.cpuShare = options.cpuShare ?? 1;
    this.current = {
      state: 'waiting',
      backend: null,
      trainSteps: options.trainSteps ?? 0,
      replaySize: 0,
      loss: null,
      trouble: null,
      restarts: 0,
    };
  }

  status(): LearnerStatus {
    return this.current;
  }

  /**
   * Hands over a new transition. Store it first (see `refill`). The worker starts with the one that makes the
   * memory large enough to learn from, and wakes with any.
   */
  push(transition: Transition): void {
    const { state } = this.current;
    if (state === 'stopped') return;
    this.stored++;
    if (this.worker !== null) {
      this.paid++;
      this.bedtime?.refresh();
      if (this.unread !== null) this.unread++;
      else void this.post({ kind: 'new', blob: encodeTransition(transition, FEATURE_NAMES) });
    } else if (state === 'asleep' || (state === 'waiting' && this.stored >= this.config.minReplay)) {
      this.launch(1);
    }
  }

  /** @param share part of one core that training may take from now on; 0: none, and what is owed waits. */
  setCpuShare(share: number): void {
    if (share === this.cpuShare) return;
    this.cpuShare = share;
    void this.post({ kind: 'share', cpuShare: share });
  }

  /** Starts the worker now, though there may be nothing to learn yet. */
  start(): void {
    this.launch(0);
  }

  /** `paid`: so many of the newest stored transitions pay for training. */
  private launch(paid: number): void {
    if (this.worker !== null || this.retry !== null || this.current.state === 'stopped') return;
    this.update({ state: 'starting' });
    const { asleep } = this;
    this.asleep = null;
    this.paid = paid;
    try {
      const worker = startWorker((why) => this.lost(worker, why));
      worker.on('message', (message: WorkerMessage) => this.receive(worker, message));
      this.worker = worker;
      void this.post({
        kind: 'start',
        start: {
          weights: this.weightsBlob,
          trainSteps: this.current.trainSteps,
          config: this.config,
          backend: this.options.backend ?? 'kernels',
          asleep,
          cpuShare: this.cpuShare,
        },
      });
      void this.catchUp(worker);
    } catch (error) {
      this.lost(this.worker, messageOf(error));
    }
  }

  /** Sends what is stored, a page at a time: together it is 20 MiB, which would stay in the engine's heap. */
  private async catchUp(worker: ChildProcess): Promise<void> {
    try {
      this.unread = Math.min(this.stored, this.config.replayCapacity);
      while (worker === this.worker && this.unread > 0) {
        const size = Math.min(this.unread, PAGE);
        const blobs = this.options.refill(size, this.unread - size);
        const written = blobs.map((blob, i) => {
          const newer = this.unread! - size + blobs.length - 1 - i;
          return this.post({ kind: newer < this.paid ? 'new' : 'old', blob });
        });
        this.unread -= size;
        await Promise.all(written);
      }
      if (worker !== this.worker) return;
      this.unread = null;
      this.bedtime = setTimeout(
        () => void this.post({ kind: 'sleep' }),
        this.options.sleepAfterMs ?? SLEEP_AFTER_MS,
      );
      this.bedtime.unref();
    } catch (error) {
      this.lost(worker, messageOf(error));
    }
  }

  /** Ends the worker. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.update({ state: 'stopped' });
    if (this.retry !== null) clearTimeout(this.retry);
    this.retry = null;
    this.clearBedtime();
    const worker = this.worker;
    this.worker = null;
    if (worker !== null) this.end(worker);
    await this.ending;
  }

  /** Resolves when it was written, or the worker is gone, which `lost` is told. */
  private post(message: LearnerMessage): Promise<void> {
    return new Promise((resolve) => this.worker?.send(message, () => resolve()));
  }

  private end(worker: ChildProcess): void {
    const gone = ended(worker);
    this.ending = this.ending.then(() => gone);
  }

  private clearBedtime(): void {
    if (this.bedtime !== null) clearTimeout(this.bedtime);
    this.bedtime = null;
  }

  private receive(worker: ChildProcess, message: WorkerMessage): void {
    if (worker !== this.worker) return;
    if (message.kind === 'failed') return;
    if (message.kind === 'ready') {
      this.update({
        state: 'learning',
        backend: message.backend,
        trouble: message.notes.length > 0 ? message.notes.join('; ') : null,
      });
      return;
    }
    if (message.kind === 'sleepy') {
      // Otherwise it has something to do, and the next silence asks it again.
      if (message.heard === this.paid) this.fallAsleep(worker, message.state);
      return;
    }
    const { trainSteps, replaySize, loss, trouble, weights } = message;
    this.update({ trainSteps, replaySize, loss, trouble });
    if (weights === null) return;
    try {
      const decoded = decodeWeights(weights, FEATURE_NAMES);
      this.weightsBlob = weights;
      this.backoffMs = this.options.firstBackoffMs ?? FIRST_BACKOFF_MS;
      this.options.onWeights(decoded, trainSteps, weights);
    } catch (error) {
      this.update({ trouble: `new weights were refused: ${messageOf(error)}` });
    }
  }

  private fallAsleep(worker: ChildProcess, state: SleepState): void {
    this.worker = null;
    this.clearBedtime();
    this.asleep = state;
    this.end(worker);
    this.update({ state: 'asleep' });
  }

  private lost(worker: ChildProcess | null, why: string): void {
    if (worker !== this.worker || this.current.state === 'stopped') return;
    if (worker !== null) this.end(worker);
    this.worker = null;
    this.clearBedtime();
    this.update({
      state: 'restarting',
      trouble: `the learner was lost (${why}) and starts again`,
      restarts: this.current.restarts + 1,
    });
    this.retry = setTimeout(() => {
      this.retry = null;
      this.start();
    }, this.backoffMs);
    this.retry.unref();
    this.backoffMs = Math.min(2 * this.backoffMs, LONGEST_BACKOFF_MS);
  }

  private update(change: Partial<LearnerStatus>): void {
    this.current = { ...this.current, ...change };
    this.options.onStatus?.(this.current);
  }
}

/** @param onEnd told once, with the reason in a few words, when the process is gone or could not be started. */
function startWorker(onEnd: (why: string) => void): ChildProcess {
  const worker = fork(WORKER, [], {
    serialization: 'advanced',
    // The host's own flags (a test runner's loaders, Electron's) are not for the worker.
    execArgv: ['--disable-warning=ExperimentalWarning', ...WORKER_HEAP],
    env: {
      NODE_COMPILE_CACHE: getCompileCacheDir(),
      ...process.env,
      ELECTRON_RUN_AS_NODE: '1',
      NODE_OPTIONS: '',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let last: string | null = null;
  worker.on('message', (message: WorkerMessage) => {
    if (message.kind === 'failed') last = message.reason;
  });
  worker.on('error', (error) => {
    last = messageOf(error);
    if (worker.pid === undefined) onEnd(last);
  });
  worker.on('exit', (code, signal) => {
    const tell = (): void =>
      onEnd(last ?? (signal === null ? `it ended with status ${code}` : `it got ${signal}`));
    // What it said before is read first.
    if (worker.connected) worker.once('disconnect', tell);
    else tell();
  });
  // It must not keep the engine alive.
  worker.unref();
  worker.channel?.unref();
  return worker;
}

/** Resolves when the process is gone. All that it knows was handed over, or is given up. */
async function ended(worker: ChildProcess): Promise<void> {
  if (worker.pid === undefined || worker.exitCode !== null || worker.signalCode !== null) return;
  worker.ref();
  const gone = once(worker, 'exit');
  worker.kill('SIGKILL');
  await gone;
}
