import { setPriority } from 'node:os';
import { FieldError, messageOf } from '../domain/errors.ts';
import type { LabAnswer } from '../domain/labAnswer.ts';

/** Behind everything else on the machine, and yet somebody waits for it. */
const PRIORITY = 10;
const TOLD_EVERY_MS = 200;

/**
 * Makes this process one that does the first task it is sent, says how far it is, answers, and ends.
 * @param work null: there is nothing to do it with. It may tell how far it is, 0 to 1, as often as it likes.
 */
export function answerOnce<Task, Found>(
  work: (task: Task, onProgress: (fraction: number) => void) => Found | null | Promise<Found | null>,
): void {
  // An engine that is gone, or that nobody asks any more, has no use for it.
  process.on('disconnect', () => process.exit(0));
  process.once('message', async (task: Task) => {
    setPriority(PRIORITY);
    let toldAtMs = performance.now();
    const onProgress = (fraction: number): void => {
      if (performance.now() - toldAtMs < TOLD_EVERY_MS) return;
      toldAtMs = performance.now();
      process.send?.({ fraction } satisfies LabAnswer<Found>);
    };
    let answer: LabAnswer<Found>;
    try {
      answer = { found: await work(task, onProgress) };
    } catch (error) {
      answer =
        error instanceof FieldError
          ? { wrong: { field: error.field, value: error.value, remedy: error.remedy } }
          : { trouble: messageOf(error) };
    }
    process.send?.(answer, () => process.exit(0));
  });
}
