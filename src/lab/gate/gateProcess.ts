/** Entry of the process that judges one candidate and ends. Started by the engine, at the lowest priority. */
import { setPriority } from 'node:os';
import { messageOf } from '../../domain/errors.ts';
import type { GateMessage, GateTask } from '../../domain/gateMessage.ts';
import { judge } from './judge.ts';

const LOWEST_PRIORITY = 19;

// An engine that is gone has no use for the verdict.
process.on('disconnect', () => process.exit(0));
process.once('message', async (task: GateTask) => {
  setPriority(LOWEST_PRIORITY);
  let message: GateMessage;
  try {
    message = { report: await judge(task, Date.now(), () => performance.now() / 1000) };
  } catch (error) {
    message = { trouble: messageOf(error) };
  }
  process.send?.(message, () => process.exit(0));
});
