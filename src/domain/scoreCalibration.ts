import { z } from 'zod';
import { DISCOUNT_RATE_PER_S } from './reward.ts';

/**
 * What the learned policy's scores foretold, and what came. Both are costs: the mean of the weighed cost rates ahead, of which
 * what is half an hour away counts e⁻¹ (docs/learning.md); less is better.
 */
export const scoreCalibrationSchema = z.object({
  /** Decisions that were put to the test. */
  decisions: z.int(),
  /** Later ones, of which too little has come yet. */
  pending: z.int(),
  /** Means over all; null, here and below: there are too few. */
  foretold: z.number().nullable(),
  came: z.number().nullable(),
  /** Mean distance between the two. */
  error: z.number().nullable(),
  /** Pearson's correlation of the two: 1, the scores tell good times from bad ones perfectly. */
  correlation: z.number().nullable(),
  /** By what was foretold, the least first; about equally many in each. */
  bins: z.array(
    z.object({
      decisions: z.int(),
      foretold: z.number(),
      came: z.number(),
      /** Eight in ten of what came lie between. */
      p10: z.number(),
      p90: z.number(),
    }),
  ),
});
export type ScoreCalibration = z.output<typeof scoreCalibrationSchema>;

/** A decision as it was recorded, until the next. In the order in which they were taken. */
export interface ScoredStep {
  readonly atMs: number;
  /** What the policy scored what was done; null: somebody else decided, or no network did. */
  readonly score: number | null;
  /** Σ w_k r_k until the next decision. */
  readonly reward: number;
  /** e^(−βΔt). */
  readonly discount: number;
  /** The machine went idle: nothing after it counts. */
  readonly done: boolean;
}

/** What is further away than this weight is not waited for. */
const MOST_UNSEEN = 0.05;
const MOST_BINS = 8;
const FEWEST_PER_BIN = 10;
/** Clocks of decisions and of discounts may differ by rounding; more is a gap between two decisions. */
const SLACK_MS = 1000;

/** Holds scores against the discounted returns that followed them, as far as those are known. */
export function scoreCalibrationOf(steps: readonly ScoredStep[]): ScoreCalibration {
  const tested: { readonly foretold: number; readonly came: number }[] = [];
  let pending = 0;
  let ahead = 0;
  /** Weight of all that comes after what was recorded. */
  let unseen = 1;
  for (let i = steps.length - 1; i >= 0; i--) {
    const { score, reward, discount, done } = steps[i]!;
    const goesOn = !done && follows(steps[i]!, steps[i + 1]);
    ahead = reward + (goesOn ? discount * ahead : 0);
    unseen = done ? 0 : discount * (goesOn ? unseen : 1);
    if (score === null || !Number.isFinite(score)) continue;
    if (unseen > MOST_UNSEEN) pending++;
    // Not −0.
    else tested.push({ foretold: 0 - score, came: 0 - ahead });
  }
  return { ...summed(tested), pending };
}

/** Whether the next recorded decision is the one up to which costs were counted. */
function follows(step: ScoredStep, next: ScoredStep | undefined): boolean {
  if (next === undefined) return false;
  const endsAtMs = step.atMs - (1000 * Math.log(step.discount)) / DISCOUNT_RATE_PER_S;
  return !Number.isFinite(endsAtMs) || Math.abs(next.atMs - endsAtMs) <= SLACK_MS;
}

function summed(
  tested: readonly { readonly foretold: number; readonly came: number }[],
): Omit<ScoreCalibration, 'pending'> {
  const { length } = tested;
  if (length < FEWEST_PER_BIN)
    return { decisions: length, foretold: null, came: null, error: null, correlation: null, bins: [] };
  const order = tested.toSorted((a, b) => a.foretold - b.foretold);
  const bins = Math.min(MOST_BINS, Math.floor(length / FEWEST_PER_BIN));
  return {
    decisions: length,
    foretold: mean(order.map(({ foretold }) => foretold)),
    came: mean(order.map(({ came }) => came)),
    error: mean(order.map(({ foretold, came }) => Math.abs(foretold - came))),
    correlation: correlationOf(order),
    bins: Array.from({ length: bins }, (_, bin) => {
      const own = order.slice(Math.round((bin * length) / bins), Math.round(((bin + 1) * length) / bins));
      const came = own.map((one) => one.came).sort((a, b) => a - b);
      return {
        decisions: own.length,
        foretold: mean(own.map(({ foretold }) => foretold)),
        came: mean(came),
        p10: came[Math.floor(0.1 * came.length)]!,
        p90: came[Math.ceil(0.9 * came.length) - 1]!,
      };
    }),
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** null where one of the two never changes. */
function correlationOf(
  pairs: readonly { readonly foretold: number; readonly came: number }[],
): number | null {
  const [x, y] = [mean(pairs.map(({ foretold }) => foretold)), mean(pairs.map(({ came }) => came))];
  let [xx, yy, xy] = [0, 0, 0];
  for (const { foretold, came } of pairs) {
    xx += (foretold - x) ** 2;
    yy += (came - y) ** 2;
    xy += (foretold - x) * (came - y);
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : null;
}
