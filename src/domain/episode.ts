import { z } from 'zod';
import { rewardPartsSchema } from './reward.ts';

/** A busy period of the machine: from the first arrival at an idle machine until it is idle again. */
export const episodeSchema = z.object({
  id: z.int(),
  startedAtMs: z.number(),
  /** null while it lasts. */
  endedAtMs: z.number().nullable(),
  /** The policy in charge when it began. */
  policy: z.string(),
  jobsArrived: z.int(),
  jobsFinished: z.int(),
  decisions: z.int(),
  transitions: z.int(),
  /** Times that the policy failed and the heuristic decided. */
  fallbacks: z.int(),
  /** −∫ c_k dt over the episode in seconds, undiscounted and unweighted: comparable between episodes. */
  rewardParts: rewardPartsSchema,
  /** Σ w_k · part_k with the owner's weights, divided by the episode's seconds: the mean reward rate. */
  reward: z.number(),
  /** Of the jobs that finished in it: mean of finish − submit, s; null while none has. */
  meanJctS: z.number().nullable(),
});
export type Episode = z.output<typeof episodeSchema>;
