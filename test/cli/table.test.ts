import { describe, expect, it } from 'vitest';
import { cut, printable, renderPairs, renderTable, textWidth } from '../../src/cli/table.ts';

describe('a table', () => {
  const columns = [
    { title: 'ID', right: true, cell: (row: [number, string, string]) => String(row[0]) },
    { title: 'NAME', least: 6, cell: (row: [number, string, string]) => row[1] },
    { title: 'NOTE', least: 4, cell: (row: [number, string, string]) => row[2] },
  ];
  const rows: [number, string, string][] = [
    [7, 'short', 'a note'],
    [12, 'a name that goes on and on', 'waits for memory on GPU 1'],
  ];

  it('lines its columns up, and cuts nothing where there is room', () => {
    expect(renderTable(columns, rows, Number.POSITIVE_INFINITY)).toEqual([
      'ID  NAME                        NOTE',
      ' 7  short                       a note',
      '12  a name that goes on and on  waits for memory on GPU 1',
    ]);
  });

  it.each([20, 40, 56])('fits into %i columns', (width) => {
    const lines = renderTable(columns, rows, width);
    expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(width);
    expect(lines[2]).toMatch(/^12 {2}a nam/);
    expect(lines[2]).toContain('…');
  });

  it('leaves out what it can do without before it cuts the rest away', () => {
    const withUser = [
      columns[0]!,
      { title: 'USER', expendable: true, cell: () => 'somebody' } as const,
      ...columns.slice(1),
    ];
    expect(renderTable(withUser, rows, 60)[0]).toContain('USER');
    expect(renderTable(withUser, rows, 16)).toEqual(renderTable(columns, rows, 16));
  });

  it('fits even where its columns cannot', () => {
    expect(Math.max(...renderTable(columns, rows, 5).map(textWidth))).toBeLessThanOrEqual(5);
  });

  it('counts wide characters as two', () => {
    expect(['ab', '学習', '🚀', 'é', 'e\u0301'].map(textWidth)).toEqual([2, 4, 2, 1, 1]);
    expect(cut('学習ジョブ', 5)).toBe('学習…');
  });

  it('lets no text from elsewhere speak to the terminal', () => {
    const evil = 'a\u001b[2Jb\u001b]0;title\u0007c\r\nd\u202ee\u0000f';
    expect(printable(evil)).toMatch(/^a.*b.*c d e f$/);
    const [, line] = renderTable(columns, [[1, evil, evil]], 80);
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(renderPairs([['name', evil]])[0]).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
