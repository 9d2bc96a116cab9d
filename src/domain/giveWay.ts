import { z } from 'zod';

/** Whether, and how often, running jobs may be made to give way to others: the owner's limits on every policy. */
export const giveWaySchema = z.object({
  /** True: jobs that say they are restartable may be stopped at their checkpoint. */
  preempt: z.boolean('give true or false'),
  /** True: jobs that are not may be paused where they stand, with their memory held. */
  pause: z.boolean('give true or false'),
  /** A job that has given way so often is left alone. */
  maxPreemptions: z.int('give a whole number').min(0, 'give 0 or more').max(1000, 'give at most 1000'),
  /** Seconds for which a job is left alone after it was started, paused or resumed. */
  minSpellS: z.number('give seconds').min(0, 'give 0 or more seconds').max(3.2e8, 'give less than ten years'),
});
export type GiveWay = z.output<typeof giveWaySchema>;
