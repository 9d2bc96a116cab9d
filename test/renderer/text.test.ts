import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitCommand } from '../../src/domain/splitCommand.ts';
import { ansiLook } from '../../src/renderer/job/ansiLook.ts';
import { hitsIn, segmentsOf } from '../../src/renderer/job/logSegments.ts';
import { parseEnvLines } from '../../src/renderer/text/envLines.ts';
import { formatBytes } from '../../src/renderer/text/formatBytes.ts';
import { formatAgo, formatElapsed } from '../../src/renderer/text/formatTime.ts';
import { TerminalText } from '../../src/renderer/text/terminalText.ts';
import { visibleText } from '../../src/renderer/text/visibleText.ts';

const argvOf = (line: string) => {
  const split = splitCommand(line);
  return 'argv' in split ? split.argv : split.problem;
};
const screenOf = (...pieces: string[]) => {
  const terminal = new TerminalText();
  for (const piece of pieces) terminal.write(piece);
  return terminal.lines;
};

describe('splitCommand', () => {
  it.each([
    ['python train.py --lr 0.1', ['python', 'train.py', '--lr', '0.1']],
    ['  a\t b \n c ', ['a', 'b', 'c']],
    ['sh -c \'echo $HOME "x"\'', ['sh', '-c', 'echo $HOME "x"']],
    ['a "b c" "d\\"e" "f\\n"', ['a', 'b c', 'd"e', 'f\\n']],
    ['a\\ b c\\\nd', ['a b', 'cd']],
    [`--name='x y'z""`, ['--name=x yz']],
    [`'' ""`, ['', '']],
    ['', []],
  ])('reads %j', (line, argv) => {
    expect(argvOf(line)).toEqual(argv);
  });

  it('says what keeps a line from being a command', () => {
    expect(argvOf('echo "a')).toContain('never closed');
    expect(argvOf("echo 'a\\'b'")).toContain('never closed');
    expect(argvOf('echo \\')).toContain('single backslash');
  });

  it('warns of what only a shell would understand, unless it is quoted', () => {
    expect(splitCommand('a | tee b')).toMatchObject({ hint: expect.stringContaining('|') });
    expect(splitCommand('echo $HOME')).toMatchObject({ hint: expect.stringContaining('$HOME') });
    expect(splitCommand("sh -c 'a | b' '|'")).toMatchObject({ hint: null });
  });

  it('gives back any argv that was quoted for a shell', () => {
    const quote = (word: string) => `'${word.replaceAll("'", String.raw`'\''`)}'`;
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (argv) => {
        expect(argvOf(argv.map(quote).join(' '))).toEqual(argv);
      }),
    );
  });
});

describe('parseEnvLines', () => {
  it('reads NAME=value lines and keeps what follows the first =', () => {
    expect(parseEnvLines('A=1\r\n\n# note\n B_2=x=y \nEMPTY=')).toEqual({
      env: { A: '1', B_2: 'x=y ', EMPTY: '' },
    });
  });

  it('names the line that it cannot read', () => {
    expect(parseEnvLines('A=1\n2B=x')).toEqual({ problem: expect.stringContaining('line 2') });
    expect(parseEnvLines('novalue')).toEqual({ problem: expect.stringContaining('line 1') });
  });
});

describe('how a log looks', () => {
  it('keeps colours beside the text, also where it is written over', () => {
    const terminal = new TerminalText();
    terminal.write('\u001b[1;31mred\u001b[0m plain \u001b[38;5;46mgreen\u001b[0m\rRE');
    expect(terminal.lines).toEqual(['REd plain green']);
    expect(terminal.marksOf(0)).toEqual([
      { from: 2, to: 3, style: '1;31' },
      { from: 10, to: 15, style: '38;5;46' },
    ]);
    terminal.write('\u001b[K');
    expect([terminal.lines[0], terminal.marksOf(0)]).toEqual(['RE', []]);
    expect(ansiLook('1;31')).toEqual({ emphasis: ['bold'], front: 1, back: undefined });
    expect(ansiLook('38;5;46;48;2;10;20;200').front).toBe(2);
    expect(ansiLook('38;5;46;48;2;10;20;200').back).toBe(4);
    expect(ansiLook('3;97;103')).toEqual({ emphasis: ['italic'], front: 7, back: 3 });
    expect(ansiLook('38;2;100;100;110').front).toBeUndefined();
  });

  it('is cut where its colours and what was looked for begin and end', () => {
    const hits = hitsIn('a Loss, loss', 'loss', false);
    expect(hits).toEqual([
      { from: 2, to: 6 },
      { from: 8, to: 12 },
    ]);
    expect(segmentsOf('a Loss, loss', [{ from: 0, to: 4, style: '31' }], hits)).toEqual([
      { from: 0, text: 'a ', style: '31', hit: false },
      { from: 2, text: 'Lo', style: '31', hit: true },
      { from: 4, text: 'ss', style: '', hit: true },
      { from: 6, text: ', ', style: '', hit: false },
      { from: 8, text: 'loss', style: '', hit: true },
    ]);
    expect(hitsIn('x', '[[:alpha:', true)).toEqual([]);
  });
});

