import { availableParallelism } from 'node:os';
import type { Task, TaskResult } from './task.ts';
import { Threads } from './threads.ts';

/** `worker.ts` from source, `worker.js` once built. */
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

/** Work that was stopped from outside before its end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** What a worker is started with. */
export interface WorkerStart {
  /** All policies that it will be asked for. */
  readonly policies: readonly string[];
  readonly weightsPath: string;
}

/** How far the work is. */
export interface Progress {
  /** Tasks. */
  readonly done: number;
  readonly total: number;
  /** 0 to 1, with the parts of those that are under way. */
  readonly fraction: number;
}

export interface PoolOptions extends WorkerStart {
  /** How many tasks there are. */
  readonly total: number;
  /** Threads; one for each core when left out. Never more than tasks. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * Runs tasks on every core, each in one of several threads. Takes them as threads become free, so that not all have to
 * exist at once.
 * @param onResult is given each task's results, in whatever order they come.
 * @throws {Interrupted} when the signal says so, {WorkerDied} when a thread ends early, {Error} when a task fails. Whatever
 *   it does, no thread is left behind.
 */
export async function runTasks(
  tasks: Iterable<Task>,
  options: PoolOptions,
  onResult: (index: number, results: readonly TaskResult[]) => void,
): Promise<void> {
  const { total, signal, policies, weightsPath } = options;
  const size = Math.min(options.workers ?? availableParallelism(), total);
  const start: WorkerStart = { policies, weightsPath };
  if (total === 0) return;
  if (signal?.aborted) throw stopped();
  const threads = new Threads<Task, TaskResult[]>({ entry: ENTRY, data: start, size });
  const progress = new Tally(total, size, options.onProgress);
  const queue = tasks[Symbol.iterator]();
  let next = 0;
  const lane = async (id: number): Promise<void> => {
    for (let taken = queue.next(); !taken.done; taken = queue.next()) {
      const index = next++;
      const results = await threads.run(taken.value, (fraction) => progress.underWay(id, fraction));
      onResult(index, results);
      progress.taskDone(id);
    }
  };
  try {
    await Promise.race([
      Promise.all(Array.from({ length: size }, (_, id) => lane(id))),
      new Promise<never>((_, reject) => {
        signal?.addEventListener('abort', () => reject(stopped()), { once: true });
      }),
    ]);
  } finally {
    await threads.close();
  }
}

const stopped = (): Interrupted => new Interrupted('stopped before the end');

/** Counts what is done. */
class Tally {
  readonly #total: number;
  readonly #fractions: Float64Array;
  readonly #tell: PoolOptions['onProgress'];
  #done = 0;

  constructor(total: number, workers: number, tell: PoolOptions['onProgress']) {
    this.#total = total;
    this.#fractions = new Float64Array(workers);
    this.#tell = tell;
  }

  underWay(worker: number, fraction: number): void {
    this.#fractions[worker] = fraction;
    this.#report();
  }

  taskDone(worker: number): void {
    this.#done++;
    this.#fractions[worker] = 0;
    this.#report();
  }

  #report(): void {
    const underWay = this.#fractions.reduce((sum, fraction) => sum + fraction, 0);
    this.#tell?.({ done: this.#done, total: this.#total, fraction: (this.#done + underWay) / this.#total });
  }
}
