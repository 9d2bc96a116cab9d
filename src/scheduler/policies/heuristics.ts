import type { PolicyName } from '../../domain/policyNames.ts';
import type { Policy } from '../policy.ts';
import { fifo } from './fifo.ts';
import { firstFit } from './firstFit.ts';
import { priority } from './priority.ts';

export type HeuristicName = Exclude<PolicyName, 'dqn'>;

const HEURISTICS: Readonly<Record<HeuristicName, Policy>> = { fifo, 'first-fit': firstFit, priority };

/** The policy of that name. They keep no state, so that one of each serves everybody. */
export function heuristicByName(name: HeuristicName): Policy {
  return HEURISTICS[name];
}
