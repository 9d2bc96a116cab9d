/** A command line as argv, or what keeps it from being one. */
export type SplitCommand =
  | { readonly argv: readonly string[]; readonly hint: string | null }
  | { readonly problem: string };

/** Unquoted, these mean something to a shell, and here they do not. */
const SHELL_WORDS = new Set(['|', '||', '&', '&&', ';', '>', '>>', '<', '2>', '2>&1', '&>']);

/**
 * Splits a line as a POSIX shell splits words: blanks separate, single quotes keep everything, double quotes
 * keep everything but `\"`, `\\`, `\$` and `` \` ``, a backslash keeps the next character, and a backslash at
 * the end of a line joins lines. Nothing is expanded: there is no shell between this line and the job.
 */
export function splitCommand(line: string): SplitCommand {
  const argv: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  let shellish: string | null = null;
  let quoted = false;

  const finish = (): void => {
    if (word === null) return;
    if (!quoted && (SHELL_WORDS.has(word) || /^\$[A-Za-z_{(]/.test(word) || word.startsWith('~/'))) {
      shellish ??= word;
    }
    argv.push(word);
    word = null;
    quoted = false;
  };

  for (let i = 0; i < line.length; i += 1) {
    const c = line[i]!;
    if (quote === "'") {
      if (c === "'") quote = null;
      else word += c;
    } else if (quote === '"') {
      const following = line[i + 1];
      if (c === '"') quote = null;
      else if (c === '\\' && following !== undefined && '"\\$`\n'.includes(following)) {
        i += 1;
        if (following !== '\n') word += following;
      } else word += c;
    } else if (c === "'" || c === '"') {
      quote = c;
      quoted = true;
      word ??= '';
    } else if (c === '\\') {
      i += 1;
      const following = line[i];
      if (following === undefined)
        return { problem: 'the line ends with a single backslash; add what it escapes or remove it' };
      if (following !== '\n') {
        word = (word ?? '') + following;
        quoted = true;
      }
    } else if (/\s/.test(c)) {
      finish();
    } else {
      word = (word ?? '') + c;
    }
  }
  if (quote !== null)
    return { problem: `a ${quote} is opened and never closed; close it or escape it with \\` };
  finish();
  return {
    argv,
    hint:
      shellish === null
        ? null
        : `no shell runs this, so ${shellish} is passed on as it stands; for a shell write: sh -c '…'`,
  };
}
