import { z } from 'zod';
import type { PastJob } from './pastJob.ts';

/** Against what happened: -0.18 is 18 % less; null for what happened itself, and where that is 0. */
const change = z.number().nullable();

/** How the jobs of a stretch of the record fared: as it was, or under one policy. */
export const replayedPolicySchema = z.object({
  /** `as it was` for what happened. */
  policy: z.string(),
  /** It knows true durations: a bound, and nobody's choice. */
  clairvoyant: z.boolean(),
  meanCompletionS: z.number(),
  meanCompletionChange: change,
  p99CompletionS: z.number(),
  p99CompletionChange: change,
  meanSlowdown: z.number(),
  meanSlowdownChange: change,
  maxWaitS: z.number(),
  maxWaitChange: change,
  /** Useful work over what the GPUs could have done; above 1 where shared ones did more than one job at a time. */
  utilisation: z.number(),
  preemptions: z.int(),
});
export type ReplayedPolicy = z.output<typeof replayedPolicySchema>;

/** A stretch of the record under other policies. */
export const pastReplaySchema = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  gpus: z.int(),
  /** Jobs that were replayed. */
  jobs: z.int(),
  /** How many of them each policy started. */
  inCharge: z.record(z.string(), z.int()),
  /**
   * How far a replay of what was done is from what happened, which is how far the rest can be trusted. null: this machine could
   * run none of the jobs.
   */
  trust: z
    .object({ policy: z.string(), meanCompletionChange: change, medianStartErrorS: z.number() })
    .nullable(),
  /** First what happened, then the policies in the order in which they were asked for. */
  rows: z.array(replayedPolicySchema),
  /** What it cannot know, in sentences. */
  limits: z.array(z.string()),
});
export type PastReplay = z.output<typeof pastReplaySchema>;

/** A replay under way: how far it is, 0 to 1; at the end what it found. */
export const replayMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), fraction: z.number() }),
  z.object({ type: z.literal('replay'), replay: pastReplaySchema }),
]);
export type ReplayMessage = z.output<typeof replayMessageSchema>;

/** What is to be replayed. */
export interface ReplayTask {
  /** Every job that is over and was in the system within the period. */
  readonly history: readonly PastJob[];
  /** Those that arrived in [fromMs, toMs) are replayed. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Jobs of the period that are not over. */
  readonly notOver: number;
  readonly devices: readonly { readonly id: string; readonly memoryTotalMib: number }[];
  /** null: as many GPUs as there are. */
  readonly gpus: number | null;
  /** null: all heuristics, and a bound. */
  readonly policies: readonly string[] | null;
  readonly weightsPath: string;
  readonly seed: number;
}
