import { z } from 'zod';

/** One launch of a job, with how it ended. A job keeps its number through all of them. */
export const attemptSchema = z.object({
  /** From 1; names its log. */
  attempt: z.int().positive(),
  devices: z.array(z.string()),
  /** null: it never ran. */
  startedAtMs: z.number().nullable(),
  /** null: it is not over. */
  finishedAtMs: z.number().nullable(),
  exitCode: z.int().nullable(),
  /** `not-started`: it turned out that nothing was launched. */
  outcome: z.enum([
    'open',
    'succeeded',
    'failed',
    'cancelled',
    'timed-out',
    'lost',
    'preempted',
    'not-started',
  ]),
  /** Why it ended so; null where nothing needs saying. */
  cause: z.string().nullable(),
});
export type Attempt = z.output<typeof attemptSchema>;
