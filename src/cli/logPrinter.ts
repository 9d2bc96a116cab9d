import { type Styled, TerminalLine } from '../domain/terminalLine.ts';
import type { Context } from './context.ts';

const ESC = '\u001b';

export interface LogPrinterOptions {
  /** True: somebody looks on while it grows, so that a line is shown before it has ended. */
  readonly live: boolean;
  /** True: bytes as they are, for another program. */
  readonly raw: boolean;
}

/**
 * Prints a job's output as a terminal would show it in the end: of a progress bar its last state, colours where a terminal
 * shows them, and nothing that could do anything to the terminal.
 */
export class LogPrinter {
  readonly #context: Context;
  readonly #raw: boolean;
  readonly #live: boolean;
  readonly #colours: boolean;
  readonly #line = new TerminalLine((line, whole) => this.#finished(line, whole));
  /** True: the unfinished line is on the screen. */
  #shown = false;
  #ready = '';

  constructor(context: Context, { live, raw }: LogPrinterOptions) {
    const terminal = Number.isFinite(context.width);
    this.#context = context;
    this.#raw = raw;
    this.#live = live && terminal;
    this.#colours = terminal && !context.env.NO_COLOR;
  }

  write(text: string): void {
    if (this.#raw) return this.#context.write(text);
    this.#line.write(text);
    if (this.#live) this.#show();
    this.#flush();
  }

  /** Nothing more comes: what has not ended is printed as it stands. */
  end(): void {
    if (this.#raw) return;
    this.#clear();
    const rest = this.#textOf(this.#line.unfinished);
    this.#ready += rest;
    this.#flush();
  }

  #finished(line: readonly Styled[], whole: boolean): void {
    this.#clear();
    this.#ready += `${this.#textOf(line)}${whole ? '\n' : ''}`;
  }

  #show(): void {
    this.#clear();
    const line = fitted(this.#line.unfinished, this.#context.width - 1);
    if (line.length === 0) return;
    this.#ready += this.#textOf(line);
    this.#shown = true;
  }

  #clear(): void {
    if (this.#shown) this.#ready += `\r${ESC}[K`;
    this.#shown = false;
  }

  /** At once: a fast log has very many lines. */
  #flush(): void {
    if (this.#ready !== '') this.#context.write(this.#ready);
    this.#ready = '';
  }

  #textOf(line: readonly Styled[]): string {
    return line
      .map(({ text, style }) => (this.#colours && style !== '' ? `${ESC}[${style}m${text}${ESC}[0m` : text))
      .join('');
  }
}

/** One line of output without anything but text. */
export function plainText(line: string): string {
  const terminal = new TerminalLine(() => undefined);
  terminal.write(line);
  return terminal.unfinished.map(({ text }) => text).join('');
}

/** The beginning that fits on one row: only what is on one row can be taken back. */
function fitted(line: readonly Styled[], width: number): Styled[] {
  const kept: Styled[] = [];
  let left = width;
  for (const { text, style } of line) {
    if (left <= 0) break;
    // A tab is as wide as it wants to be.
    const piece = [...text.replaceAll('\t', ' ')].slice(0, left);
    left -= piece.length;
    kept.push({ text: piece.join(''), style });
  }
  return kept;
}
