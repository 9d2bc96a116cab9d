import { FieldError } from './errors.ts';

/** Names that `--policy`, the contract and the console accept. */
export const POLICY_NAMES = [
  'fifo',
  'first-fit',
  'easy',
  'priority',
  'aged',
  'las',
  'tiresias',
  'gittins',
  'qssf',
  'pspt',
  'fair',
  'tetris',
  'pack',
  'random',
  'bandit',
  'bandit-ucb1',
  'bandit-exp3',
  'pg',
  'dqn',
] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

/** Those that learn from how it goes, each with its algorithm. */
export const BANDITS = { bandit: 'thompson', 'bandit-ucb1': 'ucb1', 'bandit-exp3': 'exp3' } as const;
export type BanditName = keyof typeof BANDITS;
export const isBandit = (name: string): name is BanditName => Object.hasOwn(BANDITS, name);

/** @throws {FieldError} naming the field `policy`, for anything that is no policy's name. */
export function parsePolicyName(text: string): PolicyName {
  const name = POLICY_NAMES.find((known) => known === text);
  if (name === undefined) throw new FieldError('policy', text, `choose one of ${POLICY_NAMES.join(', ')}`);
  return name;
}

/** Those that are networks, trained before and shipped. */
export const NETWORKS = ['dqn', 'pg'] as const;
export type NetworkName = (typeof NETWORKS)[number];
export const isNetwork = (name: string): name is NetworkName =>
  (NETWORKS as readonly string[]).includes(name);

/** Whether it strives for what the owner's goals say; the others have one rule each. */
export const heedsGoals = (name: string): boolean => isNetwork(name) || isBandit(name);
