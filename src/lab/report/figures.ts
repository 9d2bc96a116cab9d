import { formatDuration } from '../../domain/units.ts';

export const UNKNOWN = 'unknown';
/** What differs by less than this share counts as the same. */
export const SAME_WITHIN = 0.01;

/** A duration in seconds, for people. */
export function duration(s: number): string {
  return formatDuration(s * 1000);
}

/** `12,345`: a whole number. */
export function count(value: number): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Two digits at least: `0.0012`, `1.07`, `14.2`, `1,234`. */
export function factor(value: number): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  if (value > 0 && value < 0.0995) return value.toPrecision(2);
  if (value < 9.995) return value.toFixed(2);
  return value < 99.95 ? value.toFixed(1) : count(value);
}

/** A slowdown: `14.2×`. */
export function times(value: number): string {
  return Number.isFinite(value) ? `${factor(value)}×` : UNKNOWN;
}

/** A share of one: `87.5 %`. */
export function percent(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : UNKNOWN;
}

/** By how much something changed: `+3.1 %`, `−42 %`, `−99.9 %`; with its sign, and −100 % only where nothing is left. */
export function change(ratio: number): string {
  if (!Number.isFinite(ratio)) return UNKNOWN;
  const by = Math.abs(ratio - 1) * 100;
  const nearlyAll = ratio > 0 && ratio < 0.015;
  const text = nearlyAll ? Math.min(99.9, by).toFixed(1) : by < 9.95 ? by.toFixed(1) : count(by);
  return Number(text) === 0 ? '±0 %' : `${ratio < 1 ? '−' : '+'}${text} %`;
}

/** `1 job`, `2 jobs`. */
export function jobs(number: number): string {
  return `${count(number)} ${number === 1 ? 'job' : 'jobs'}`;
}
