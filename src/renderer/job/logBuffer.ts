import type { LogChunk } from '../../contract/messages.ts';
import { type Mark, TerminalText } from '../text/terminalText.ts';

/** So much of a log is kept for display; what is older stays in the file. */
export const KEPT_CHARACTERS = 16 * 1024 * 1024;
/** And so many lines: a browser draws nothing beyond some 33 million pixels, and a line takes 20 of them. */
export const KEPT_LINES = 1_000_000;

/** A stretch of a log in memory, and its lines as a terminal shows them. */
export class LogBuffer {
  #texts: string[] = [];
  #characters = 0;
  #terminal = new TerminalText();
  #fromOffset: number | null = null;
  #nextOffset = 0;
  #lineOffset = 0;

  /** Offset in bytes of the first byte that is held; null before the first piece. */
  get fromOffset(): number | null {
    return this.#fromOffset;
  }

  /** Where to go on reading. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** How stretches of a line look. */
  marksOf(line: number): readonly Mark[] {
    return this.#terminal.marksOf(line);
  }

  /** Where in the log the line begins that is being written. */
  get lineOffset(): number {
    return this.#lineOffset;
  }

  get lines(): readonly string[] {
    const { lines } = this.#terminal;
    return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  }

  /**
   * Which line holds the byte at `offset`, or the nearest there is; `text` is what is written there, and finds it where
   * the bytes were no valid text and so do not count as they did.
   */
  lineAt(offset: number, text: string): number {
    const { lines } = this;
    const before = new TerminalText();
    let left = offset - (this.#fromOffset ?? 0);
    for (const piece of this.#texts) {
      if (left <= 0) break;
      const bytes = new TextEncoder().encode(piece);
      before.write(left < bytes.length ? new TextDecoder().decode(bytes.subarray(0, left)) : piece);
      left -= bytes.length;
    }
    const about = Math.min(before.lines.length, lines.length) - 1;
    const known = text.replace(/^…|…$/g, '').trim();
    if (known === '') return about;
    for (let away = 0; away < lines.length; away++) {
      for (const at of [about - away, about + away]) if (lines[at]?.includes(known)) return at;
    }
    return about;
  }

  /** Takes the piece that follows; a piece that was already seen (after a resumed connection) is passed over. */
  append(chunk: LogChunk): void {
    if (this.#fromOffset !== null && chunk.offset < this.#nextOffset) return;
    this.#fromOffset ??= chunk.offset;
    this.#nextOffset = chunk.nextOffset;
    const newline = chunk.text.lastIndexOf('\n');
    if (newline >= 0) {
      this.#lineOffset = chunk.nextOffset - new TextEncoder().encode(chunk.text.slice(newline + 1)).length;
    }
    this.#texts.push(chunk.text);
    this.#characters += chunk.text.length;
    this.#terminal.write(chunk.text);
    if (this.#characters > KEPT_CHARACTERS || this.#terminal.lines.length > KEPT_LINES) this.#forgetHalf();
  }

  /** Puts an earlier piece in front; it must end where what is held begins. Gives the number of lines it added. */
  prepend(chunk: LogChunk): number {
    if (chunk.nextOffset !== this.#fromOffset) return 0;
    const before = this.#terminal.lines.length;
    this.#texts.unshift(chunk.text);
    this.#characters += chunk.text.length;
    this.#fromOffset = chunk.offset;
    this.#redraw();
    return this.#terminal.lines.length - before;
  }

  #forgetHalf(): void {
    const half = this.#characters / 2;
    while (this.#characters > half && this.#texts.length > 1) {
      const gone = this.#texts.shift()!;
      this.#characters -= gone.length;
      this.#fromOffset = this.#fromOffset! + new TextEncoder().encode(gone).length;
    }
    this.#redraw();
  }

  #redraw(): void {
    this.#terminal = new TerminalText();
    for (const text of this.#texts) this.#terminal.write(text);
  }
}
