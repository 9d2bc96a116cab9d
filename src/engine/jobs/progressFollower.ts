import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import type { Job } from '../../domain/job.ts';
import { mayHappen } from '../../domain/lifecycle.ts';
import { isNews, readProgress } from '../../domain/progress.ts';
import type { Clock } from '../ports.ts';
import type { Ledger } from './ledger.ts';

const READ_BYTES = 64 * 1024;

export interface ProgressFollowerOptions {
  readonly ledger: Ledger;
  readonly logPath: (job: Job) => string;
  readonly clock: Clock;
}

/** Reads from the end of jobs' output how far they are, and records what is news. */
export class ProgressFollower {
  readonly #options: ProgressFollowerOptions;
  /** Size of each output when it was last read. */
  readonly #sizes = new Map<number, number>();

  constructor(options: ProgressFollowerOptions) {
    this.#options = options;
  }

  /** @param last the job has ended, so that nothing comes after: it is read whether it has grown or not. */
  follow(job: Job, last = false): void {
    const { ledger, logPath, clock } = this.#options;
    const path = logPath(job);
    if (!existsSync(path)) return;
    const size = statSync(path).size;
    if (!last && size === this.#sizes.get(job.id)) return;
    this.#sizes.set(job.id, size);
    const progress = readProgress(readTail(path, size, READ_BYTES));
    if (progress === null || !mayHappen(job.status, 'progressed')) return;
    const atMs = clock.nowMs();
    const startedAtMs = job.startedAtMs ?? atMs;
    if (!isNews({ known: job.progress, startedAtMs, fraction: progress.fraction, atMs, last })) return;
    ledger.append(job.id, { kind: 'progressed', progress: { ...progress, atMs } }, 'process');
  }

  forget(jobId: number): void {
    this.#sizes.delete(jobId);
  }
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
