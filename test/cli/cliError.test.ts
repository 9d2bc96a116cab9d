import { describe, expect, it } from 'vitest';
import { CliError, describeError } from '../../src/cli/cliError.ts';
import { assignment, duration, integer, jobIds, memory } from '../../src/cli/flags.ts';
import { ConflictError, FieldError } from '../../src/domain/errors.ts';

describe('what is said of an error', () => {
  it.each([
    [
      'the engine’s, by the flag that sets the field',
      { code: 'BAD_REQUEST', data: { field: 'vramMib', value: '0', remedy: 'give at least 1 MiB' } },
      { line: '--vram: 0 is not usable; give at least 1 MiB', status: 2 },
    ],
    [
      'the engine’s, inside a field',
      { code: 'BAD_REQUEST', data: { field: 'env.1X', value: '"a"', remedy: 'use letters' } },
      { line: '--env 1X: "a" is not usable; use letters', status: 2 },
    ],
    [
      'the engine’s, inside a list',
      { code: 'BAD_REQUEST', data: { field: 'command.0', value: '""', remedy: 'give one' } },
      { line: 'the command: "" is not usable; give one', status: 2 },
    ],
    [
      'a field of our own',
      new FieldError('devices', 'x', 'give auto'),
      { line: '--devices: "x" is not usable; give auto', status: 2 },
    ],
    [
      'a conflict',
      new ConflictError('port 1 is taken', 'choose another'),
      { line: 'port 1 is taken; choose another', status: 1 },
    ],
    ['our own', new CliError(3, 'no engine', 'start one'), { line: 'no engine; start one', status: 3 }],
    ['something odd', 'what?', { line: 'what?', status: 1 }],
    ['nothing', undefined, { line: 'undefined', status: 1 }],
  ])('%s', (_name, error, expected) => {
    expect(describeError(error)).toEqual(expected);
  });
});

describe('flags', () => {
  it('are read strictly', () => {
    expect(integer('--gpus', 0, 64)('8')).toBe(8);
    expect(integer('--priority', -1000, 1000)('-5')).toBe(-5);
    expect(memory('--vram')('1.5GiB')).toBe(1536);
    expect(assignment('A=b=c', { B: '' })).toEqual({ B: '', A: 'b=c' });
    expect(jobIds('4', [3])).toEqual([3, 4]);
    expect(['90', '90s', '1.5h', '1d 12h', '2h30min'].map(duration('--estimate'))).toEqual([
      90, 90, 5400, 129_600, 9000,
    ]);
  });

  it.each([
    ['--gpus', () => integer('--gpus', 0, 64)('65')],
    ['--gpus', () => integer('--gpus', 0, 64)('1.0')],
    ['--gpus', () => integer('--gpus', 0, 64)('0x1')],
    ['--gpus', () => integer('--gpus', 0, 64)('')],
    ['--vram', () => memory('--vram')('4')],
    ['--env', () => assignment('=x')],
    ['--env', () => assignment('PATH')],
    ['job id', () => jobIds('0')],
    ['--timeout', () => duration('--timeout')('-1')],
    ['--timeout', () => duration('--timeout')('1 year')],
    ['--timeout', () => duration('--timeout')('')],
  ])('%s names what it cannot use', (field, read) => {
    expect(read).toThrow(expect.objectContaining({ name: 'FieldError', field }));
  });
});
