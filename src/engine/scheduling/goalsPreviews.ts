import { setImmediate } from 'node:timers/promises';
import { ConflictError, UnavailableError } from '../../domain/errors.ts';
import type { PreviewMessage } from '../../domain/goalsPreview.ts';
import type { PastJob } from '../../domain/pastJob.ts';
import type { PreviewAnswer, PreviewTask } from '../../domain/previewMessage.ts';
import type { GoalWeights } from '../../domain/reward.ts';
import type { ActingPolicy } from '../../scheduler/policies/acting.ts';
import { forkProgram, killProgram } from '../forkProgram.ts';
import type { HistoryCursor, HistoryStore } from '../store/historyStore.ts';

export interface GoalsPreviewOptions {
  readonly goals: () => GoalWeights;
  readonly acting: () => ActingPolicy;
  readonly history: HistoryStore;
  readonly devicesMib: () => readonly number[];
}

const HEAP_MIB = 512;
/** The engine does nothing else while it reads a page: this is about 15 ms. */
const PAGE = 250;
/** A week of a busy machine; more would keep whoever asks waiting for minutes. */
const MOST_JOBS = 5000;
/** The engine does not know the lab: it starts a program that lies there. */
const PROGRAM = '../../lab/preview/previewProcess';

/** Replays the day under other goals, in a process of the lowest priority. One at a time: each takes a whole core. */
export class GoalsPreviews {
  private readonly options: GoalsPreviewOptions;
  private running: ReturnType<typeof forkProgram> | null = null;
  private busy = false;

  constructor(options: GoalsPreviewOptions) {
    this.options = options;
  }

  /**
   * @param change what is left out stays as it is now. @param signal ends it: whoever asked is gone.
   * @throws {ConflictError} while another is under way, or when nothing of that time can be replayed.
   */
  async *preview(
    change: Partial<GoalWeights>,
    fromMs: number,
    toMs: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<PreviewMessage> {
    if (this.busy)
      throw new ConflictError('another preview is under way', 'ask again when it is done, or end it');
    this.busy = true;
    try {
      yield* this.replayed(change, fromMs, toMs, signal);
    } finally {
      this.busy = false;
    }
  }

  private async *replayed(
    change: Partial<GoalWeights>,
    fromMs: number,
    toMs: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<PreviewMessage> {
    const { goals, acting, history, devicesMib } = this.options;
    const now = goals();
    const jobs = await pastJobs(history, fromMs, toMs);
    if (!jobs.some(({ gpus, startedAtMs }) => gpus > 0 && startedAtMs !== null)) throw nothingThere();
    const { bandit: _learned, ...policy } = acting();
    const task: PreviewTask = {
      history: jobs,
      fromMs,
      toMs,
      devicesMib: devicesMib(),
      policy: { ...policy, bandit: null },
      now,
      instead: { ...now, ...change },
      seed: 1,
    };
    const child = forkProgram(import.meta.url, PROGRAM, HEAP_MIB);
    this.running = child;
    const answers: PreviewAnswer[] = [];
    let wake = (): void => undefined;
    let gone: string | null = null;
    const end = (why: string): void => {
      gone ??= why;
      wake();
    };
    child.on('message', (answer: PreviewAnswer) => {
      answers.push(answer);
      wake();
    });
    child.on('error', (error) => end(error.message));
    child.on('close', (code, cause) =>
      end(cause === null ? `it ended with status ${code}` : `it got ${cause}`),
    );
    const stop = (): void => end('nobody waits for it');
    signal?.addEventListener('abort', stop);
    try {
      child.send(task, (error) => error && end(error.message));
      yield { type: 'progress', fraction: 0 };
      for (;;) {
        const answer = answers.shift();
        if (answer === undefined) {
          signal?.throwIfAborted();
          if (gone !== null)
            throw new UnavailableError(`the preview came to nothing: ${gone}`, 'ask for it again');
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        } else if ('fraction' in answer) yield { type: 'progress', fraction: answer.fraction };
        else if ('trouble' in answer)
          throw new UnavailableError(`the preview came to nothing: ${answer.trouble}`, 'ask for it again');
        else if (answer.preview === null) throw nothingThere();
        else {
          yield { type: 'preview', preview: answer.preview };
          return;
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

const nothingThere = (): ConflictError =>
  new ConflictError(
    'no job that arrived in that time ran on a GPU of this machine and is over',
    'ask for a longer time, such as `stint goals --preview --from 7d`',
  );

/** Page by page, so that nobody waits for it. @throws {ConflictError} when there are too many. */
async function pastJobs(history: HistoryStore, fromMs: number, toMs: number): Promise<PastJob[]> {
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
