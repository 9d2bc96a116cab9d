/** Degrees around the colour circle (OKLCH), clear of the alarm's red: 12 that are told apart at a glance. */
const HUES = [250, 155, 305, 85, 200, 340, 120, 275, 65, 225, 180, 325] as const;

/**
 * A project's one hue, in degrees: the same in every view, session and machine, because only the name decides
 * (FNV-1a, 32 bits).
 */
export function projectHue(project: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(project)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return HUES[((hash ^ (hash >>> 15)) >>> 0) % HUES.length]!;
}

/** The project's colour on the theme in force; lightness and chroma come from the style sheet. */
export const projectColour = (project: string): string =>
  `oklch(var(--hue-l) var(--hue-c) ${projectHue(project)})`;
