import { readTerminal, type TerminalEvents } from './terminalInput.ts';
import { TerminalStyle } from './terminalStyle.ts';
import { visibleText } from './visibleText.ts';

/** A longer line is handed out in pieces. */
const LONGEST = 64 * 1024;
/** A cursor that is sent further than any terminal is wide goes no further. */
const WIDEST = 1000;

/** A stretch of one line. `style` is the parameters of an SGR sequence, only such as change how text looks; '': none. */
export interface Styled {
  readonly text: string;
  readonly style: string;
}

/** A line as it was when it ended. `whole` is false for a piece of one that is longer than anybody reads. */
export type LineListener = (line: readonly Styled[], whole: boolean) => void;

/**
 * A job's output as a terminal would leave it, a line at a time: `\r` and `\b` go back and what follows writes over it, as do
 * sequences that move within the line or erase it; colours and emphasis are kept apart. Nothing else that a terminal
 * obeys gets through: titles, links, other rows, screens and answers are dropped, other controls become visible.
 */
export class TerminalLine {
  readonly #listener: LineListener;
  #characters: string[] = [];
  #styles: string[] = [];
  #column = 0;
  #style = new TerminalStyle();
  #pending = '';
  readonly #events: TerminalEvents = {
    text: (raw) => this.#put(raw),
    newline: () => this.#end(true),
    carriageReturn: () => {
      this.#column = 0;
    },
    backspace: () => {
      this.#column = Math.max(0, this.#column - 1);
    },
    control: (final, parameters) => this.#control(final, parameters),
  };

  constructor(listener: LineListener) {
    this.#listener = listener;
  }

  /** What stands in the line that has not ended. */
  get unfinished(): readonly Styled[] {
    return this.#stretches();
  }

  /** Takes the next piece; it may end anywhere, even within an escape sequence. */
  write(piece: string): void {
    this.#pending = readTerminal(this.#pending + piece, this.#events);
  }

  #put(raw: string): void {
    const style = this.#style.text;
    for (const character of visibleText(raw, '\t')) {
      while (this.#characters.length < this.#column) {
        this.#characters.push(' ');
        this.#styles.push('');
      }
      this.#characters[this.#column] = character;
      this.#styles[this.#column] = style;
      this.#column++;
    }
    if (this.#characters.length > LONGEST) this.#end(false);
  }

  #end(whole: boolean): void {
    this.#listener(this.#stretches(), whole);
    this.#characters = [];
    this.#styles = [];
    this.#column = 0;
  }

  #stretches(): Styled[] {
    const stretches: Styled[] = [];
    for (let from = 0; from < this.#characters.length; ) {
      const style = this.#styles[from]!;
      let to = from + 1;
      while (to < this.#characters.length && this.#styles[to] === style) to++;
      stretches.push({ text: this.#characters.slice(from, to).join(''), style });
      from = to;
    }
    return stretches;
  }

  #control(final: string, parameters: string): void {
    const first = Number.parseInt(parameters, 10);
    const count = Math.min(WIDEST, Number.isNaN(first) ? 1 : Math.max(1, first));
    if (final === 'm') this.#style.change(parameters);
    else if (final === 'K') this.#erase(first || 0);
    else if (final === 'G') this.#column = count - 1;
    else if (final === 'C') this.#column = Math.min(WIDEST, this.#column + count);
    else if (final === 'D') this.#column = Math.max(0, this.#column - count);
  }

  #erase(what: number): void {
    if (what === 0) {
      this.#characters.length = Math.min(this.#characters.length, this.#column);
      this.#styles.length = this.#characters.length;
    } else if (what === 2) {
      this.#characters = [];
      this.#styles = [];
    }
  }
}