describe('TerminalText', () => {
  it('lets a carriage return write over the line, as a progress bar does', () => {
    expect(screenOf('a\n 10%\r 20%\r100%\nb')).toEqual(['a', '100%', 'b']);
    expect(screenOf('abcdef\rxy')).toEqual(['xycdef']);
    expect(screenOf('a\r\nb\r\n')).toEqual(['a', 'b', '']);
  });

  it('obeys erase-line, backspace and cursor movements, and drops colours and titles', () => {
    expect(screenOf('long line\r\u001b[Kshort')).toEqual(['short']);
    expect(screenOf('\u001b[1;31mred\u001b[0m \u001b]0;title\u0007plain')).toEqual(['red plain']);
    expect(screenOf('one\ntwo\n\u001b[2Atop\u001b[2B')).toEqual(['top', 'two', '']);
    expect(screenOf('ab\b\bX')).toEqual(['Xb']);
    expect(screenOf('ab\u001b[10Gc')).toEqual(['ab       c']);
  });

  it('shows the same whatever the pieces in which the text comes', () => {
    const text = fc
      .array(
        fc.oneof(
          fc.string({ maxLength: 5 }),
          fc.constantFrom(
            '\n',
            '\r',
            '\b',
            '\u001b[2K',
            '\u001b[31m',
            '\u001b[1A',
            '\u001b]0;t\u0007',
            '\u001b',
          ),
        ),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat(40)), (whole, cuts) => {
        const places = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b);
        const pieces = [0, ...places].map((from, i) => whole.slice(from, places[i] ?? whole.length));
        expect(screenOf(...pieces)).toEqual(screenOf(whole));
      }),
    );
  });

  it('never swallows the rest behind an escape that leads nowhere', () => {
    expect(screenOf(`\u001b]${'x'.repeat(600)}`, 'after').join('')).toContain('after');
  });

  it('never lets a control character or a bidirectional mark through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const line of screenOf(text)) expect(line).toEqual(visibleText(line));
      }),
    );
  });
});

describe('visibleText', () => {
  it('shows what hides or reorders, and leaves the rest alone', () => {
    expect(visibleText('gnp\u202e.exe\u0007\u200b\u007f\u009b')).toBe('gnp‹U+202E›.exe␇‹U+200B›␡‹U+009B›');
    expect(visibleText('naïve 日本語 👩🏽 العربية')).toBe('naïve 日本語 👩🏽 العربية');
    expect(visibleText('a\tb\nc', '\t')).toBe('a\tb␊c');
  });
});

describe('amounts of output', () => {
  it('carry the unit that fits', () => {
    expect([0, 1023, 64_607, 1.5 * 2 ** 20, 3 * 2 ** 30].map(formatBytes)).toEqual([
      '0 B',
      '1023 B',
      '63 KiB',
      '1.5 MiB',
      '3 GiB',
    ]);
  });
});

describe('times', () => {
  it('are short and carry their unit', () => {
    expect([0, 9_000, 61_000, 7_300_000, 200_000_000].map((ms) => formatAgo(0, ms))).toEqual([
      'just now',
      'just now',
      '1 min ago',
      '2 h ago',
      '2 d ago',
    ]);
    expect([0, 0.4, 59.9, 61].map(formatElapsed)).toEqual(['0 s', '0 s', '59 s', '1 min 1 s']);
  });
});
