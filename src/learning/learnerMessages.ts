import type { AgentConfig } from './agent.ts';
import type { BackendName } from './backend.ts';

/** What the worker is started with. */
export interface WorkerStart {
  /** Blob of encodeWeights. */
  readonly weights: Uint8Array;
  readonly trainSteps: number;
  readonly config: AgentConfig;
  readonly backend: BackendName;
}

/** To the worker: a blob of encodeTransition. Only `new` ones pay for training; `old` ones refill the memory. */
export interface TransitionMessage {
  readonly kind: 'new' | 'old';
  readonly blob: Uint8Array;
}

/** From the worker. */
export type WorkerMessage =
  | { readonly kind: 'ready'; readonly backend: BackendName; readonly notes: readonly string[] }
  | {
      readonly kind: 'progress';
      readonly trainSteps: number;
      readonly replaySize: number;
      readonly loss: number | null;
      /** What went wrong with the latest weights; null when nothing did. */
      readonly trouble: string | null;
      /** New weights that passed every check; null when there are none. */
      readonly weights: Uint8Array | null;
    };
