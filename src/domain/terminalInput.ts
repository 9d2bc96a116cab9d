/** Longest piece of an unfinished escape sequence that is kept back; longer ones are not sequences. */
const ESCAPE_LIMIT = 256;

/** What output tells a terminal. */
export interface TerminalEvents {
  /** Anything but what the others are for; may hold other control characters. */
  text(raw: string): void;
  newline(): void;
  carriageReturn(): void;
  backspace(): void;
  /** A control sequence (CSI): its last character, and its parameters as they stand there. */
  control(final: string, parameters: string): void;
}

/**
 * Reads output as a terminal would. Sequences that are no CSI (titles, links and their like) are dropped.
 * @returns the escape sequence at its end that is not whole yet: goes before the next piece. '': none.
 */
export function readTerminal(output: string, on: TerminalEvents): string {
  let plain = 0;
  let i = 0;
  const flush = (): void => {
    if (i > plain) on.text(output.slice(plain, i));
  };
  while (i < output.length) {
    const code = output.charCodeAt(i);
    if (code !== 0x1b && code !== 0x0a && code !== 0x0d && code !== 0x08) {
      i++;
      continue;
    }
    flush();
    if (code === 0x1b) {
      const length = sequenceAt(output, i, on);
      if (length === null) return output.slice(i);
      i += length;
    } else {
      if (code === 0x0a) on.newline();
      else if (code === 0x0d) on.carriageReturn();
      else on.backspace();
      i++;
    }
    plain = i;
  }
  flush();
  return '';
}

/** Length of the sequence at `at`, having told it; null when its end is not here yet. */
function sequenceAt(text: string, at: number, on: TerminalEvents): number | null {
  const rest = text.slice(at, at + ESCAPE_LIMIT);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
  const csi = /^\u001b\[([0-?]*)[ -/]*([@-~])/.exec(rest);
  if (csi) {
    on.control(csi[2]!, csi[1]!);
    return csi[0].length;
  }
  // An operating-system command (a window title, a link) or its like, ended by BEL or ESC \.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
  const osc = /^\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)/.exec(rest);
  if (osc) return osc[0].length;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
  const short = /^\u001b[ -/]*[0-OQ-WYZ\\`-~]/.exec(rest);
  if (short) return short[0].length;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
  const unfinished = /^\u001b(?:\[[0-?]*[ -/]*|[\]PX^_][^\u0007\u001b]*\u001b?|[ -/]*)?$/.test(rest);
  if (unfinished && rest.length < ESCAPE_LIMIT) return null;
  return 1;
}
