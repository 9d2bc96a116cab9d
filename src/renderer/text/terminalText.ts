import { visibleText } from './visibleText.ts';

/** Longest piece of an unfinished escape sequence that is kept back; longer ones are not sequences. */
const ESCAPE_LIMIT = 256;

/**
 * A job's output as a terminal would leave it, line by line: `\r` goes back to the start of the line and what
 * follows writes over it, `\b` goes back by one, erase-line and cursor-up sequences do what they say (progress
 * bars need no more), other escape sequences are dropped, and other control characters become visible. Colours
 * are dropped too: in the console colour means a project or trouble.
 */
export class TerminalText {
  readonly #lines: string[] = [''];
  #row = 0;
  #column = 0;
  #pending = '';

  /** Lines so far; the last is the one being written, and empty after a newline. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Takes the next piece; it may end anywhere, even within an escape sequence. */
  write(piece: string): void {
    const text = this.#pending + piece;
    this.#pending = '';
    let plain = 0;
    let i = 0;
    const flush = (to: number): void => {
      if (to > plain) this.#put(text.slice(plain, to));
    };
    while (i < text.length) {
      const c = text.charCodeAt(i);
      if (c === 0x1b) {
        flush(i);
        const length = this.#escape(text, i);
        if (length === null) {
          this.#pending = text.slice(i);
          return;
        }
        i += length;
        plain = i;
      } else if (c === 0x0a || c === 0x0d || c === 0x08) {
        flush(i);
        if (c === 0x0a) this.#newline();
        else this.#column = c === 0x0d ? 0 : Math.max(0, this.#column - 1);
        i += 1;
        plain = i;
      } else {
        i += 1;
      }
    }
    flush(i);
  }

  #newline(): void {
    this.#row += 1;
    this.#column = 0;
    if (this.#row === this.#lines.length) this.#lines.push('');
  }

  #put(raw: string): void {
    const text = visibleText(raw, '\t').replaceAll('\t', '    ');
    const line = this.#lines[this.#row]!;
    const before = line.length >= this.#column ? line.slice(0, this.#column) : line.padEnd(this.#column);
    this.#lines[this.#row] = before + text + line.slice(this.#column + text.length);
    this.#column += text.length;
  }

  /** Length of the sequence at `at`, having done what it says; null when its end is not here yet. */
  #escape(text: string, at: number): number | null {
    const rest = text.slice(at, at + ESCAPE_LIMIT);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
    const csi = /^\u001b\[([0-?]*)[ -/]*([@-~])/.exec(rest);
    if (csi) {
      this.#control(csi[2]!, Number.parseInt(csi[1]!, 10));
      return csi[0].length;
    }
    // An operating-system command (a window title, a link), ended by BEL or ESC \.
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

  #control(final: string, parameter: number): void {
    const count = Number.isNaN(parameter) ? 1 : Math.max(1, parameter);
    if (final === 'K') {
      const line = this.#lines[this.#row]!;
      if (Number.isNaN(parameter) || parameter === 0) this.#lines[this.#row] = line.slice(0, this.#column);
      else if (parameter === 2) this.#lines[this.#row] = '';
    } else if (final === 'A') {
      this.#row = Math.max(0, this.#row - count);
    } else if (final === 'B') {
      this.#row = Math.min(this.#lines.length - 1, this.#row + count);
    } else if (final === 'G') {
      this.#column = count - 1;
    } else if (final === 'C') {
      this.#column += Math.min(count, 1000);
    } else if (final === 'D') {
      this.#column = Math.max(0, this.#column - count);
    }
  }
}
