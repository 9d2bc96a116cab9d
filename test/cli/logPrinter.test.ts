import { expect, it } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { LogPrinter, plainText } from '../../src/cli/logPrinter.ts';

const OUTPUT = ['\u001b[32mepoch 1\u001b[0m\n 10%', '\r 90%', '\r100%\n\u001b]0;title\u0007ok'];

function printed(more: { width: number; live?: boolean; raw?: boolean; env?: Context['env'] }): string {
  const written: string[] = [];
  const { width, env = {} } = more;
  const context = { width, env, write: (text: string) => void written.push(text) } as unknown as Context;
  const printer = new LogPrinter(context, { live: more.live ?? false, raw: more.raw ?? false });
  for (const piece of OUTPUT) printer.write(piece);
  printer.end();
  return written.join('');
}

it('prints text alone where no terminal is, and byte for byte where that is asked', () => {
  expect(printed({ width: Number.POSITIVE_INFINITY })).toBe('epoch 1\n100%\nok');
  expect(printed({ width: Number.POSITIVE_INFINITY, live: true })).toBe('epoch 1\n100%\nok');
  expect(printed({ width: 80, raw: true })).toBe(OUTPUT.join(''));
  expect(plainText('a\u001b[31mb\rc')).toBe('cb');
});

it('keeps colours on a terminal, unless they are not wanted', () => {
  expect(printed({ width: 80 })).toBe('\u001b[32mepoch 1\u001b[0m\n100%\nok');
  expect(printed({ width: 80, env: { NO_COLOR: '1' } })).toBe('epoch 1\n100%\nok');
});

it('shows a line as it grows, within one row', () => {
  const clear = '\r\u001b[K';
  expect(printed({ width: 4, live: true })).toBe(
    `\u001b[32mepoch 1\u001b[0m\n 10${clear} 90${clear}100%\nok${clear}ok`,
  );
});
