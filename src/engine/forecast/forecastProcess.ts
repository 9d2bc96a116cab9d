/** Entry of the process that plays futures of the queue, at the lowest priority, until nobody asks for any more. */
import { setPriority } from 'node:os';
import { messageOf } from '../../domain/errors.ts';
import { isBandit } from '../../domain/policyNames.ts';
import { FEATURE_NAMES } from '../../scheduler/features.ts';
import { decodeWeights, type Weights } from '../../scheduler/network.ts';
import { createDqnPolicy, NO_EXPLORATION } from '../../scheduler/policies/dqn.ts';
import { banditByName, heuristicByName } from '../../scheduler/policies/heuristics.ts';
import type { Policy } from '../../scheduler/policy.ts';
import { forecast } from '../../simulator/forecast/forecast.ts';
import type { ActingPolicy, ForecastMessage, ForecastTask } from './forecastMessages.ts';

const LOWEST_PRIORITY = 19;
setPriority(LOWEST_PRIORITY);

/** Decoded once a version. */
let decoded: { readonly version: string; readonly weights: Weights } | null = null;

/** One that tries nothing: chance in its choices would be noise in what is foreseen. */
function acting({ name, version, weights: blob, bandit }: ActingPolicy): Policy {
  if (isBandit(name)) return banditByName(name, bandit === null ? {} : { state: bandit });
  if (name !== 'dqn') return heuristicByName(name);
  if (blob !== null && decoded?.version !== version)
    decoded = { version, weights: decodeWeights(blob, FEATURE_NAMES) };
  const weights = blob === null ? null : decoded!.weights;
  return createDqnPolicy({ weights, version, exploration: NO_EXPLORATION });
}

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
  try {
    const found = forecast({
      snapshot,
      policy: () => acting(policy),
      heuristic: heuristicByName('aged'),
      limits,
      history,
      seed,
      samples,
      budgetS,
      clock: () => performance.now() / 1000,
    });
    const { user, system } = process.cpuUsage(before);
    return { ...found, tookS: (user + system) / 1e6 };
  } catch (error) {
    return { trouble: messageOf(error) };
  }
}

// An engine that is gone has no use for any of it.
process.on('disconnect', () => process.exit(0));
process.on('message', (task: ForecastTask) => void process.send?.(answer(task)));
