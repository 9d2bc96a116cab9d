import { FieldError } from './errors.ts';

/** Names that `--policy`, the contract and the console accept. */
export const POLICY_NAMES = ['fifo', 'first-fit', 'priority', 'dqn'] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

/** @throws {FieldError} naming the field `policy`, for anything that is no policy's name. */
export function parsePolicyName(text: string): PolicyName {
  const name = POLICY_NAMES.find((known) => known === text);
  if (name === undefined) throw new FieldError('policy', text, `choose one of ${POLICY_NAMES.join(', ')}`);
  return name;
}
