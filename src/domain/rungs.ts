/** Ways to have a job stand still, the gentlest first. */
export const PAUSE_RUNGS = ['checkpoint', 'cuda-checkpoint', 'freezer', 'signals'] as const;
export type PauseRung = (typeof PAUSE_RUNGS)[number];

/** Ways to hold a job at a share of its speed, the gentlest first. */
export const THROTTLE_RUNGS = ['cpu-quota', 'nice', 'gpu-power', 'duty-cycle'] as const;
export type ThrottleRung = (typeof THROTTLE_RUNGS)[number];
/** Those that kernel and driver keep to by themselves, once they are told. */
export type HeldRung = Exclude<ThrottleRung, 'duty-cycle'>;

/** Of these the GPU memory is free while the job is paused. */
export const FREES_VRAM: ReadonlySet<PauseRung> = new Set(['checkpoint', 'cuda-checkpoint']);
