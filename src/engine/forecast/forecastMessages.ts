import type { ExpectedStart } from '../../domain/expectedStart.ts';
import type { PolicyName } from '../../domain/policyNames.ts';
import type { BanditState } from '../../scheduler/policies/bandit.ts';
import type { ShieldLimits, Snapshot } from '../../scheduler/snapshot.ts';

/** Who decides, so that another process can decide the same. */
export interface ActingPolicy {
  readonly name: PolicyName;
  readonly version: string;
  /** Blob of encodeWeights; null for a policy without weights. */
  readonly weights: Uint8Array | null;
  /** What a bandit knows; null for any other. */
  readonly bandit: BanditState | null;
}

/** Futures that are to be played. */
export interface ForecastTask {
  readonly snapshot: Snapshot;
  readonly policy: ActingPolicy;
  readonly limits: ShieldLimits;
  readonly history: readonly number[];
  readonly seed: number;
  readonly samples: number;
  readonly budgetS: number;
}

/** The answer to each task, in their order. `tookS`: of the processor. */
export type ForecastMessage =
  | { readonly samples: number; readonly jobs: readonly ExpectedStart[]; readonly tookS: number }
  | { readonly trouble: string };
