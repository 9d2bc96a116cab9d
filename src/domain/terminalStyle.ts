/** Emphasis that is let through: bold, faint, italic, underlined, inverse, crossed out. What blinks or hides is not. */
const EMPHASIS = new Set([1, 2, 3, 4, 7, 9]);
const ENDS: Readonly<Record<number, readonly number[]>> = { 22: [1, 2], 23: [3], 24: [4], 27: [7], 29: [9] };

/** How text looks now, by the SGR sequences so far (ECMA-48, and ISO 8613-6 for colours beyond the sixteen). */
export class TerminalStyle {
  text = '';
  readonly #emphasis = new Set<number>();
  #front = '';
  #back = '';

  change(parameters: string): void {
    if (parameters === '' || parameters === '0') {
      this.#one(0);
      this.text = '';
      return;
    }
    // Colours by number and by light, with either separator.
    const codes = parameters.split(/[;:]/).map((part) => (part === '' ? 0 : Number(part)));
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i]!;
      if (code === 38 || code === 48) {
        const length = codes[i + 1] === 5 ? 3 : codes[i + 1] === 2 ? 5 : 1;
        const colour = codes.slice(i, i + length);
        if (length > 1 && colour.length === length && colour.every((one) => one >= 0 && one <= 255))
          this.#colour(code === 38, colour.join(';'));
        i += length - 1;
      } else this.#one(code);
    }
    this.text = [...this.#emphasis, this.#front, this.#back].filter((part) => part !== '').join(';');
  }

  #one(code: number): void {
    if (code === 0) {
      this.#emphasis.clear();
      this.#front = '';
      this.#back = '';
    } else if (EMPHASIS.has(code)) this.#emphasis.add(code);
    else if (ENDS[code] !== undefined) for (const one of ENDS[code]) this.#emphasis.delete(one);
    else if (code === 39 || code === 49) this.#colour(code === 39, '');
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) this.#colour(true, String(code));
    else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) this.#colour(false, String(code));
  }

  #colour(front: boolean, colour: string): void {
    if (front) this.#front = colour;
    else this.#back = colour;
  }
}
