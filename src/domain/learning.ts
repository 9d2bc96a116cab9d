import { z } from 'zod';

/** What the owner allows the learner. */
export const learningLimitsSchema = z.object({
  /** Of one core, in percent; 0: it learns nothing, and what is new waits. */
  cpuPercent: z
    .number('give percent of one core')
    .min(0, 'give 0 or more percent')
    .max(100, 'give at most 100 percent'),
  /** True: also while the owner sits at the desk or uses a GPU by hand. */
  whilePresent: z.boolean('give true or false'),
});
export type LearningLimits = z.output<typeof learningLimitsSchema>;

export const DEFAULT_LEARNING_LIMITS: LearningLimits = { cpuPercent: 10, whilePresent: false };
