import { z } from 'zod';
import { PAUSE_RUNGS, THROTTLE_RUNGS } from './rungs.ts';

/** What may be asked for: a rung, or the first of them that works for the job. */
export const pauseBySchema = z.enum(['auto', ...PAUSE_RUNGS], `choose from auto, ${PAUSE_RUNGS.join(', ')}`);
export type PauseBy = z.output<typeof pauseBySchema>;

export const throttleBySchema = z.enum(
  ['auto', ...THROTTLE_RUNGS],
  `choose from auto, ${THROTTLE_RUNGS.join(', ')}`,
);
export type ThrottleBy = z.output<typeof throttleBySchema>;

/** Whether a rung works on this machine. What a job needs beyond that is told when it is asked for. */
export const rungSchema = z.object({
  ladder: z.enum(['pause', 'throttle']),
  rung: z.string(),
  /** What it does, in a few words. */
  does: z.string(),
  works: z.boolean(),
  /** Why it does not, and what would help; where it does, what to know of it, or null. */
  note: z.string().nullable(),
});
export type Rung = z.output<typeof rungSchema>;
