/** Entry of the process that replays a day under other goals, once, at a low priority, and ends. Started by the engine. */
import { setPriority } from 'node:os';
import { messageOf } from '../../domain/errors.ts';
import type { PreviewAnswer, PreviewTask } from '../../domain/previewMessage.ts';
import { policyOf } from '../../scheduler/policies/acting.ts';
import { previewGoals } from './previewGoals.ts';

/** Behind everything else on the machine, and yet somebody waits for it. */
const PRIORITY = 10;
const TOLD_EVERY_MS = 200;

// An engine that is gone, or that nobody asks any more, has no use for it.
process.on('disconnect', () => process.exit(0));
process.once('message', (task: PreviewTask) => {
  setPriority(PRIORITY);
  let toldAtMs = performance.now();
  const onProgress = (fraction: number): void => {
    if (performance.now() - toldAtMs < TOLD_EVERY_MS) return;
    toldAtMs = performance.now();
    process.send?.({ fraction } satisfies PreviewAnswer);
  };
  let answer: PreviewAnswer;
  try {
    answer = { preview: previewGoals(task, () => policyOf(task.policy), onProgress) };
  } catch (error) {
    answer = { trouble: messageOf(error) };
  }
  process.send?.(answer, () => process.exit(0));
});
