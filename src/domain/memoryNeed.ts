/** A job's use of its GPUs' memory counts as settled when its peak has not grown for so long … */
const SETTLED_AFTER_MS = 10 * 60_000;
/** … and it has run for so long: a first epoch, its evaluation and a checkpoint are behind most by then. */
const LEAST_RUN_MS = 15 * 60_000;
/** Above a measured peak so much is set aside: no two runs are alike to the MiB. */
const HEADROOM = 1.05;
/** What ran out of memory is given half as much again. */
const AFTER_OOM = 1.5;

/** What is known of a job's memory on each of its GPUs, MiB. */
export interface MemoryKnowledge {
  readonly declaredMib: number | null;
  /** Peak of earlier runs of the same command; null: there were none that were measured. */
  readonly learnedMib: number | null;
  /** Its own peak so far; null: it is not measured. */
  readonly observedMib: number | null;
  readonly settled: boolean;
}

/**
 * What is set aside for a job on each of its GPUs: the most that was declared, learned or observed; once its own use has
 * settled, what was declared beyond that is free for others.
 * @param mostMib no more than this: the memory of the largest GPU.
 * @returns whole MiB; null: nothing was declared or learned, so that it needs its GPUs to itself.
 */
export function reservationMib(known: MemoryKnowledge, mostMib: number): number | null {
  const { declaredMib, learnedMib, observedMib, settled } = known;
  if (declaredMib === null && learnedMib === null) return null;
  const learned = learnedMib === null ? 0 : HEADROOM * learnedMib;
  const seen = Math.max(learned, observedMib ?? 0);
  // A declaration is the submitter's word: it stands where it is not outdone, until the job itself has shown better.
  if (settled && observedMib !== null)
    return Math.ceil(Math.min(mostMib, Math.max(seen, HEADROOM * observedMib)));
  return Math.ceil(Math.max(declaredMib ?? 0, Math.min(mostMib, seen)));
}

/** True once a job's peak says what it needs. @param ranMs since its start, pauses included. */
export const isSettled = (ranMs: number, sinceGrowthMs: number): boolean =>
  ranMs >= LEAST_RUN_MS && sinceGrowthMs >= SETTLED_AFTER_MS;

/** What a job is given the next time that ran out of GPU memory; null: nobody knows what it had. */
export function afterOutOfMemoryMib(known: MemoryKnowledge, mostMib: number): number | null {
  const had = Math.max(known.declaredMib ?? 0, known.learnedMib ?? 0, known.observedMib ?? 0);
  return had === 0 ? null : Math.ceil(Math.min(mostMib, AFTER_OOM * had));
}
