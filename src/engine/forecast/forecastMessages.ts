import type { ExpectedStart } from '../../domain/expectedStart.ts';
import type { ActingPolicy } from '../../scheduler/policies/acting.ts';
import type { ShieldLimits, Snapshot } from '../../scheduler/snapshot.ts';

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
