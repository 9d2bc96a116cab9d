import fc from 'fast-check';

/** Texts that break what was not made for them. */
const HOSTILE_TEXTS = [
  '',
  ' ',
  '\0',
  '\x1b[2J\x1b]0;owned\x07',
  '\x9b31m',
  '\u202egnp.exe',
  '\u200b\ufeff',
  '\ud800',
  'a\udc00b',
  '../../../../etc/passwd',
  '/dev/null/..',
  "'; DROP TABLE jobs; --",
  '$(reboot) `reboot` ; reboot && reboot | reboot > /etc/passwd',
  '%s%n%d%%',
  '__proto__',
  'constructor',
  '[secret:1]',
  '{lr} {{lr}} {index}',
  '-1',
  '0x10',
  '1e400',
  '９',
  '--help',
  '-',
  '=',
  'NaN',
  'x'.repeat(5000),
  '\r\n'.repeat(50),
  '🧨'.repeat(40),
];

export const hostileText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
);

export const hostileValue = fc.oneof(
  hostileText,
  fc.constantFrom<unknown>(
    ...[
      undefined,
      null,
      true,
      0,
      -0,
      -1,
      0.5,
      1e308,
      2 ** 53,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      10n,
      [],
      {},
    ],
    new Date(Number.NaN),
  ),
  fc.anything({ maxDepth: 2, maxKeys: 3, withNullPrototype: true, withBigInt: true }),
);

/** Words that readers of specifications look for, with hostile ones between: nearly right, which is worse than wrong. */
export const nearly = (...words: readonly string[]) =>
  fc
    .array(
      fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...words) }, { weight: 1, arbitrary: hostileText }),
      {
        minLength: 1,
        maxLength: 8,
      },
    )
    .map((parts) => parts.join(''));
