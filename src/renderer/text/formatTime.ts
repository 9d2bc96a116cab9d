import { locale, t } from '../i18n/t.ts';
import { formatDuration, inOurWords } from './formatDuration.ts';

const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const clockSeconds = new Intl.DateTimeFormat(locale, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const full = new Intl.DateTimeFormat(locale, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
});
const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });

/** `14:05` in the reader's zone. */
export const formatClock = (atMs: number): string => clock.format(atMs);
/** `14:05:09` in the reader's zone. */
export const formatClockSeconds = (atMs: number): string => clockSeconds.format(atMs);
/** `3 Mar 14:05`. */
export const formatDayClock = (atMs: number): string => `${day.format(atMs)} ${clock.format(atMs)}`;
/** Date, time to the second, and the zone's name. */
export const formatExact = (atMs: number): string => full.format(atMs);

/** `14:05:09` today, `3 Mar 14:05` on another day. */
export function formatMoment(atMs: number, nowMs: number): string {
  return day.format(atMs) === day.format(nowMs) ? formatClockSeconds(atMs) : formatDayClock(atMs);
}

/** `just now`, `3 min ago`, `2 h ago`: one unit, for a glance. */
export function formatAgo(atMs: number, nowMs: number): string {
  const ms = nowMs - atMs;
  if (ms < 10_000) return t('just now');
  return t('{{ms}} ago', { ms: formatCoarse(ms) });
}

/** How far ahead: `now`, `~12 min`, `~3 h`; what is out of sight is later. */
export function formatAhead(atMs: number, nowMs: number): string {
  const ms = atMs - nowMs;
  if (ms < 5000) return t('now');
  return ms > 10 * 86_400_000 ? t('later') : `~${formatCoarse(ms)}`;
}

/** A duration in its largest unit. */
export function formatCoarse(ms: number): string {
  const s = Math.floor(Math.max(0, ms) / 1000);
  if (s < 60) return inOurWords(`${s} s`);
  if (s < 3600) return inOurWords(`${Math.floor(s / 60)} min`);
  if (s < 86_400) return inOurWords(`${Math.floor(s / 3600)} h`);
  return inOurWords(`${Math.floor(s / 86_400)} d`);
}

/** A running time that ticks: whole seconds, and `0 s` rather than milliseconds. */
export const formatElapsed = (seconds: number): string =>
  seconds < 1 ? inOurWords('0 s') : formatDuration(Math.floor(seconds) * 1000);
