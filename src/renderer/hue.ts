/** Degrees around the colour circle (OKLCH), a step of 22 apart and clear of the alarm's red. */
const HUES = [161, 293, 117, 227, 337, 139, 271, 205, 249, 95, 183, 315] as const;
/** Each hue at two lightnesses; the second round begins only when every hue is in use. */
export const TONE_COUNT = 2 * HUES.length;
const STORED_AS = 'stint.projectTones';

/**
 * The tone, from 0 to TONE_COUNT − 1, for a project that has none yet: its name's own (FNV-1a, 32 bits, then
 * MurmurHash3's finaliser, so that names that differ in a letter end up far apart), or the next that is
 * clear of those of other projects, or at least not one of them.
 */
export function chooseTone(project: string, taken: ReadonlySet<number>): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(project)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  const own = ((hash ^ (hash >>> 16)) >>> 0) % HUES.length;
  const inTurn = Array.from({ length: TONE_COUNT }, (_, i) => {
    const round = i < HUES.length ? 0 : HUES.length;
    return round + ((own + i) % HUES.length);
  });
  const apart = inTurn.find((tone) => tone < HUES.length && ![...taken].some((other) => isNear(tone, other)));
  return apart ?? inTurn.find((tone) => !taken.has(tone)) ?? own;
}

/** True for tones that are mistaken for each other at a glance. */
function isNear(a: number, b: number): boolean {
  return Math.abs(HUES[a % HUES.length]! - HUES[b % HUES.length]!) < 30;
}

let tones: Map<string, number> | null = null;

/** A project's one colour on the theme in force: once given, this browser keeps it. */
export function projectColour(project: string): string {
  tones ??= readTones();
  let tone = tones.get(project);
  if (tone === undefined) {
    tone = chooseTone(project, new Set(tones.values()));
    tones.set(project, tone);
    localStorage.setItem(STORED_AS, JSON.stringify([...tones]));
  }
  const lightness = tone < HUES.length ? '--hue-l' : '--hue-deep';
  return `oklch(var(${lightness}) var(--hue-c) ${HUES[tone % HUES.length]})`;
}

function readTones(): Map<string, number> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED_AS) ?? '[]');
    const entries = Array.isArray(stored) ? stored.filter(isEntry) : [];
    return new Map(entries);
  } catch {
    // Not what was written: colours are given anew.
    return new Map();
  }
}

function isEntry(entry: unknown): entry is [string, number] {
  if (!Array.isArray(entry) || typeof entry[0] !== 'string') return false;
  return Number.isInteger(entry[1]) && entry[1] >= 0 && entry[1] < TONE_COUNT;
}
