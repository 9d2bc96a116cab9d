import { FieldError } from '../../domain/errors.ts';
import { isTerminal, type Job } from '../../domain/job.ts';
import type { PastReplay, ReplayMessage, ReplayTask } from '../../domain/pastReplay.ts';
import { NETWORKS } from '../../domain/policyNames.ts';
import { LAB_POLICY_NAMES } from '../../scheduler/policies/heuristics.ts';
import { resourcePath } from '../packageRoot.ts';
import type { HistoryStore } from '../store/historyStore.ts';
import { type LabPrograms, nothingRan, pastJobs, someRan } from './labPrograms.ts';

export interface ReplaysOptions {
  readonly programs: LabPrograms;
  readonly history: HistoryStore;
  /** Jobs that run or wait. */
  readonly open: () => readonly Job[];
  readonly devices: () => readonly { readonly id: string; readonly memoryTotalMib: number }[];
}

export interface ReplayQuestion {
  readonly fromMs: number;
  readonly toMs: number;
  /** null: all heuristics, and a bound. */
  readonly policies: readonly string[] | null;
  /** null: as many GPUs as there are. */
  readonly gpus: number | null;
  readonly seed: number;
}

const LONGER = 'give a longer time';

/** Replays stretches of the record under other policies. */
export class Replays {
  private readonly options: ReplaysOptions;

  constructor(options: ReplaysOptions) {
    this.options = options;
  }

  /**
   * @param signal ends it: whoever asked is gone.
   * @throws {FieldError} for a policy that there is not, and where no job fits on so few GPUs.
   * @throws {ConflictError} while another is under way, or when nothing of that time can be replayed.
   */
  async *replay(question: ReplayQuestion, signal: AbortSignal | undefined): AsyncGenerator<ReplayMessage> {
    const { fromMs, toMs } = question;
    const known: readonly string[] = [...LAB_POLICY_NAMES, ...NETWORKS];
    const wrong = question.policies?.find((name) => !known.includes(name));
    if (wrong !== undefined) throw new FieldError('policies', wrong, `choose from ${known.join(', ')}`);
    const task = async (): Promise<ReplayTask> => {
      const { history, open, devices } = this.options;
      const jobs = await pastJobs(history, fromMs, toMs);
      if (!someRan(jobs)) throw nothingRan(LONGER);
      const notOver = open().filter(
        ({ status, submittedAtMs }) => !isTerminal(status) && submittedAtMs >= fromMs && submittedAtMs < toMs,
      );
      return {
        ...question,
        history: jobs,
        notOver: notOver.length,
        devices: devices().map(({ id, memoryTotalMib }) => ({ id, memoryTotalMib })),
        weightsPath: resourcePath('policy', 'second-wind.json'),
      };
    };
    for await (const news of this.options.programs.run<ReplayTask, PastReplay>('replay', task, signal)) {
      if ('fraction' in news) yield { type: 'progress', fraction: news.fraction };
      else if (news.found === null) throw nothingRan(LONGER);
      else yield { type: 'replay', replay: news.found };
    }
  }
}
