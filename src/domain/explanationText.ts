import type { Explanation } from './decision.ts';
import { formatDuration } from './units.ts';

/** What the alternative would have cost, as predicted: `it would cost 4 min of one job's waiting`. */
export function costText({ gap, waitMinutes }: Explanation): string {
  const amount =
    waitMinutes === null
      ? `${Math.abs(gap).toPrecision(2)} in the score`
      : `${formatDuration(Math.abs(waitMinutes) * 60_000)} of one job's waiting`;
  return gap >= 0 ? `that is predicted to cost ${amount}` : `that is predicted to save ${amount}`;
}

/** With a true minus, as wide as a plus. */
export const fixed = (value: number, digits: number): string =>
  `${value < 0 ? '−' : ''}${Math.abs(value).toFixed(digits)}`;

/** With its sign, as a part of a score. */
export const signed = (value: number): string => `${value < 0 ? '' : '+'}${fixed(value, 3)}`;
