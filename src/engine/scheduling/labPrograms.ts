import { setImmediate } from 'node:timers/promises';
import { ConflictError, FieldError, UnavailableError } from '../../domain/errors.ts';
import type { LabAnswer } from '../../domain/labAnswer.ts';
import type { PastJob } from '../../domain/pastJob.ts';
import { forkProgram, killProgram } from '../forkProgram.ts';
import type { HistoryCursor, HistoryStore } from '../store/historyStore.ts';

/** How far it is, 0 to 1, or what was found; null: there is nothing to replay. */
export type LabNews<Found> = { readonly fraction: number } | { readonly found: Found | null };

const HEAP_MIB = 512;
/** The engine does nothing else while it reads a page: this is about 15 ms. */
const PAGE = 250;
/** A week of a busy machine; more would keep whoever asks waiting for minutes. */
const MOST_JOBS = 5000;
/** The engine does not know the lab: it starts programs that lie there. */
const PROGRAMS = {
  preview: '../../lab/preview/previewProcess',
  replay: '../../lab/replay/replayProcess',
} as const;

/** Simulations of the record in a process of low priority. One at a time, whichever it is: each takes a whole core. */
export class LabPrograms {
  private running: ReturnType<typeof forkProgram> | null = null;
  private busy: keyof typeof PROGRAMS | null = null;

  /**
   * Has a program do what it is made for.
   * @param signal ends it: whoever asked is gone.
   * @throws {ConflictError} while another is under way. @throws {FieldError} {UnavailableError} as the program says.
   */
  async *run<Task extends object, Found>(
    program: keyof typeof PROGRAMS,
    task: () => Promise<Task>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<LabNews<Found>> {
    if (this.busy !== null)
      throw new ConflictError(`another ${this.busy} is under way`, 'ask again when it is done, or end it');
    this.busy = program;
    try {
      yield* this.answers<Found>(program, await task(), signal);
    } finally {
      this.busy = null;
    }
  }

  private async *answers<Found>(
    program: keyof typeof PROGRAMS,
    task: object,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<LabNews<Found>> {
    const child = forkProgram(import.meta.url, PROGRAMS[program], HEAP_MIB);
    this.running = child;
    const answers: LabAnswer<Found>[] = [];
    let wake = (): void => undefined;
    let gone: string | null = null;
    const end = (why: string): void => {
      gone ??= why;
      wake();
    };
    child.on('message', (answer: LabAnswer<Found>) => {
      answers.push(answer);
      wake();
    });
    child.on('error', (error) => end(error.message));
    child.on('close', (code, cause) =>
      end(cause === null ? `it ended with status ${code}` : `it got ${cause}`),
    );
    const stop = (): void => end('nobody waits for it');
    signal?.addEventListener('abort', stop);
    const nothing = (why: string): UnavailableError =>
      new UnavailableError(`the ${program} came to nothing: ${why}`, 'ask for it again');
    try {
      child.send(task, (error) => error && end(error.message));
      yield { fraction: 0 };
      for (;;) {
        const answer = answers.shift();
        if (answer === undefined) {
          signal?.throwIfAborted();
          if (gone !== null) throw nothing(gone);
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        } else if ('trouble' in answer) throw nothing(answer.trouble);
        else if ('wrong' in answer) {
          const { field, value, remedy } = answer.wrong;
          throw new FieldError(field, value, remedy);
        } else {
          yield answer;
          if ('found' in answer) return;
        }
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      this.running = null;
      await killProgram(child);
    }
  }

  /** Ends the one that is under way. */
  async stop(): Promise<void> {
    if (this.running !== null) await killProgram(this.running);
  }
}

/**
 * Jobs that are over and were in the system within some time, page by page, so that nobody waits for it.
 * @throws {ConflictError} when there are too many.
 */
export async function pastJobs(history: HistoryStore, fromMs: number, toMs: number): Promise<PastJob[]> {
  const jobs: PastJob[] = [];
  for (let after: HistoryCursor | null = null; ; ) {
    const page = history.jobs(fromMs, toMs, PAGE, after);
    jobs.push(...page.jobs);
    if (jobs.length > MOST_JOBS)
      throw new ConflictError(`more than ${MOST_JOBS} jobs ended in that time`, 'ask for a shorter time');
    after = page.next;
    if (after === null) return jobs;
    await setImmediate();
  }
}

/** @param remedy how to ask for a time in which something ran. */
export const nothingRan = (remedy: string): ConflictError =>
  new ConflictError('no job that arrived in that time ran on a GPU of this machine and is over', remedy);

/** Whether something of it ran on a GPU, so that a program is worth starting. */
export const someRan = (jobs: readonly PastJob[]): boolean =>
  jobs.some(({ gpus, startedAtMs }) => gpus > 0 && startedAtMs !== null);
