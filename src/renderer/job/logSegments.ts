import type { Mark } from '../text/terminalText.ts';

/** Characters of a line. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A stretch of a line that looks the same throughout. */
export interface Segment {
  readonly from: number;
  readonly text: string;
  readonly style: string;
  readonly hit: boolean;
}

/** A line in stretches. @param marks from the left, apart. @param hits the same. */
export function segmentsOf(text: string, marks: readonly Mark[], hits: readonly Span[]): Segment[] {
  const edges = [0, text.length, ...[...marks, ...hits].flatMap(({ from, to }) => [from, to])];
  const cuts = [...new Set(edges.filter((at) => at <= text.length))].sort((a, b) => a - b);
  return cuts.slice(0, -1).map((from, i) => ({
    from,
    text: text.slice(from, cuts[i + 1]),
    style: marks.find((mark) => mark.from <= from && from < mark.to)?.style ?? '',
    hit: hits.some((hit) => hit.from <= from && from < hit.to),
  }));
}

/** So many are set off in one line. */
const MOST_HITS = 100;

/** Where a pattern occurs in a line; none for what is no expression here, though it may be one to grep. */
export function hitsIn(text: string, pattern: string, regex: boolean): Span[] {
  if (pattern === '') return [];
  let expression: RegExp;
  try {
    expression = regex
      ? new RegExp(pattern, 'g')
      : new RegExp(pattern.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'gi');
  } catch {
    // grep has the last word, and found the line.
    return [];
  }
  const found: Span[] = [];
  for (const match of text.slice(0, 4000).matchAll(expression)) {
    if (match[0] !== '') found.push({ from: match.index, to: match.index + match[0].length });
    if (found.length === MOST_HITS) break;
  }
  return found;
}
