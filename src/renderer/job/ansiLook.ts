/** How a style looks here. `front`, `back`: one of the eight colours of a terminal; undefined: as the rest. */
export interface AnsiLook {
  readonly emphasis: readonly Emphasis[];
  readonly front: number | undefined;
  readonly back: number | undefined;
}
type Emphasis = 'bold' | 'faint' | 'italic' | 'underlined' | 'inverse' | 'crossed';

const EMPHASIS: Readonly<Record<number, Emphasis>> = {
  1: 'bold',
  2: 'faint',
  3: 'italic',
  4: 'underlined',
  7: 'inverse',
  9: 'crossed',
};

/**
 * Reads the parameters of an SGR sequence as `TerminalStyle` leaves them. Of more than eight colours the nearest of the eight
 * is taken: these can be read on either theme.
 */
export function ansiLook(style: string): AnsiLook {
  const codes = style === '' ? [] : style.split(';').map(Number);
  const emphasis: Emphasis[] = [];
  let front: number | undefined;
  let back: number | undefined;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (EMPHASIS[code] !== undefined) emphasis.push(EMPHASIS[code]);
    else if (code === 38 || code === 48) {
      const byNumber = codes[i + 1] === 5;
      const tone = byNumber ? toneOfNumber(codes[i + 2]!) : toneOf(codes.slice(i + 2, i + 5));
      if (code === 38) front = tone;
      else back = tone;
      i += byNumber ? 2 : 4;
    } else if (code >= 90) {
      if (code < 98) front = code - 90;
      else back = code - 100;
    } else if (code >= 40) back = code - 40;
    else if (code >= 30) front = code - 30;
  }
  return { emphasis, front, back };
}

/** Of the 256: sixteen, a cube of six steps a side, and greys. */
function toneOfNumber(n: number): number | undefined {
  if (n < 16) return n % 8;
  if (n >= 232) return undefined;
  const cube = n - 16;
  return toneOf([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((step) => step * 51));
}

/** The colour of the eight with that hue; greys have none. */
function toneOf([red = 0, green = 0, blue = 0]: readonly number[]): number | undefined {
  const most = Math.max(red, green, blue);
  const least = Math.min(red, green, blue);
  if (most - least < 48) return undefined;
  const half = (most + least) / 2;
  return Number(red > half) + 2 * Number(green > half) + 4 * Number(blue > half);
}
