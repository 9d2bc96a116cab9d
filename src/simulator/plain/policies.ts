import { FieldError } from '../../domain/errors.ts';

/** A policy of plain mode: an order of the queue, and what is done with it. */
export interface PlainPolicy {
  readonly name: string;
  /** It knows how long jobs will run, which nobody does: a bound to compare with, and no choice for a live queue. */
  readonly clairvoyant: boolean;
  /** True: at each pass the running jobs compete again with the waiting ones. */
  readonly preempts: boolean;
  /** True: a job that does not fit stops the pass, instead of being passed over. */
  readonly strict: boolean;
  /** A pass at every multiple of this while a job waits; null: at events only. */
  readonly reviewS: number | null;
  /** Lower goes first; ties go by arrival. */
  key(remainingS: number, gpus: number, attainedGpuS: number): number;
}

/** First come, first served, without overtaking: the order that every other one is measured against. */
const fifo: PlainPolicy = {
  name: 'fifo',
  clairvoyant: false,
  preempts: false,
  strict: true,
  reviewS: null,
  key: () => 0,
};

/**
 * First come, first served, but whoever fits may overtake, without a reservation for those that do not: first fit, as
 * in Feitelson and Rudolph, "Parallel job scheduling: issues and approaches" (1995). Wide jobs may starve.
 */
const firstFit: PlainPolicy = { ...fifo, name: 'first-fit', strict: false };

/** Shortest job first: of all orders of one machine the least mean wait without preemption (Smith, 1956). */
const sjf: PlainPolicy = {
  ...firstFit,
  name: 'sjf',
  clairvoyant: true,
  key: (remainingS) => remainingS,
};

/** Shortest remaining time first: the least mean completion time on one machine (Schrage, 1968). */
const srtf: PlainPolicy = {
  ...sjf,
  name: 'srtf',
  preempts: true,
};

/** Shortest remaining service first: remaining time × GPUs, as in Gu et al., "Tiresias" (NSDI 2019), section 3.2. */
const srsf: PlainPolicy = {
  ...srtf,
  name: 'srsf',
  key: (remainingS, gpus) => remainingS * gpus,
};

/**
 * Least attained service first (Nuyens and Wierman, "The foreground-background queue", 2008), with service counted in
 * GPU-seconds as the continuous two-dimensional LAS of Gu et al., "Tiresias" (NSDI 2019), section 3.2. It knows nothing
 * of durations. Reviewed every 300 s, because otherwise whoever runs would keep its GPUs until the next event.
 */
const las: PlainPolicy = {
  ...firstFit,
  name: 'las',
  preempts: true,
  reviewS: 300,
  key: (_remainingS, _gpus, attainedGpuS) => attainedGpuS,
};

export const PLAIN_POLICIES: readonly PlainPolicy[] = [fifo, firstFit, sjf, srtf, srsf, las];

/** @throws {FieldError} naming the field `policy`, for anything that is no plain policy's name. */
export function plainPolicy(name: string): PlainPolicy {
  const policy = PLAIN_POLICIES.find((known) => known.name === name);
  if (policy) return policy;
  const names = PLAIN_POLICIES.map((known) => known.name).join(', ');
  throw new FieldError('policy', name, `choose from ${names}, with commas between several`);
}
