import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Styled, TerminalLine } from '../../src/domain/terminalLine.ts';

/** The lines of an output, the unfinished one last, in whatever pieces it comes. */
function shown(pieces: readonly string[]): Styled[][] {
  const lines: Styled[][] = [];
  const terminal = new TerminalLine((line) => lines.push([...line]));
  for (const piece of pieces) terminal.write(piece);
  return [...lines, [...terminal.unfinished]];
}
const texts = (output: string): string[] =>
  shown([output]).map((line) => line.map(({ text }) => text).join(''));

describe('a line as a terminal leaves it', () => {
  it.each([
    ['a\rbc\n', ['bc', '']],
    [' 10%|#   |\r 50%|##  |\r100%|####|\ndone', ['100%|####|', 'done']],
    ['long state\rok\u001b[K\n', ['ok', '']],
    ['long state\rok\n', ['okng state', '']],
    ['ab\b\bX\n', ['Xb', '']],
    ['one\u001b[2K\rtwo', ['two']],
    ['a\u001b[3Cb\u001b[1Gc', ['c   b']],
    ['12345\u001b[2DX', ['123X5']],
    ['windows\r\n', ['windows', '']],
    ['tab\there', ['tab\there']],
  ])('%j', (output, expected) => expect(texts(output)).toEqual(expected));

  it('keeps colours and emphasis, by stretches', () => {
    const [line] = shown(['a\u001b[1;31mb\u001b[22mc\u001b[38;5;208md\u001b[48;2;1;2;3me\u001b[mf']);
    expect(line).toEqual([
      { text: 'a', style: '' },
      { text: 'b', style: '1;31' },
      { text: 'c', style: '31' },
      { text: 'd', style: '38;5;208' },
      { text: 'e', style: '38;5;208;48;2;1;2;3' },
      { text: 'f', style: '' },
    ]);
    // Neither what hides text nor what makes no sense.
    expect(shown(['\u001b[8mseen\u001b[38;5;999mplain\u001b[38mplain'])[0]).toEqual([
      { text: 'seenplainplain', style: '' },
    ]);
  });

  it.each([
    '\u001b]0;title\u0007',
    '\u001b]8;;https://e.vil\u001b\\',
    '\u001b[2J\u001b[H\u001b[10;10H',
    '\u001b[5A',
    '\u001b[6n\u001b[c',
    '\u001b[?1049h',
    '\u001bP1$q\u001b\\',
    '\u001bc',
    '\u001b[200~',
  ])('lets nothing through of %j', (hostile) => expect(texts(`a${hostile}b`)).toEqual(['ab']));

  it('makes what is left visible', () => {
    expect(texts('\u0007\u009b31m\u202egnp')).toEqual(['␇‹U+009B›31m‹U+202E›gnp']);
  });

  it('never lets a control through, and shows the same however it is cut', () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.constantFrom(
        '\u001b',
        '\u001b[',
        '\r',
        '\b',
        '\n',
        '31m',
        '\u001b[1;31m',
        '\u001b]0;x',
        '\u0007',
        'K',
        '\u001b[K',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const whole = shown([pieces.join('')]);
        expect(shown(pieces)).toEqual(whole);
        for (const { text, style } of whole.flat()) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is the point.
          expect(text).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
          expect(style).toMatch(/^(\d+(;\d+)*)?$/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('hands out a line without an end in pieces', () => {
    const lines: [number, boolean][] = [];
    const terminal = new TerminalLine((line, whole) =>
      lines.push([line.reduce((sum, { text }) => sum + text.length, 0), whole]),
    );
    terminal.write('x'.repeat(70_000));
    terminal.write('y\n');
    expect(lines).toEqual([
      [70_000, false],
      [1, true],
    ]);
  });
});
