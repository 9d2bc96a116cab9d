import type { AgentConfig, AgentState } from './agent.ts';
import type { BackendName } from './backend.ts';

/** What the worker is told first. */
export interface WorkerStart {
  /** Blob of encodeWeights. */
  readonly weights: Uint8Array;
  readonly trainSteps: number;
  readonly config: AgentConfig;
  readonly backend: BackendName;
  /** What the worker before it had learned when it was put to sleep: goes before `weights` and `trainSteps`. */
  readonly asleep: SleepState | null;
  /** Part of one core that training may take, 0 to 1. */
  readonly cpuShare: number;
}

/** All that a worker knows besides the experience, which is in the store. About 120 KiB. */
export interface SleepState {
  readonly agent: Omit<AgentState, 'replay'>;
  /** Gradient steps that were paid for and not taken, for want of experience to draw from. */
  readonly owedSteps: number;
}

/**
 * To the worker: `start` once, then blobs of encodeTransition, of which only `new` ones pay for training while `old`
 * ones refill the memory; `share`, how much of a core it may take from now on; and `sleep`, the wish that it may end, which a `new` one takes back.
 */
export type LearnerMessage =
  | { readonly kind: 'start'; readonly start: WorkerStart }
  | { readonly kind: 'new' | 'old'; readonly blob: Uint8Array }
  | { readonly kind: 'share'; readonly cpuShare: number }
  | { readonly kind: 'sleep' };

/** From the worker. */
export type WorkerMessage =
  /** Its last words. */
  | { readonly kind: 'failed'; readonly reason: string }
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
    }
  | {
      /** Nothing is left to do or to publish: the worker may be ended, and goes on as before if it is not. */
      readonly kind: 'sleepy';
      /** `new` transitions that `state` has learned from. Any that were sent since are not in it. */
      readonly heard: number;
      readonly state: SleepState;
    };
