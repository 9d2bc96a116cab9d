/** Names that `--policy`, the contract and the console accept. */
export const POLICY_NAMES = ['fifo', 'first-fit', 'priority', 'dqn'] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];
