import { describe, expect, it } from 'vitest';
import { ProgressBar } from '../../src/cli/progressBar.ts';

const CLEAR = '\r\u001b[K';

function bar(isTTY: boolean, lines: boolean, columns = 80) {
  const written: string[] = [];
  let nowMs = 1000;
  const stream = { isTTY, columns, write: (text: string) => written.push(text) };
  const progress = new ProgressBar({ what: 'evaluating', lines, nowMs: () => nowMs, stream });
  return {
    written,
    at(ms: number, done: number, total: number, fraction = done / total): void {
      nowMs = 1000 + ms;
      progress.update({ done, total, fraction });
    },
    end: () => progress.end(),
  };
}

describe('ProgressBar', () => {
  it('draws on a terminal what is done and what is left, not at once and not too often', () => {
    const { written, at, end } = bar(true, true);
    at(500, 1, 8);
    expect(written).toEqual([]);
    at(1000, 2, 8);
    at(1050, 3, 8);
    at(60_000, 4, 8);
    expect(written).toEqual([
      `${CLEAR}██████░░░░░░░░░░░░░░░░░░ evaluating: 25 %, 2 of 8 done, 3 s left`,
      `${CLEAR}████████████░░░░░░░░░░░░ evaluating: 50 %, 4 of 8 done, 1 min left`,
    ]);
    end();
    end();
    expect(written.slice(2)).toEqual([CLEAR]);
  });

  it('counts parts of what is under way, and fits the line', () => {
    const { written, at } = bar(true, true, 40);
    at(2000, 0, 2, 0.25);
    expect(written).toEqual([`${CLEAR}██████░░░░░░░░░░░░░░░░░░ evaluating: 25`]);
  });

  it('writes a line every few seconds where nobody looks at a terminal', () => {
    const { written, at, end } = bar(false, true);
    at(4999, 1, 8);
    at(6000, 2, 8);
    at(10_999, 3, 8);
    at(11_000, 8, 8);
    end();
    expect(written).toEqual([
      'stint: evaluating: 25 %, 2 of 8 done, 18 s left\n',
      'stint: evaluating: 100 %, 8 of 8 done\n',
    ]);
  });

  it('says nothing where only results are wanted', () => {
    const { written, at, end } = bar(false, false);
    at(60_000, 2, 8);
    end();
    expect(written).toEqual([]);
  });
});
