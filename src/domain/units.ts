import { FieldError } from './errors.ts';

const MEMORY_UNITS: Readonly<Record<string, number>> = {
  mib: 1,
  m: 1,
  gib: 1024,
  g: 1024,
  tib: 1024 * 1024,
  t: 1024 * 1024,
  mb: 1e6 / 2 ** 20,
  gb: 1e9 / 2 ** 20,
  tb: 1e12 / 2 ** 20,
};

/**
 * Reads an amount of memory as people write it (`4GiB`, `800MiB`, `1.5g`, `24GB`) into whole MiB, rounded up.
 * A bare number is refused, because nobody agrees on its unit.
 * @throws {FieldError} naming `field`.
 */
export function parseMemoryMib(text: string, field: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text);
  const factor = match ? MEMORY_UNITS[match[2]!.toLowerCase()] : undefined;
  const mib = match && factor !== undefined ? Math.ceil(Number(match[1]) * factor) : Number.NaN;
  if (!Number.isSafeInteger(mib) || mib < 1) {
    throw new FieldError(field, text, 'give a positive amount with its unit, such as 800MiB or 4GiB');
  }
  return mib;
}

const SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  sec: 1,
  m: 60,
  min: 60,
  h: 3600,
  d: 86_400,
};

/**
 * Reads a duration as people write it (`90`, `90s`, `45min`, `2h`, `1d 12h`, `1.5h`) into seconds. A bare number
 * is seconds.
 * @throws {FieldError} naming `field`.
 */
export function parseDurationS(text: string, field: string): number {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  let total = 0;
  let rest = trimmed;
  while (rest !== '') {
    const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)\s*/i.exec(rest);
    const factor = match ? SECONDS[match[2]!.toLowerCase()] : undefined;
    if (!match || factor === undefined) break;
    total += Number(match[1]) * factor;
    rest = rest.slice(match[0].length);
  }
  if (trimmed === '' || rest !== '') {
    throw new FieldError(field, text, 'give a duration, such as 90s, 45min or 2h');
  }
  return total;
}

/** `11.2 GiB`, `640 MiB`; the unit is always shown. */
export function formatMib(mib: number): string {
  return mib >= 1024 ? `${trim(mib / 1024)} GiB` : `${Math.round(mib)} MiB`;
}

/** A duration for people, two units at most: `850 ms`, `42 s`, `3 min 20 s`, `5 h 12 min`, `2 d 3 h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown';
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return pair(s, 60, 'min', 1, 's');
  if (s < 86_400) return pair(s, 3600, 'h', 60, 'min');
  return pair(s, 86_400, 'd', 3600, 'h');
}

function pair(s: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((s % big) / small);
  return `${Math.floor(s / big)} ${bigName}${rest > 0 ? ` ${rest} ${smallName}` : ''}`;
}

function trim(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, '');
}

export const JOULES_PER_KWH = 3_600_000;
