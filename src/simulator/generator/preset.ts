import type { Distribution } from './distribution.ts';
import type { Rhythm } from './rhythm.ts';

/** A kind of workload: everything that generated jobs are drawn from. Where numbers come from stands beside them. */
export interface Preset {
  /** In one line, for people. */
  readonly summary: string;
  /** GPUs of the machine that `load` is meant for, when nobody says otherwise. */
  readonly gpus: number;
  /** Offered load when nobody says otherwise: Σ duration·gpus / (GPUs · span). */
  readonly load: number;
  readonly classes: readonly JobClass[];
  /** Limits of a job's duration, s: what is drawn beyond them is set to them. */
  readonly leastS: number;
  readonly mostS: number;
  readonly users: Users;
  readonly repeats: Repeats;
  readonly needs: Needs | null;
  /** What jobs ask for, and how often. */
  readonly priorities: readonly Weighted<number>[] | null;
  readonly estimates: Estimates | null;
  readonly drift: Drift | null;
}

/** Jobs that arrive in a rhythm of their own and last as one distribution says. */
export interface JobClass {
  /** Share of all jobs. The shares of a preset sum to 1. */
  readonly share: number;
  /** Null: a Poisson process of constant rate. */
  readonly rhythm: Rhythm | null;
  /** Null: every job is submitted on its own. */
  readonly sweeps: Sweeps | null;
  /** Duration of a command on one GPU. */
  readonly duration: Distribution;
  /** `factor`: how much longer a command runs when it asks for so many. */
  readonly gpus: readonly { readonly gpus: number; readonly share: number; readonly factor: number }[];
}

/** Several jobs of the same command, submitted by a loop. */
export interface Sweeps {
  /** Share of the class's jobs that come in sweeps. */
  readonly share: number;
  /** How many jobs a sweep may have; each size is as likely. */
  readonly sizes: readonly number[];
  /** Between two submissions of one sweep. */
  readonly gapS: number;
}

/** `names`, or u1, u2, … Their chances fall as 1 / rank^skew (Zipf's law). */
export interface Users {
  readonly names: readonly string[] | number;
  readonly skew: number;
}

export interface Repeats {
  /** Chance that a submission takes one of the last eight commands of its user again. */
  readonly share: number;
  /** Standard deviation of the log of durations of the same command. */
  readonly sigma: number;
}

/**
 * What jobs take of a GPU. Either kinds of which pairs were measured on real GPUs, by weight, which then give memory
 * and utilisation; or distributions of both.
 */
export type Needs =
  | { readonly kinds: KindWeights }
  | { readonly vramMib: Spread; readonly mostVramMib: number; readonly gpuUtil: Spread };

/** Weights of models; the batch sizes of a model share its weight. */
export type KindWeights = Readonly<Record<string, number>>;

/** Log-normal. */
interface Spread {
  readonly median: number;
  readonly sigma: number;
}

/**
 * What submitters say. It is said once for a command: duration · bias · a log-normal error, rounded up to a value that
 * people say (10 minutes, 4 hours, 2 days).
 */
export interface Estimates {
  /** Share of commands with an estimate. */
  readonly share: number;
  readonly bias: number;
  readonly sigma: number;
}

/** What changes from the first job to the last. */
export interface Drift {
  /** How many times as long jobs are at the end as at the start. */
  readonly durationFactor: number;
  /** Weights of kinds at the end; those of `needs` hold at the start. */
  readonly kinds: KindWeights;
}

export interface Weighted<T> {
  readonly value: T;
  readonly share: number;
}
