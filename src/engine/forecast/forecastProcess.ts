/** Entry of the process that plays futures of the queue, at a low priority, until nobody asks for any more. */
import { setPriority } from 'node:os';
import { messageOf } from '../../domain/errors.ts';
import { policyOf } from '../../scheduler/policies/acting.ts';
import { heuristicByName } from '../../scheduler/policies/heuristics.ts';
import { forecast } from '../../simulator/forecast/forecast.ts';
import type { ForecastMessage, ForecastTask } from './forecastMessages.ts';

/** Behind everything else on the machine, and yet somebody waits for it. */
const PRIORITY = 10;
setPriority(PRIORITY);

function answer({
  snapshot,
  policy,
  limits,
  history,
  seed,
  samples,
  budgetS,
}: ForecastTask): ForecastMessage {
  const before = process.cpuUsage();
  // Of the processor, not of the wall: at a low priority a busy machine would leave nothing of a second.
  const clock = (): number => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  try {
    const found = forecast({
      snapshot,
      policy: () => policyOf(policy),
      heuristic: heuristicByName('aged'),
      limits,
      history,
      seed,
      samples,
      budgetS,
      clock,
    });
    return { ...found, tookS: clock() };
  } catch (error) {
    return { trouble: messageOf(error) };
  }
}

// An engine that is gone has no use for any of it.
process.on('disconnect', () => process.exit(0));
process.on('message', (task: ForecastTask) => void process.send?.(answer(task)));
