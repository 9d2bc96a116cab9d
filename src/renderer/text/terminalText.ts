import { readTerminal, type TerminalEvents } from '../../domain/terminalInput.ts';
import { TerminalStyle } from '../../domain/terminalStyle.ts';
import { visibleText } from './visibleText.ts';

/** A stretch of a line that does not look as the rest. `style`: parameters of an SGR sequence. */
export interface Mark {
  readonly from: number;
  readonly to: number;
  readonly style: string;
}

const NONE: readonly Mark[] = [];
const MOST_MARKS = 200;

/**
 * A job's output as a terminal would leave it, line by line: `\r` goes back to the start of the line and what
 * follows writes over it, `\b` goes back by one, erase-line and cursor-up sequences do what they say (progress
 * bars need no more), other escape sequences are dropped, and other control characters become visible. Colours
 * and emphasis are kept apart, as marks.
 */
export class TerminalText {
  readonly #lines: string[] = [''];
  readonly #marks: (Mark[] | undefined)[] = [];
  readonly #style = new TerminalStyle();
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
    control: (final, parameters) => {
      if (final === 'm') this.#style.change(parameters);
      else this.#control(final, Number.parseInt(parameters, 10));
    },
  };

  /** Lines so far; the last is the one being written, and empty after a newline. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** How stretches of a line look, from the left; most lines have none. */
  marksOf(row: number): readonly Mark[] {
    return this.#marks[row] ?? NONE;
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
    const { text: style } = this.#style;
    const to = this.#column + text.length;
    if (style !== '' || this.#marks[this.#row] !== undefined) this.#mark(this.#column, to, style);
    this.#column = to;
  }

  /** Lays a style over a stretch of the line; '' takes what was there away. */
  #mark(from: number, to: number, style: string): void {
    const before = this.#marks[this.#row];
    if (before === undefined || before.at(-1)!.to <= from) {
      // Nearly always: what is written goes to the end of its line.
      if (style === '') return;
      if (before === undefined) this.#marks[this.#row] = [{ from, to, style }];
      else if (before.length < MOST_MARKS) before.push({ from, to, style });
      return;
    }
    const around = before.flatMap((mark) => [
      ...(mark.from < from ? [{ ...mark, to: Math.min(mark.to, from) }] : []),
      ...(mark.to > to ? [{ ...mark, from: Math.max(mark.from, to) }] : []),
    ]);
    // A line that is coloured character by character is nothing to read.
    const laid = style === '' || around.length >= MOST_MARKS ? around : [...around, { from, to, style }];
    this.#marks[this.#row] = laid.length === 0 ? undefined : laid.sort((a, b) => a.from - b.from);
  }

  #control(final: string, parameter: number): void {
    const count = Number.isNaN(parameter) ? 1 : Math.max(1, parameter);
    if (final === 'K') {
      const line = this.#lines[this.#row]!;
      if (Number.isNaN(parameter) || parameter === 0) {
        this.#lines[this.#row] = line.slice(0, this.#column);
        this.#mark(this.#column, Number.POSITIVE_INFINITY, '');
      } else if (parameter === 2) {
        this.#lines[this.#row] = '';
        this.#mark(0, Number.POSITIVE_INFINITY, '');
      }
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
