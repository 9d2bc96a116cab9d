import type { PastJob } from './pastJob.ts';
import type { PolicyName } from './policyNames.ts';
import type { GoalWeights } from './reward.ts';

/** What is to be replayed, and under which goals. */
export interface PreviewTask {
  /** Every job that is over and was in the system within the period. */
  readonly history: readonly PastJob[];
  /** Those that arrived in [fromMs, toMs) are replayed. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly devicesMib: readonly number[];
  /** In charge, see `ActingPolicy`. */
  readonly policy: {
    readonly name: PolicyName;
    readonly version: string;
    readonly weights: Uint8Array | null;
    readonly bandit: null;
  };
  readonly now: GoalWeights;
  readonly instead: GoalWeights;
  readonly seed: number;
}
