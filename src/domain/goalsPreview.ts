import { z } from 'zod';
import { goalWeightsSchema } from './reward.ts';

/** How the jobs fared in one replay. */
const faredSchema = z.object({
  goals: goalWeightsSchema,
  /** From its arrival to its start. */
  meanWaitS: z.number(),
  meanCompletionS: z.number(),
  meanSlowdown: z.number(),
  maxWaitS: z.number(),
  /** GPU-hours that jobs held. */
  gpuHours: z.number(),
  /** What GPUs would draw above idling, by a model of a card of 250 W. */
  energyKwh: z.number(),
});
export type Fared = z.output<typeof faredSchema>;

/** What other goals would have changed: the same jobs replayed under the goals of now and under those. */
export const goalsPreviewSchema = z.object({
  policy: z.string(),
  /** False: this policy has one rule of its own, and no goals change it. */
  heeds: z.boolean(),
  fromMs: z.number(),
  toMs: z.number(),
  gpus: z.int(),
  /** Jobs that were replayed. */
  jobs: z.int(),
  now: faredSchema,
  instead: faredSchema,
  /** How many would have started earlier, later, and at the same time (within a second). */
  earlier: z.int(),
  later: z.int(),
  same: z.int(),
  /** Those whose start would have moved most, the most first. */
  moved: z.array(
    z.object({
      jobId: z.int(),
      name: z.string(),
      user: z.string(),
      /** Starts in the replay under the goals of now, and under the others. */
      startMs: z.number(),
      insteadMs: z.number(),
    }),
  ),
  /** What it cannot know, in sentences. */
  limits: z.array(z.string()),
});
export type GoalsPreview = z.output<typeof goalsPreviewSchema>;

/** A preview under way: how far it is, 0 to 1; at the end what it found. */
export const previewMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), fraction: z.number() }),
  z.object({ type: z.literal('preview'), preview: goalsPreviewSchema }),
]);
export type PreviewMessage = z.output<typeof previewMessageSchema>;
