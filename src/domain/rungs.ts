import { z } from 'zod';

/** Ways to have a job stand still, the gentlest first. */
export const PAUSE_RUNGS = ['checkpoint', 'cuda-checkpoint', 'freezer', 'signals'] as const;
export type PauseRung = (typeof PAUSE_RUNGS)[number];

/** Ways to hold a job at a share of its speed, the gentlest first. */
export const THROTTLE_RUNGS = ['cpu-quota', 'nice', 'gpu-power', 'duty-cycle'] as const;
export type ThrottleRung = (typeof THROTTLE_RUNGS)[number];
/** Those that kernel and driver keep to by themselves, once they are told. */
export type HeldRung = Exclude<ThrottleRung, 'duty-cycle'>;

/** What may be asked for: a rung, or the first of them that works for the job. */
export const pauseBySchema = z.enum(['auto', ...PAUSE_RUNGS], `choose from auto, ${PAUSE_RUNGS.join(', ')}`);
export type PauseBy = z.output<typeof pauseBySchema>;

export const throttleBySchema = z.enum(
  ['auto', ...THROTTLE_RUNGS],
  `choose from auto, ${THROTTLE_RUNGS.join(', ')}`,
);
export type ThrottleBy = z.output<typeof throttleBySchema>;

/** Of these the GPU memory is free while the job is paused. */
export const FREES_VRAM: ReadonlySet<PauseRung> = new Set(['checkpoint', 'cuda-checkpoint']);

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
