import { stripVTControlCharacters, styleText } from 'node:util';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly right?: boolean;
  /** May be cut down to this many columns when the line is too long. Left out: never cut. */
  readonly least?: number;
  /** Left out altogether, the last such column first, before the others would have to be cut below their least. */
  readonly expendable?: true;
}

const GAP = '  ';
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;
/** Of these each is a column wide. */
const PLAIN = /^[\x20-\x7e]*$/;
let segmenter: Intl.Segmenter | undefined;
/** It takes as long to make as all of this file, and most of what is printed is plain. */
const graphemesOf = (text: string): Iterable<Intl.SegmentData> => {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return segmenter.segment(text);
};

/**
 * Text that came from elsewhere (names, commands, reasons), fit for one cell of a terminal: it cannot move the
 * cursor, change colours or turn the direction of what follows.
 */
export const printable = (text: string): string =>
  stripVTControlCharacters(text).replace(CONTROL, ' ').trim();

/** A line of a text as it is, its blanks and tabs as well, without what a terminal would obey. */
export const shownLine = (text: string): string =>
  stripVTControlCharacters(text).replace(CONTROL, (run) => run.replace(/[^\t]/gu, ' '));

/** Columns that a text takes in a terminal. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemesOf(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** The text within `width` columns, with … where something was cut off. */
export function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of graphemesOf(text)) {
    const next = WIDE.test(segment) ? 2 : 1;
    if (used + next > width - 1) break;
    kept += segment;
    used += next;
  }
  return width > 0 ? `${kept}…` : '';
}

/** Lines of a table with a head, no line longer than `width` columns. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): string[] {
  const all = columns.map((column) => {
    const cells = rows.map((row) => printable(column.cell(row)));
    const natural = Math.max(textWidth(column.title), ...cells.map(textWidth));
    return { ...column, cells, natural, smallest: Math.min(natural, column.least ?? natural) };
  });
  const span = (sizes: readonly number[]) =>
    sizes.reduce((sum, w) => sum + w, 0) + GAP.length * (sizes.length - 1);
  const shown = [...all];
  while (span(shown.map((column) => column.smallest)) > width) {
    const at = shown.findLastIndex((column) => column.expendable);
    if (at < 0) break;
    shown.splice(at, 1);
  }
  const widths = shown.map((column) => column.natural);
  let excess = span(widths) - width;
  // The widest gives way first, and none more than it must.
  while (excess > 0) {
    const at = widths.reduce(
      (best, w, i) => (w > shown[i]!.smallest && (best < 0 || w > widths[best]!) ? i : best),
      -1,
    );
    if (at < 0) break;
    widths[at]! -= 1;
    excess -= 1;
  }
  const line = (texts: readonly string[]) => {
    const padded = texts.map((text, i) => {
      const fitted = cut(text, widths[i]!);
      const space = ' '.repeat(widths[i]! - textWidth(fitted));
      return shown[i]!.right ? space + fitted : fitted + space;
    });
    return cut(padded.join(GAP).trimEnd(), width);
  };
  const titles = line(shown.map((column) => column.title));
  return [dim(titles), ...rows.map((_row, i) => line(shown.map((column) => column.cells[i]!)))];
}

/** Label and value, one pair a line, whole: a command is there to be copied. */
export function renderPairs(pairs: readonly (readonly [string, string])[]): string[] {
  const column = Math.max(...pairs.map(([label]) => label.length));
  return pairs.map(([label, value]) => `${dim(label.padEnd(column))}${GAP}${printable(value)}`);
}

/** Only where a terminal shows it and NO_COLOR is not set. */
const dim = (text: string): string => styleText('dim', text, { stream: process.stdout });
