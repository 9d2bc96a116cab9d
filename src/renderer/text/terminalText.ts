import { readTerminal, type TerminalEvents } from '../../domain/terminalInput.ts';
import { visibleText } from './visibleText.ts';

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
  readonly #events: TerminalEvents = {
    text: (raw) => this.#put(raw),
    newline: () => this.#newline(),
    carriageReturn: () => {
      this.#column = 0;
    },
    backspace: () => {
      this.#column = Math.max(0, this.#column - 1);
    },
    control: (final, parameters) => this.#control(final, Number.parseInt(parameters, 10)),
  };

  /** Lines so far; the last is the one being written, and empty after a newline. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Takes the next piece; it may end anywhere, even within an escape sequence. */
  write(piece: string): void {
    this.#pending = readTerminal(this.#pending + piece, this.#events);
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
