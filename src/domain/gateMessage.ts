import type { PastJob } from './pastJob.ts';
import type { GateReport } from './policyVersion.ts';

/** What is to be judged, and on what. */
export interface GateTask {
  /** Blobs of encodeWeights. */
  readonly candidate: Uint8Array;
  readonly inCharge: { readonly version: string; readonly weights: Uint8Array };
  /** The owner's jobs of the last days that are over. */
  readonly history: readonly PastJob[];
  readonly devicesMib: readonly number[];
  readonly seed: number;
  /** Smaller worlds, for a quick look. Jobs in each standing world; 100 when left out. */
  readonly jobsPerWorld?: number;
  /** Part of one core that it may take, 0 to 1; left out: all that it gets, since a person waits for it. */
  readonly share?: number;
}

/** The share is another from now on. Told after the task. */
export interface GateShare {
  readonly share: number;
}

/** What the process that judges a candidate says, once. */
export type GateMessage = { readonly report: GateReport } | { readonly trouble: string };
