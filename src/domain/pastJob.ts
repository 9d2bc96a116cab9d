import { z } from 'zod';
import { jobSchema } from './job.ts';

/** A job that is over, as the record has it. Times are Unix milliseconds. */
export const pastJobSchema = z.object({
  ...jobSchema.pick({
    id: true,
    name: true,
    user: true,
    gpus: true,
    devices: true,
    vramMib: true,
    exclusive: true,
    priority: true,
    moved: true,
    estimateS: true,
    status: true,
    exitCode: true,
    submittedAtMs: true,
    startedAtMs: true,
  }).shape,
  /** What was run, without its arguments. */
  command: z.string(),
  /** Since when it might have been started: submitted, released, its time come, what it waits for over. */
  readyAtMs: z.number(),
  finishedAtMs: z.number(),
  /** Seconds that it ran, without its pauses; 0 when it never ran. */
  runS: z.number(),
  /** Seconds that it stood still. */
  pausedS: z.number(),
  /**
   * The most memory that was in use on one of its devices while it had them to itself, whatever else was on them (a
   * desktop) included; null: no readings are left, or it shared.
   */
  peakMib: z.number().nullable(),
  /** The policy that was in charge when it was started; null: it was not, or nobody knows. */
  policy: z.string().nullable(),
});
export type PastJob = z.output<typeof pastJobSchema>;
