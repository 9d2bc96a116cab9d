import { Worker } from 'node:worker_threads';
import { messageOf } from '../domain/errors.ts';

/** A worker that ended before its work did. */
class WorkerDied extends Error {
  override readonly name = 'WorkerDied';
}

/** To a worker: one job at a time. */
export interface JobMessage<Job> {
  readonly job: Job;
}

/** From a worker. */
export type WorkerMessage<Result> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'fraction'; readonly fraction: number }
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'failed'; readonly message: string };

interface Waiting<Job, Result> {
  readonly job: Job;
  readonly onFraction: ((fraction: number) => void) | undefined;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

export interface ThreadsOptions {
  /** Module of the workers. */
  readonly entry: URL;
  /** What each is started with. */
  readonly data: unknown;
  readonly size: number;
}

/** Threads that do jobs, one each at a time, in the order in which they were given. */
export class Threads<Job, Result> {
  readonly #workers: Worker[] = [];
  readonly #idle: Worker[] = [];
  readonly #queue: Waiting<Job, Result>[] = [];
  readonly #underWay = new Map<Worker, Waiting<Job, Result>>();
  #dead: Error | null = null;

  constructor({ entry, data, size }: ThreadsOptions) {
    for (let i = 0; i < size; i++) {
      const worker = new Worker(entry, {
        name: 'lab',
        workerData: data,
        // The host's own flags (a test runner's loaders) are not for the worker.
        execArgv: ['--disable-warning=ExperimentalWarning'],
      });
      this.#workers.push(worker);
      worker.on('message', (message: WorkerMessage<Result>) => this.#hear(worker, message));
      worker.on('error', (error) => this.#die(messageOf(error)));
      worker.on('exit', (code) => this.#die(`it ended with status ${code}`));
    }
  }

  /** @throws {Error} when the job fails, {WorkerDied} when any thread has ended early. */
  run(job: Job, onFraction?: (fraction: number) => void): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== null) return reject(this.#dead);
      this.#queue.push({ job, onFraction, resolve, reject });
      this.#give();
    });
  }

  /** Ends all threads; what they were doing is given up. */
  async close(): Promise<void> {
    this.#dead ??= new WorkerDied('the threads were closed; nothing more can be run');
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #give(): void {
    while (this.#idle.length > 0 && this.#queue.length > 0) {
      const worker = this.#idle.shift()!;
      const next = this.#queue.shift()!;
      this.#underWay.set(worker, next);
      worker.postMessage({ job: next.job } satisfies JobMessage<Job>);
    }
  }

  #hear(worker: Worker, message: WorkerMessage<Result>): void {
    if (message.kind === 'fraction') {
      this.#underWay.get(worker)?.onFraction?.(message.fraction);
      return;
    }
    const done = this.#underWay.get(worker);
    this.#underWay.delete(worker);
    this.#idle.push(worker);
    this.#give();
    if (message.kind === 'done') done?.resolve(message.result);
    else if (message.kind === 'failed') done?.reject(new Error(message.message));
  }

  #die(why: string): void {
    if (this.#dead !== null) return;
    this.#dead = new WorkerDied(
      `a worker of the simulation died: ${why}; give it fewer or smaller jobs, or run it again`,
    );
    for (const { reject } of [...this.#underWay.values(), ...this.#queue]) reject(this.#dead);
    this.#underWay.clear();
    this.#queue.length = 0;
  }
}
