/** Degrees around the colour circle (OKLCH), clear of the alarm's red: those of the console. */
const HUES = [161, 293, 117, 227, 337, 139, 271, 205, 249, 95, 183, 315] as const;
/** Each hue at two lightnesses; the second round begins when every hue is in use. */
export const TONES: readonly { readonly hue: number; readonly deep: boolean }[] = [false, true].flatMap(
  (deep) => HUES.map((hue) => ({ hue, deep })),
);
/** Of users who are too many to have one of their own: grey. */
export const NO_TONE = -1;

/**
 * A tone for every user, an index into {@link TONES}: its name's own (FNV-1a, 32 bits, then MurmurHash3's finaliser, as
 * in the console), or else the next that is clear of those of others, or at least free.
 * @param users in the order in which they choose; whoever comes after the last free tone gets {@link NO_TONE}.
 */
export function userTones(users: readonly string[]): Map<string, number> {
  const tones = new Map<string, number>();
  const taken = new Set<number>();
  for (const user of users) {
    if (tones.has(user)) continue;
    const own = hashOf(user) % HUES.length;
    const round = taken.size < HUES.length ? 0 : HUES.length;
    const inTurn = HUES.map((_, i) => round + ((own + i) % HUES.length));
    const free = inTurn.filter((candidate) => !taken.has(candidate));
    const apart = free.find((tone) => round > 0 || ![...taken].some((other) => isNear(tone, other)));
    const tone = apart ?? free[0] ?? NO_TONE;
    taken.add(tone);
    tones.set(user, tone);
  }
  return tones;
}

/** True for tones that are mistaken for each other at a glance. */
function isNear(a: number, b: number): boolean {
  return Math.abs(HUES[a % HUES.length]! - HUES[b % HUES.length]!) < 30;
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
