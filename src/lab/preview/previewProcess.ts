/** Entry of the process that replays a day under other goals, once, and ends. Started by the engine. */
import type { GoalsPreview } from '../../domain/goalsPreview.ts';
import type { PreviewTask } from '../../domain/previewMessage.ts';
import { policyOf } from '../../scheduler/policies/acting.ts';
import { answerOnce } from '../answerOnce.ts';
import { previewGoals } from './previewGoals.ts';

answerOnce<PreviewTask, GoalsPreview>((task, onProgress) =>
  previewGoals(task, () => policyOf(task.policy), onProgress),
);
