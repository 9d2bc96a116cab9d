import type { Action } from '../domain/decision.ts';
import type { Load } from '../domain/reward.ts';
import type { Rng } from '../domain/rng.ts';
import type { Snapshot } from './snapshot.ts';

/** What a policy sees when it must choose. */
export interface PolicyInput {
  readonly snapshot: Snapshot;
  /** Only those that the shield allows, at least two; `wait`, where allowed, is the last. */
  readonly candidates: readonly Action[];
  /** GPU-seconds that jobs took which ended well before now, ascending; empty: nothing is known of any. */
  readonly history: readonly number[];
  readonly rng: Rng;
}

/** A policy's answer. */
export interface PolicyChoice {
  /** Index into `candidates`. */
  readonly index: number;
  /** A score per candidate, higher is better; null where the policy does not score. */
  readonly scores: readonly number[] | null;
  readonly epsilon: number | null;
  /** True when the choice was random exploration. */
  readonly explored: boolean;
  /**
   * The feature rows that were scored, candidates × FEATURE_COUNT, row-major; null for policies without
   * features. What a learner stores.
   */
  readonly features: Float32Array | null;
}

/**
 * A policy picks one candidate at a time until it answers `wait` or nothing is left. It may throw: the caller
 * then uses the heuristic for that decision and records why. It never does I/O.
 */
export interface Policy {
  readonly name: string;
  /** Changes whenever the same input could give another answer, such as after new weights. */
  readonly version: string;
  /** True: it must be told true durations, which nobody knows. A bound to compare with, and no choice for a live queue. */
  readonly clairvoyant?: boolean;
  /** True: it may also preempt, pause and resume. Others are offered launches and `wait` alone. */
  readonly preempts?: boolean;
  /** True: it wants to be asked though nobody waits, since it may move who runs to idle devices. */
  readonly moves?: boolean;
  /** After how long it wants to be asked again though nothing happens; left out: never. Seconds, above 0. */
  reviewAfterS?(snapshot: Snapshot, history: readonly number[]): number;
  choose(input: PolicyInput): PolicyChoice;
  /** Where it learns from how it goes: told the load from now on, at every change and before every decision. */
  advance?(load: Load, nowMs: number): void;
  /** The same: the machine is idle, which ends an episode. */
  idle?(): void;
}
