/** Entry of the process that judges one candidate and ends. Started by the engine, at the lowest priority. */
import { setPriority } from 'node:os';
import { messageOf } from '../../domain/errors.ts';
import type { GateMessage, GateShare, GateTask } from '../../domain/gateMessage.ts';
import { judge } from './judge.ts';
import { Restraint } from './restraint.ts';

const LOWEST_PRIORITY = 19;

// An engine that is gone has no use for the verdict.
process.on('disconnect', () => process.exit(0));
process.once('message', async (task: GateTask) => {
  setPriority(LOWEST_PRIORITY);
  const restraint = new Restraint(task.share ?? 1, () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  process.on('message', ({ share }: GateShare) => {
    restraint.share = share;
  });
  let message: GateMessage;
  try {
    const clock = (): number => performance.now() / 1000;
    message = { report: await judge(task, Date.now(), clock, () => restraint.rest()) };
  } catch (error) {
    message = { trouble: messageOf(error) };
  }
  process.send?.(message, () => process.exit(0));
});
