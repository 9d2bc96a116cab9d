import { statSync } from 'node:fs';
import { messageOf } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import type { MachineRules } from '../../domain/machineRules.ts';
import type { Log } from '../ports.ts';
import type { LogGapStore } from '../store/logGapStore.ts';
import type { Ledger } from './ledger.ts';
import { offsetOfLine, STEP_BYTES } from './lineIndex.ts';
import { NoHolesError, punchHole } from './punchHole.ts';
import type { RunDirectory } from './runDirectory.ts';

const INTERVAL_MS = 2000;
/** Its beginning says what the job was started with, and stays. */
const HEAD_BYTES = STEP_BYTES;
/** Cut so far below the cap that it is not cut again at once. */
const LEFT = 0.75;
const BYTES_PER_MIB = 1024 * 1024;

export interface LogCapOptions {
  readonly ledger: Ledger;
  readonly store: LogGapStore;
  readonly runOf: (job: Pick<Job, 'id' | 'attempt'>) => RunDirectory;
  readonly rules: () => Pick<MachineRules, 'logCapMib' | 'capOutput'>;
  readonly log: Log;
  /** As `punchHole`. */
  readonly punch?: typeof punchHole;
  readonly intervalMs?: number;
}

/**
 * Keeps the logs of running jobs within the owner's cap: what lies between the first 4 MiB and the latest part is given back
 * to the disk, while the job goes on writing where it was. All offsets stay true; the lines of what goes are counted before.
 * Recorded first: a reader never takes the hole for what the job wrote.
 */
export class LogCap {
  readonly #options: LogCapOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #unsubscribe: () => void;
  #looking: Promise<void> | null = null;
  #stopped = false;
  /** Whether it works here; null: nothing had to be cut yet. */
  works: boolean | null = null;

  constructor(options: LogCapOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(options.ledger.live()), options.intervalMs ?? INTERVAL_MS);
    // What it wrote at last, and whatever it wrote between two looks.
    this.#unsubscribe = options.ledger.onEvent(({ event }, job, before) => {
      if (event.kind === 'exited' && before !== null) this.#look([{ ...before, outputPath: job.outputPath }]);
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#unsubscribe();
    await this.#looking;
  }

  #look(jobs: readonly Job[]): void {
    if (jobs.length === 0 || this.#stopped) return;
    const before = this.#looking ?? Promise.resolve();
    const now = before.then(async () => {
      for (const job of jobs) if (!this.#stopped) await this.#guarded(job);
    });
    this.#looking = now;
    void now.finally(() => {
      if (this.#looking === now) this.#looking = null;
    });
  }

  async #guarded(job: Job): Promise<void> {
    try {
      await this.#keepWithin(job);
    } catch (error) {
      this.#options.log.warn(`the log of job ${job.id} could not be cut`, { error: messageOf(error) });
    }
  }

  async #keepWithin(job: Job): Promise<void> {
    const { store, rules, runOf, punch = punchHole } = this.#options;
    const { logCapMib, capOutput } = rules();
    // The file that `--output` names is the same one, and is its owner's.
    if (logCapMib === null || this.works === false || (job.outputPath !== null && !capOutput)) return;
    const path = runOf(job).logPath;
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat?.isFile()) return;
    const capBytes = logCapMib * BYTES_PER_MIB;
    const known = store.of(job.id, job.attempt);
    const dropped = known === null ? 0 : known.to - known.from;
    if (stat.size - dropped <= capBytes) return;
    const to = Math.floor((stat.size + HEAD_BYTES - capBytes * LEFT) / STEP_BYTES) * STEP_BYTES;
    if (to <= (known?.to ?? HEAD_BYTES)) return;
    // No log has so many lines: it counts all there are.
    await offsetOfLine(path, Number.MAX_SAFE_INTEGER, known);
    store.set(job.id, job.attempt, { from: HEAD_BYTES, to, why: 'cap' });
    try {
      await punch(path, HEAD_BYTES, to);
      this.works = true;
    } catch (error) {
      if (!(error instanceof NoHolesError)) throw error;
      store.set(job.id, job.attempt, known);
      this.works = false;
      this.#options.log.warn('logs grow beyond their cap here: nothing can be dropped from them', {
        error: error.message,
      });
    }
  }
}
