import { z } from 'zod';

/** Something that would keep a job from running, found before it is queued. */
export const obstacleSchema = z.object({
  /** Of the submission. */
  field: z.string(),
  problem: z.string(),
  remedy: z.string(),
  /** False: it may yet be mended before the job starts, by what it waits for or its pre hook. */
  certain: z.boolean(),
});
export type Obstacle = z.output<typeof obstacleSchema>;
