/** What the owner can do about others' processes that keep a job waiting. */
export type ForeignRemedy =
  | { readonly kind: 'share'; readonly index: number }
  | { readonly kind: 'ignore'; readonly index: number; readonly pid: number };

/** A reason for which a job waits, with the command that would end it. */
export function withRemedy(reason: string, remedy: ForeignRemedy): string {
  const how = remedy.kind === 'share' ? '--foreign share' : `--ignore ${remedy.pid}`;
  return `${reason} (stint device ${remedy.index} ${how})`;
}

/** The remedy that {@link withRemedy} put into a reason; null: there is none. */
export function remedyIn(reason: string): ForeignRemedy | null {
  const match = /\(stint device (\d{1,4}) (?:--foreign share|--ignore (\d{1,12}))\)$/.exec(reason);
  if (match === null) return null;
  const index = Number(match[1]);
  return match[2] === undefined ? { kind: 'share', index } : { kind: 'ignore', index, pid: Number(match[2]) };
}
