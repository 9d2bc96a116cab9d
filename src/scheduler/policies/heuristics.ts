import { FieldError } from '../../domain/errors.ts';
import {
  BANDITS,
  type BanditName,
  isBandit,
  type NetworkName,
  type PolicyName,
} from '../../domain/policyNames.ts';
import type { Policy } from '../policy.ts';
import { aged } from './aged.ts';
import { type BanditOptions, type BanditPolicy, createBandit } from './bandit.ts';
import { easy } from './easy.ts';
import { fair } from './fair.ts';
import { fifo } from './fifo.ts';
import { firstFit } from './firstFit.ts';
import { gittins } from './gittins.ts';
import { las } from './las.ts';
import { pack } from './pack.ts';
import { priority } from './priority.ts';
import { pspt } from './pspt.ts';
import { qssf } from './qssf.ts';
import { random } from './random.ts';
import { srsf, srtf } from './remainingTime.ts';
import { sjf } from './sjf.ts';
import { teacher } from './teacher.ts';
import { tetris } from './tetris.ts';
import { tiresias } from './tiresias.ts';
import { tunedPolicy } from './tunable.ts';

export type HeuristicName = Exclude<PolicyName, NetworkName | BanditName>;

const HEURISTICS: Readonly<Record<HeuristicName, Policy>> = {
  fifo,
  'first-fit': firstFit,
  easy,
  priority,
  aged,
  las,
  tiresias,
  gittins,
  qssf,
  pspt,
  fair,
  tetris,
  pack,
  random,
};

/** They know true durations, so that only a simulator can ask them. */
const CLAIRVOYANT: readonly Policy[] = [sjf, srtf, srsf];

/** What the learned policy starts from: no yardstick, and no choice for a live queue. */
const IN_LAB: readonly Policy[] = [...Object.values(HEURISTICS), teacher, ...CLAIRVOYANT];

/** Whom a bandit may follow: one of each kind, so that few stretches go to finding out. */
const ARMS: readonly HeuristicName[] = ['aged', 'qssf', 'pspt', 'las', 'gittins', 'tetris', 'pack', 'fair'];

/** A bandit over the heuristics. It learns: each machine has its own. */
export function banditByName(
  name: BanditName,
  options: Pick<BanditOptions, 'state' | 'onLearned'> = {},
): BanditPolicy {
  return createBandit({ ...options, name, algorithm: BANDITS[name], arms: ARMS.map(heuristicByName) });
}

/** The policy of that name. They keep no state, so that one of each serves everybody. */
export function heuristicByName(name: HeuristicName): Policy {
  return HEURISTICS[name];
}

/** All that a simulator can run without weights; last those that are `clairvoyant`. */
export const LAB_POLICY_NAMES: readonly string[] = [
  ...Object.keys(HEURISTICS),
  ...Object.keys(BANDITS),
  teacher.name,
  ...CLAIRVOYANT.map(({ name }) => name),
];

/** @throws {FieldError} naming the field `policy`, for anything that is not among them, settings or not. */
export function labPolicy(name: string): Policy {
  if (isBandit(name)) return banditByName(name);
  const policy = tunedPolicy(name) ?? IN_LAB.find((known) => known.name === name);
  if (policy === undefined) {
    throw new FieldError('policy', name, `choose one of ${LAB_POLICY_NAMES.join(', ')}`);
  }
  return policy;
}
