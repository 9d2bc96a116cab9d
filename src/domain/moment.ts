import { FieldError } from './errors.ts';
import { parseDurationS } from './units.ts';

/** What a moment depends on besides its text. */
export interface MomentContext {
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** Minutes by which local time is ahead of UTC at a moment. */
  readonly offsetMinAt: (unixMs: number) => number;
  /** What a day stands for: its first moment, or its end (the first moment of the next). */
  readonly edge: 'start' | 'end';
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const REMEDY =
  'give a moment, such as 2026-11-20, "2026-11-20 14:30", yesterday, today, now or "7d ago" (also 7d, 12h, 90min)';
const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?\s*(z|[+-]\d{2}:?\d{2})?)?$/i;

/**
 * Reads a moment as people write it: a day or a time in ISO 8601 (local time where it names no offset), `now`, `today`,
 * `yesterday`, or how long ago (`7d`, `2h 30min ago`). A local time that the clock skips in spring is the moment as far
 * after the change; one that it shows twice in autumn is the first.
 * @returns Unix milliseconds.
 * @throws {FieldError} naming `field`.
 */
export function parseMoment(text: string, field: string, context: MomentContext): number {
  const { nowMs, offsetMinAt, edge } = context;
  const trimmed = text.trim().toLowerCase();
  const dayFrom = (dayNumber: number): number =>
    unixMsOf((dayNumber + (edge === 'end' ? 1 : 0)) * DAY_MS, offsetMinAt);
  if (trimmed === 'now') return nowMs;
  if (trimmed === 'today' || trimmed === 'yesterday') {
    const today = Math.floor((nowMs + offsetMinAt(nowMs) * MINUTE_MS) / DAY_MS);
    return dayFrom(trimmed === 'today' ? today : today - 1);
  }
  const match = ISO.exec(trimmed);
  if (match === null) return nowMs - 1000 * agoS(trimmed, text, field);
  const [year, month, day, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((digits) => (digits === undefined ? undefined : Number(digits))) as [number, number, number];
  const known = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
  if (!known || hour > 23 || minute > 59 || second > 59) throw new FieldError(field, text, REMEDY);
  const dayNumber = daysFromCivil(year, month, day);
  if (match[4] === undefined) return dayFrom(dayNumber);
  const timeMs = ((hour * 60 + minute) * 60 + second) * 1000 + Number((match[7] ?? '').padEnd(3, '0'));
  const wallMs = dayNumber * DAY_MS + timeMs;
  const offset = match[8];
  if (offset === undefined) return unixMsOf(wallMs, offsetMinAt);
  if (offset === 'z') return wallMs;
  const [ahead, hours, minutes] = [offset[0] === '-' ? -1 : 1, offset.slice(1, 3), offset.slice(-2)];
  return wallMs - ahead * (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
}

function agoS(trimmed: string, text: string, field: string): number {
  const span = trimmed.replace(/\s+ago$/, '');
  // A bare number may be a year as well as seconds.
  if (!/^\d/.test(span) || /^\d+(\.\d+)?$/.test(span)) throw new FieldError(field, text, REMEDY);
  try {
    return parseDurationS(span, field);
  } catch {
    throw new FieldError(field, text, REMEDY);
  }
}

/** The day of a moment in local time, `2026-11-20`. */
export function localDay(unixMs: number, offsetMinAt: MomentContext['offsetMinAt']): string {
  const [year, month, day] = civilFromDays(Math.floor((unixMs + offsetMinAt(unixMs) * MINUTE_MS) / DAY_MS));
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

/** @param wallMs what the clock on the wall shows, as if it were UTC. */
function unixMsOf(wallMs: number, offsetMinAt: MomentContext['offsetMinAt']): number {
  // A day before and after, so that a change of the clock lies between the two.
  const before = wallMs - offsetMinAt(wallMs - DAY_MS) * MINUTE_MS;
  const after = wallMs - offsetMinAt(wallMs + DAY_MS) * MINUTE_MS;
  const shown = (unixMs: number): number => unixMs + offsetMinAt(unixMs) * MINUTE_MS;
  if (shown(before) === wallMs) return before;
  return shown(after) === wallMs ? after : before;
}

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

function daysIn(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Days from 1970-01-01 in the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms"). */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The inverse of {@link daysFromCivil}. */
function civilFromDays(days: number): [year: number, month: number, day: number] {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return [year, month, dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1];
}
