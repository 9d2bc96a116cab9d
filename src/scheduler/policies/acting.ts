import { isBandit, isNetwork, type PolicyName } from '../../domain/policyNames.ts';
import { FEATURE_NAMES } from '../features.ts';
import { decodeWeights, type Weights } from '../network.ts';
import type { Policy } from '../policy.ts';
import type { BanditState } from './bandit.ts';
import { createDqnPolicy, NO_EXPLORATION } from './dqn.ts';
import { banditByName, heuristicByName } from './heuristics.ts';
import { createPgPolicy } from './pg.ts';

/** Who decides, as data, so that another process can decide the same. */
export interface ActingPolicy {
  readonly name: PolicyName;
  readonly version: string;
  /** Blob of encodeWeights; null for a policy without weights. */
  readonly weights: Uint8Array | null;
  /** What a bandit knows; null for any other. */
  readonly bandit: BanditState | null;
}

/** By their blob. */
const decoded = new WeakMap<Uint8Array, Weights>();

/**
 * The policy that it stands for, anew: it tries nothing at random, and what it learns it keeps for itself.
 * @throws {WeightsError} when the weights cannot be used.
 */
export function policyOf({ name, version, weights: blob, bandit }: ActingPolicy): Policy {
  if (isBandit(name)) return banditByName(name, bandit === null ? {} : { state: bandit });
  if (!isNetwork(name)) return heuristicByName(name);
  let weights = blob === null ? null : (decoded.get(blob) ?? null);
  if (blob !== null && weights === null) {
    weights = decodeWeights(blob, FEATURE_NAMES);
    decoded.set(blob, weights);
  }
  if (name === 'pg') return createPgPolicy({ weights, version });
  return createDqnPolicy({ weights, version, exploration: NO_EXPLORATION });
}
