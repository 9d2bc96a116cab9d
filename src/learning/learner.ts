import { Worker } from 'node:worker_threads';
import { messageOf } from '../domain/errors.ts';
import { FEATURE_NAMES } from '../scheduler/features.ts';
import { decodeWeights, encodeWeights, type Weights } from '../scheduler/network.ts';
import { type AgentConfig, LIVE_AGENT } from './agent.ts';
import type { BackendName } from './backend.ts';
import type { TransitionMessage, WorkerMessage, WorkerStart } from './learnerMessages.ts';
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
   * The newest `limit` stored transitions as blobs of encodeTransition, oldest first. Called whenever a worker
   * starts; includes those that were pushed.
   */
  readonly refill: (limit: number) => readonly Uint8Array[];
  /** New weights that passed every check. `blob` is what goes to the store. */
  readonly onWeights: (weights: Weights, trainSteps: number, blob: Uint8Array) => void;
  readonly onStatus?: (status: LearnerStatus) => void;
  /** First wait before a lost worker is replaced, ms; doubles up to a minute, and falls back after a success. */
  readonly firstBackoffMs?: number;
}

export interface LearnerStatus {
  /**
   * waiting: nothing to learn from yet, no worker. starting: the worker loads. learning: it runs (and sleeps while
   * nothing is new). restarting: it was lost and will be replaced. stopped: for good.
   */
  readonly state: 'waiting' | 'starting' | 'learning' | 'restarting' | 'stopped';
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

/** MiB of JavaScript heap for the worker; tensors live outside of it. */
const WORKER_HEAP = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 2 } as const;
const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 60_000;
/** `worker.ts` from source, `worker.js` once built. */
const WORKER_URL = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

/**
 * The learner as the engine sees it. Gradient steps happen in a worker thread, which is started once there is
 * enough to learn from and replaced when it dies; nothing here ever throws into the engine.
 */
export class Learner {
  private readonly options: LearnerOptions;
  private readonly config: AgentConfig;
  private worker: Worker | null = null;
  private weightsBlob: Uint8Array;
  private stored: number;
  private backoffMs: number;
  private retry: NodeJS.Timeout | null = null;
  private current: LearnerStatus;

  constructor(options: LearnerOptions) {
    this.options = options;
    this.config = options.config ?? LIVE_AGENT;
    this.weightsBlob = encodeWeights(options.weights, FEATURE_NAMES);
    this.stored = options.storedTransitions;
    this.backoffMs = options.firstBackoffMs ?? FIRST_BACKOFF_MS;
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
   * memory large enough to learn from.
   */
  push(transition: Transition): void {
    if (this.current.state === 'stopped') return;
    this.stored++;
    if (this.worker !== null) this.send('new', encodeTransition(transition, FEATURE_NAMES));
    else if (this.current.state === 'waiting' && this.stored >= this.config.minReplay) this.start();
  }

  /** Starts the worker now, though there may be nothing to learn yet. */
  start(): void {
    if (this.worker !== null || this.retry !== null || this.current.state === 'stopped') return;
    this.update({ state: 'starting' });
    const start: WorkerStart = {
      weights: this.weightsBlob,
      trainSteps: this.current.trainSteps,
      config: this.config,
      backend: this.options.backend ?? 'wasm',
    };
    try {
      const worker = new Worker(WORKER_URL, {
        name: 'learner',
        workerData: start,
        resourceLimits: WORKER_HEAP,
        // The host's own flags (a test runner's loaders, Electron's) are not for the worker.
        execArgv: ['--disable-warning=ExperimentalWarning'],
      });
      this.worker = worker;
      let last = 'it ended by itself';
      worker.on('message', (message: WorkerMessage) => this.receive(worker, message));
      worker.on('error', (error) => {
        last = messageOf(error);
      });
      worker.on('exit', () => this.lost(worker, last));
      // It must not keep the engine alive.
      worker.unref();
      for (const blob of this.options.refill(this.config.replayCapacity)) this.send('old', blob);
    } catch (error) {
      this.lost(this.worker, messageOf(error));
    }
  }

  /** Ends the worker. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.update({ state: 'stopped' });
    if (this.retry !== null) clearTimeout(this.retry);
    this.retry = null;
    const worker = this.worker;
    this.worker = null;
    await worker?.terminate();
  }

  private send(kind: TransitionMessage['kind'], blob: Uint8Array): void {
    this.worker?.postMessage({ kind, blob } satisfies TransitionMessage);
  }

  private receive(worker: Worker, message: WorkerMessage): void {
    if (worker !== this.worker) return;
    if (message.kind === 'ready') {
      this.update({
        state: 'learning',
        backend: message.backend,
        trouble: message.notes.length > 0 ? message.notes.join('; ') : null,
      });
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

  private lost(worker: Worker | null, why: string): void {
    if (worker !== this.worker || this.current.state === 'stopped') return;
    this.worker = null;
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
