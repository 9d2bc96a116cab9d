import { styleText } from 'node:util';
import { renderTable, textWidth } from './table.ts';

/** Lines longer than this are hard to read, however wide the terminal is. */
const MOST_COLUMNS = 100;
/** No column of a table is made narrower for others. */
const NARROWEST = 16;

/** A page of our own documentation for a terminal of so many columns: headings, paragraphs, lists, tables, examples. */
export function markdownText(text: string, width: number): string {
  const columns = Math.min(width, MOST_COLUMNS);
  const out: string[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; ) {
    const line = lines[at]!;
    const block = (belongs: (line: string) => boolean): string[] => {
      const from = at;
      do at++;
      while (at < lines.length && belongs(lines[at]!));
      return lines.slice(from, at);
    };
    if (line.startsWith('```')) {
      const code = block((next) => !next.startsWith('```')).slice(1);
      at++;
      out.push(...code.map((one) => `  ${one}`.trimEnd()));
    } else if (line.startsWith('|')) {
      out.push(
        ...table(
          block((next) => next.startsWith('|')),
          columns,
        ),
      );
    } else if (/^#+ /.test(line)) {
      out.push(styleText('bold', plain(line.replace(/^#+ /, '')), { stream: process.stdout }));
      at++;
    } else if (line.trim() === '' || line.startsWith('![')) {
      if (line.trim() === '') out.push('');
      at++;
    } else {
      const item = /^(\s*)(?:[-*]|\d+\.) /.exec(line)?.[0] ?? '';
      const paragraph = block((next) => next.trim() !== '' && !/^(\s*([-*]|\d+\.) |#+ |\||```)/.test(next));
      const words = plain(paragraph.map((one) => one.trim()).join(' ')).slice(
        item.trim() === '' ? 0 : item.trim().length,
      );
      out.push(...wrap(words.trim(), columns, item, ' '.repeat(item.length)));
    }
  }
  return `${out.join('\n').trim()}\n`;
}

/** Without the marks: links become their words, code what it says. */
const plain = (text: string): string =>
  text
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\*\*([^*]+)\*\*/g, '$1')
    .replace(
      /`` ?(.+?) ?``|`([^`]+)`/g,
      (_, twice: string | undefined, once: string | undefined) => twice ?? once ?? '',
    );

function table(rows: readonly string[], columns: number): string[] {
  const cells = rows.map((row) =>
    row
      .trim()
      .replace(/^\||\|$/g, '')
      .split(/(?<!\\)\|/)
      .map((cell) => plain(cell.trim().replaceAll('\\|', '|'))),
  );
  const [head = [], , ...body] = cells;
  const widths = head.map((_, i) => Math.max(...[head, ...body].map((row) => textWidth(row[i] ?? ''))));
  // The widest gives way first: its cells are wrapped, and none is cut.
  let excess = widths.reduce((sum, one) => sum + one, 2 * (head.length - 1)) - columns;
  for (; excess > 0 && Math.max(...widths) > NARROWEST; excess--)
    widths[widths.indexOf(Math.max(...widths))]! -= 1;
  const wrapped = body.flatMap((row) => {
    const pieces = head.map((_, i) => wrap(row[i] ?? '', widths[i]!, '', ''));
    const lines = Math.max(...pieces.map(({ length }) => length));
    return Array.from({ length: lines }, (_, line) => pieces.map((piece) => piece[line] ?? ''));
  });
  return renderTable(
    head.map((title, i) => ({ title, cell: (row: readonly string[]) => row[i] ?? '' })),
    wrapped,
    Number.POSITIVE_INFINITY,
  );
}

/** Words in lines of at most so many columns; a longer word stays whole. */
function wrap(text: string, columns: number, first: string, others: string): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(/\s+/)) {
    if (!empty && textWidth(line) + 1 + textWidth(word) > columns) {
      lines.push(line);
      line = others;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}
