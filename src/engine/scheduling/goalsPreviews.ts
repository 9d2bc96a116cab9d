import type { GoalsPreview, PreviewMessage } from '../../domain/goalsPreview.ts';
import type { PreviewTask } from '../../domain/previewMessage.ts';
import type { GoalWeights } from '../../domain/reward.ts';
import type { ActingPolicy } from '../../scheduler/policies/acting.ts';
import type { HistoryStore } from '../store/historyStore.ts';
import { type LabPrograms, nothingRan, pastJobs, someRan } from './labPrograms.ts';

export interface GoalsPreviewOptions {
  readonly programs: LabPrograms;
  readonly goals: () => GoalWeights;
  readonly acting: () => ActingPolicy;
  readonly history: HistoryStore;
  readonly devicesMib: () => readonly number[];
}

const LONGER = 'ask for a longer time, such as `stint goals --preview --from 7d`';

/** Replays the day under other goals. */
export class GoalsPreviews {
  private readonly options: GoalsPreviewOptions;

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
    const task = async (): Promise<PreviewTask> => {
      const { goals, acting, history, devicesMib } = this.options;
      const now = goals();
      const jobs = await pastJobs(history, fromMs, toMs);
      if (!someRan(jobs)) throw nothingRan(LONGER);
      const { bandit: _learned, ...policy } = acting();
      return {
        history: jobs,
        fromMs,
        toMs,
        devicesMib: devicesMib(),
        policy: { ...policy, bandit: null },
        now,
        instead: { ...now, ...change },
        seed: 1,
      };
    };
    for await (const news of this.options.programs.run<PreviewTask, GoalsPreview>('preview', task, signal)) {
      if ('fraction' in news) yield { type: 'progress', fraction: news.fraction };
      else if (news.found === null) throw nothingRan(LONGER);
      else yield { type: 'preview', preview: news.found };
    }
  }
}
