import { messageOf } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { Secrets } from '../jobs/secrets.ts';
import type { Clock, Log } from '../ports.ts';
import type { CodeStore, StoredCode } from '../store/codeStore.ts';
import { type CodeReading, readCode } from './readCode.ts';

/** A repository that takes longer to look through is left alone, and the record says so. */
const READING_TIMEOUT_MS = 10_000;
/** Whoever asks for a record that is being made waits for it so long. */
const PATIENCE_MS = 5000;

export interface CodeRecorderOptions {
  readonly ledger: Ledger;
  readonly store: CodeStore;
  readonly secrets: Secrets;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
  readonly timeoutMs?: number;
}

/**
 * Records what the code of each submission is, right after it: nobody waits for git to submit or to start something. That it
 * is due is written with the submission, so what an engine did not come to, the next does. What was submitted from one
 * directory meanwhile shares a reading, so that a thousand submissions are not a thousand processes; an array has one for
 * all of its jobs.
 */
export class CodeRecorder {
  readonly #options: CodeRecorderOptions;
  /** Submissions that nothing was read for yet, by directory. */
  readonly #waiting = new Map<string, Job[]>();
  /** Submissions whose record is being made, with who waits for it. */
  readonly #making = new Map<number, PromiseWithResolvers<void>>();
  readonly #ended = new AbortController();
  readonly #unsubscribe: () => void;
  #reading: Promise<void> | null = null;

  constructor(options: CodeRecorderOptions) {
    this.#options = options;
    this.#unsubscribe = options.ledger.onEvent(({ event }, job) => {
      if (event.kind === 'submitted' && submissionOf(job) === job.id) this.#take(job);
    });
    for (const id of options.store.due()) this.#take(options.ledger.get(id));
  }

  #take(job: Job): void {
    const same = this.#waiting.get(job.cwd);
    if (same === undefined) this.#waiting.set(job.cwd, [job]);
    else same.push(job);
    this.#making.set(job.id, Promise.withResolvers());
    this.#reading ??= this.#readAll();
  }

  /** What is recorded of a job's code; null: nothing, since its directory is in no repository. Waits for a record under way. */
  async of(job: Job): Promise<{ readonly pending: boolean; readonly code: StoredCode | null }> {
    const id = submissionOf(job);
    const making = this.#making.get(id);
    if (making !== undefined) {
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        making.promise,
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, PATIENCE_MS);
        }),
      ]);
      clearTimeout(timer);
    }
    return { pending: this.#making.has(id), code: await this.#options.store.of(id) };
  }

  /** What is not recorded yet is left to the next engine. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#ended.abort();
    this.#waiting.clear();
    await this.#reading;
  }

  async #readAll(): Promise<void> {
    const { env, clock, log, timeoutMs = READING_TIMEOUT_MS } = this.#options;
    // So that what is submitted in one go is there.
    await new Promise(setImmediate);
    for (const [directory, jobs] of this.#waiting) {
      this.#waiting.delete(directory);
      try {
        const atMs = clock.nowMs();
        const reading = await readCode(directory, env, timeoutMs, this.#ended.signal);
        if (!this.#ended.signal.aborted) await this.#record(jobs, reading, atMs);
      } catch (error) {
        log.warn(`what the code in ${directory} is could not be recorded`, { error: messageOf(error) });
      }
      for (const { id } of jobs) {
        this.#making.get(id)?.resolve();
        this.#making.delete(id);
      }
    }
    this.#reading = null;
  }

  /** @param reading null: the directory is in no repository. */
  async #record(jobs: readonly Job[], reading: CodeReading | null, atMs: number): Promise<void> {
    const { secrets, store } = this.#options;
    if (reading === null) return store.settle(jobs.map(({ id }) => id));
    // Most jobs have no secrets of their own, and the same is left out for all of those.
    let common: CodeReading | null = null;
    for (const job of jobs) {
      const own = secrets.valuesOf(job) === null ? null : secrets.cleanedFor(job, reading);
      common ??= own === null ? secrets.cleanedFor(job, reading) : null;
      const { record, diff } = own ?? common!;
      await store.add(job.id, { ...record, diffBytes: Buffer.byteLength(diff), atMs }, diff);
    }
  }
}

/** The number under which what the jobs of one submission have in common is kept. */
const submissionOf = ({ id, array }: Job): number => array?.id ?? id;
