import type { ExpectedStart, ExpectedStarts } from '../domain/expectedStart.ts';
import { horizonOf } from '../domain/startHorizon.ts';
import { formatDuration } from '../domain/units.ts';

/** How far off a moment is, for people. */
const ahead = (atMs: number, nowMs: number): string => formatDuration(Math.max(0, atMs - nowMs));

/** `in about 12 min, eight in ten between 3 min and 40 min from now`. */
export function expectedStartText({ start }: ExpectedStart, nowMs: number): string {
  const { p10Ms, p50Ms, p90Ms } = start;
  if (p10Ms === null) return 'later than was looked ahead';
  if (p50Ms === null)
    return `in ${ahead(p10Ms, nowMs)} at the earliest, more likely later than was looked ahead`;
  const latest = p90Ms === null ? 'later than was looked ahead' : `${ahead(p90Ms, nowMs)} from now`;
  return `in about ${ahead(p50Ms, nowMs)}, eight in ten between ${ahead(p10Ms, nowMs)} and ${latest}`;
}

/** `~12 min`, for a column; empty: nothing is known. */
export function shortStart({ start }: ExpectedStart, nowMs: number): string {
  const { p10Ms, p50Ms } = start;
  if (p50Ms !== null) return `~${ahead(p50Ms, nowMs)}`;
  return p10Ms === null ? '' : `>${ahead(p10Ms, nowMs)}`;
}

/** How good such an estimate has been: `81 % of 240 such estimates held`; null: none was put to the test. */
export function trackRecord({ start }: ExpectedStart, starts: ExpectedStarts): string | null {
  if (start.p50Ms === null || starts.atMs === null) return null;
  const horizon = horizonOf(start.p50Ms - starts.atMs);
  const record = starts.calibration.find((one) => one.horizon === horizon);
  if (record === undefined || record.within === null) return null;
  const { estimates, within } = record;
  return `${Math.round(100 * within)} % of ${estimates} such estimates held`;
}
