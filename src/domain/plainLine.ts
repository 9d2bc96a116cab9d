/** Escape sequences of a terminal: CSI, operating-system commands and their like, and the short ones. */
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])/g;
/** Controls, and marks that reorder or hide text. */
const INVISIBLE = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;

/** Nothing but what a typewriter has: most lines. */
const ORDINARY = /^[ -~]*$/;

/** A line of output without escape sequences; control and invisible characters become a space. */
export function plainLine(line: string): string {
  return ORDINARY.test(line) ? line : line.replace(ESCAPES, '').replace(INVISIBLE, ' ');
}
