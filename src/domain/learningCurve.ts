import { z } from 'zod';

/** How learning stood after so many gradient steps. */
export const learningPointSchema = z.object({
  trainSteps: z.int(),
  atMs: z.number(),
  /** Running mean of the loss. */
  loss: z.number(),
  /** Chance of a random decision; null where the learned policy was not in charge. */
  epsilon: z.number().nullable(),
  /** Share of the last decisions in which policy and heuristic agreed; null before any. */
  agreement: z.number().nullable(),
});
export type LearningPoint = z.output<typeof learningPointSchema>;
