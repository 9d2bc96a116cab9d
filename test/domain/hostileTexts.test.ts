import fc from 'fast-check';
import { expect, it } from 'vitest';
import { exported } from '../../src/cli/exported.ts';
import { assignment, deviceIndices, jobId, throttleShare } from '../../src/cli/flags.ts';
import { axis } from '../../src/cli/sweepFlags.ts';
import { printable } from '../../src/cli/table.ts';
import { parseBegin } from '../../src/domain/begin.ts';
import { commandKey } from '../../src/domain/commandKey.ts';
import { conceal, restored } from '../../src/domain/concealment.ts';
import { parseDeviceSpec } from '../../src/domain/deviceSpec.ts';
import { diagnose, type EndFacts } from '../../src/domain/diagnosis.ts';
import { FieldError } from '../../src/domain/errors.ts';
import { parseGpuNeed } from '../../src/domain/gpuNeed.ts';
import { jobSpecSchema } from '../../src/domain/job.ts';
import { MetricReader } from '../../src/domain/metrics.ts';
import { parseEnvFile } from '../../src/domain/parseEnvFile.ts';
import { filled } from '../../src/domain/placeholders.ts';
import { plainLine } from '../../src/domain/plainLine.ts';
import { readProgress } from '../../src/domain/progress.ts';
import { dependencies, slurmDependencies } from '../../src/domain/readDependencies.ts';
import { retryOn } from '../../src/domain/retryOn.ts';
import { scriptOf } from '../../src/domain/script.ts';
import { withoutSecrets } from '../../src/domain/secrets.ts';
import { splitCommand } from '../../src/domain/splitCommand.ts';
import { parseArray, parsePoints } from '../../src/domain/sweep.ts';
import { parseDurationS, parseMemoryMib } from '../../src/domain/units.ts';
import { hostileText, nearly } from './hostile.ts';

const RUNS = 400;
let cases = 0;

const context = { nowMs: 1_700_000_000_000, offsetMinAt: () => 60 };
const numbers = ['0', '1', '12', '99999999999', '-', '.', '1.5', 'e9', ',', ' ', '..', ':', '%', '='];

/** Readers of what people write: each reads it, or says which field is wrong and how to mend it. */
const READERS: readonly [string, fc.Arbitrary<string>, (text: string) => unknown][] = [
  ['GPUs', nearly(...numbers), (text) => parseGpuNeed(text, 'it')],
  ['an array', nearly(...numbers), (text) => parseArray(text, 'it')],
  ['a sweep', nearly('lr', '=', 'log:', 'uniform:', ...numbers), (text) => axis(text)],
  [
    'points',
    nearly('a,b\n', '1,2\n', '"', '[', '{"a":', '1', '}', ']', ',', '\n'),
    (text) => parsePoints(text, 'it'),
  ],
  [
    'a moment',
    nearly('tomorrow', '+', 'h', '2026-11-24', '22:00', ...numbers),
    (text) => parseBegin(text, 'it', context),
  ],
  ['memory', nearly('GiB', 'MiB', 'k', ...numbers), (text) => parseMemoryMib(text, 'it')],
  ['a duration', nearly('h', 'min', 's', 'd', ...numbers), (text) => parseDurationS(text, 'it')],
  ['devices', nearly('virtual:', 'x', 'MiB', 'nvml', 'auto', ...numbers), (text) => parseDeviceSpec(text)],
  ['device numbers', nearly(...numbers), (text) => deviceIndices(text)],
  ['dependencies', nearly(...numbers), (text) => dependencies('it', 'ok')(text)],
  [
    'Slurm’s dependencies',
    nearly('afterok', 'afterany', 'after', '?', ...numbers),
    (text) => slurmDependencies(text),
  ],
  ['retries', nearly('gpu-memory', ...numbers), (text) => retryOn(text)],
  ['a share', nearly('%', 'off', ...numbers), (text) => throttleShare(text)],
  ['a job', nearly(...numbers), (text) => jobId(text)],
  ['a variable', nearly('A', '=', '__proto__', 'TOKEN'), (text) => assignment(text)],
  ['exports', nearly('PATH', 'ALL', 'NONE', '=', ','), (text) => exported({ env: { PATH: '/' } }, text)],
  [
    'a file of variables',
    nearly('A', '=', '"', "'", '\n', '#', 'export ', '\\'),
    (text) => parseEnvFile(text, 'it'),
  ],
];

