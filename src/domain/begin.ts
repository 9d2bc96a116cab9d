import { FieldError } from './errors.ts';
import { localDay, type MomentContext, parseMoment } from './moment.ts';
import { parseDurationS } from './units.ts';

const REMEDY =
  'give a moment to come, such as +2h, 22:30, tomorrow, "tomorrow 07:00", 2026-11-24 or "2026-11-24 09:00"';
const CLOCK = /^\d{1,2}:\d{2}(:\d{2})?$/;

/**
 * Reads when something is to begin: from now on (`+2h`, `now+90min`), the next time that the clock shows something
 * (`22:30`), `tomorrow` with or without a time, or a moment as {@link parseMoment} reads it.
 * @returns Unix milliseconds.
 * @throws {FieldError} naming `field`, also for what has been.
 */
export function parseBegin(
  text: string,
  field: string,
  context: Pick<MomentContext, 'nowMs' | 'offsetMinAt'>,
): number {
  const { nowMs, offsetMinAt } = context;
  const wrong = () => new FieldError(field, text, REMEDY);
  const trimmed = text.trim().toLowerCase();
  const ahead = /^(?:now\s*)?\+\s*(.+)$/.exec(trimmed)?.[1];
  const at = (moment: string, edge: 'start' | 'end' = 'start'): number => {
    try {
      return parseMoment(moment, field, { nowMs, offsetMinAt, edge });
    } catch {
      throw wrong();
    }
  };
  if (ahead !== undefined) {
    try {
      return nowMs + 1000 * parseDurationS(ahead, field);
    } catch {
      throw wrong();
    }
  }
  const padded = (clock: string): string => (/^\d:/.test(clock) ? `0${clock}` : clock);
  // Its end is tomorrow's first moment.
  const tomorrowMs = at('today', 'end');
  const tomorrow = /^tomorrow(?:\s+(.+))?$/.exec(trimmed);
  let beginMs: number;
  if (tomorrow !== null) {
    const clock = tomorrow[1];
    if (clock !== undefined && !CLOCK.test(clock)) throw wrong();
    beginMs = clock === undefined ? tomorrowMs : at(`${localDay(tomorrowMs, offsetMinAt)} ${padded(clock)}`);
  } else if (CLOCK.test(trimmed)) {
    const today = at(`${localDay(nowMs, offsetMinAt)} ${padded(trimmed)}`);
    beginMs = today > nowMs ? today : at(`${localDay(tomorrowMs, offsetMinAt)} ${padded(trimmed)}`);
  } else {
    beginMs = at(trimmed);
  }
  if (beginMs < nowMs) throw wrong();
  return beginMs;
}
