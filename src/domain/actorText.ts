import type { Deputy } from './deputy.ts';

/** Who did something, in a few words: `person`, `agent claude-code`, `token ci`, `scheduler`. */
export const actorText = (actor: string, by: Deputy | null): string =>
  by === null ? actor : `${by.kind} ${by.name}`;