it.each(READERS)('%s are read, or refused by their field', (_what, texts, read) => {
  fc.assert(
    fc.property(texts, (text) => {
      cases++;
      try {
        read(text);
      } catch (error) {
        if (!(error instanceof FieldError)) throw error;
        expect(error.field).toMatch(/\S/);
        expect(error.remedy).toMatch(/\S/);
        expect(error.message).not.toMatch(/[\p{Cc}\u202e\u2028]/u);
      }
    }),
    { numRuns: RUNS, seed: 20261124 },
  );
});

const log = nearly(
  'epoch',
  ' 3/90',
  'loss: ',
  '0.25',
  'nan',
  '100%|',
  '|',
  '\r',
  '\n',
  '\x1b[2K',
  'STINT_PROGRESS=',
  '{"step":',
);
const facts: EndFacts = {
  status: 'failed',
  exitCode: 1,
  signal: null,
  stoppedBy: null,
  trouble: null,
  oomKilled: null,
  neighbours: [],
};

/** Readers of whatever is there: they refuse nothing. */
const TAKERS: readonly [string, fc.Arbitrary<string>, (text: string) => unknown][] = [
  ['progress', log, (text) => readProgress(text)],
  ['metrics', log, (text) => new MetricReader(null).read(text)],
  ['a diagnosis', log, (text) => diagnose(facts, [{ text, offset: 0, number: 1 }]).summary],
  ['a plain line', hostileText, (text) => expect(plainLine(text)).not.toMatch(/[\p{Cc}\u202e]/u)],
  ['a cell', hostileText, (text) => expect(printable(text)).not.toMatch(/[\p{Cc}\u202e]/u)],
  [
    'what is filled in',
    nearly('{lr}', '{{lr}}', '$', '{'),
    (text) => filled(text, { lr: '{lr}', index: '$&' }),
  ],
  ['a command line', nearly('"', "'", '\\', ' ', 'a', '$'), (text) => splitCommand(text)],
  [
    'a command’s key',
    hostileText,
    (text) => commandKey([text, '--lr', text], 1) + scriptOf([text, '-m', text]),
  ],
  [
    'a text without secrets',
    nearly('TOKEN', '=', 'sk-12345678901234567', '://', '@', ':', '"'),
    (text) => expect(withoutSecrets(`${text}\nghp_0123456789abcdef0123`)).not.toContain('ghp_0'),
  ],
];

it.each(TAKERS)('%s comes of any text', (_what, texts, take) => {
  fc.assert(
    fc.property(texts, (text) => {
      cases++;
      take(text);
    }),
    { numRuns: RUNS, seed: 20261124 },
  );
});

it('a submission is the same again once its secrets are put back', () => {
  const words = nearly(
    '--token',
    '=',
    ' ',
    'hunter22',
    'K_KEY',
    'sk-12345678901234567',
    '$&',
    '\\',
    '[',
    ')',
  ).filter((text) => !text.includes('[secret') && !text.includes('\0') && text !== '');
  fc.assert(
    fc.property(fc.array(words, { minLength: 1, maxLength: 5 }), words, (command, value) => {
      cases++;
      const spec = jobSpecSchema.parse({ command, cwd: '/', user: 'a', env: { A_TOKEN: value, B: value } });
      const { jobs, values } = conceal([{ spec }]);
      expect(restored(jobs[0]!, values)).toEqual({ spec });
    }),
    { numRuns: RUNS, seed: 20261124 },
  );
});

it('more than ten thousand times', () => expect(cases).toBeGreaterThan(10_000));
