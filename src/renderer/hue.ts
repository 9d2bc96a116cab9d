/** Degrees around the colour circle (OKLCH), a step of 22 apart and clear of the alarm's red. */
const HUES = [161, 293, 117, 227, 337, 139, 271, 205, 249, 95, 183, 315] as const;

/** A project's colour: its hue in degrees, and which of two lightnesses. */
export interface ProjectTone {
  readonly hue: number;
  readonly deep: boolean;
}

/**
 * A project's one colour: the same in every view, session and machine, because only the name decides (FNV-1a,
 * 32 bits, then MurmurHash3's finaliser, so that names that differ in a letter end up far apart).
 */
export function projectTone(project: string): ProjectTone {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(project)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash = (hash ^ (hash >>> 16)) >>> 0;
  return { hue: HUES[hash % HUES.length]!, deep: Math.floor(hash / HUES.length) % 2 === 1 };
}

/** The project's colour on the theme in force; lightness and chroma come from the style sheet. */
export function projectColour(project: string): string {
  const { hue, deep } = projectTone(project);
  return `oklch(var(${deep ? '--hue-deep' : '--hue-l'}) var(--hue-c) ${hue})`;
}
