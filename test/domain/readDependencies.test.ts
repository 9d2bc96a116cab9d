import { describe, expect, it } from 'vitest';
import { dependencies, slurmDependencies } from '../../src/domain/readDependencies.ts';
import { retryOn } from '../../src/domain/retryOn.ts';
import { signalName } from '../../src/domain/signalName.ts';

describe('what a job waits for', () => {
  it('is a list of ids, and more of them when given again', () => {
    const read = dependencies('--after-any', 'any');
    expect(read('12, 13:14', read('9'))).toEqual([9, 12, 13, 14].map((jobId) => ({ jobId, on: 'any' })));
  });

  it.each(['', '0', '-1', '1.5', 'twelve', '12,', '12 13', '1e3'])('refuses %j by its flag', (text) => {
    expect(() => dependencies('--after', 'ok')(text)).toThrow(/^--after: .* give job ids, such as 12,13/);
  });

  it("is said in Slurm's words, too", () => {
    expect(slurmDependencies('afterok:12:13,AfterAny:14', slurmDependencies('afternotok:1'))).toEqual([
      { jobId: 1, on: 'not-ok' },
      { jobId: 12, on: 'ok' },
      { jobId: 13, on: 'ok' },
      { jobId: 14, on: 'any' },
    ]);
  });

  it.each(['', 'afterok', 'after:12', 'singleton', '12', 'afterok:12?afterany:13', 'afterok:12+5'])(
    'refuses %j of them',
    (text) => expect(() => slurmDependencies(text)).toThrow(/^--dependency: /),
  );
});

describe('what is tried again', () => {
  it('are exit codes and causes of death', () => {
    expect(retryOn('137, 2,gpu-memory', retryOn('1,lost'))).toEqual({
      codes: [1, 137, 2],
      causes: ['lost', 'gpu-memory'],
    });
  });
  it.each(['', '0', '256', '1;2', 'OOM!', '-1'])('is not %j', (text) => {
    expect(() => retryOn(text)).toThrow(/^--retry-on: .* from 1 to 255/);
  });
});

it('a signal has one name, however it is called', () => {
  expect(['usr1', 'SIGUSR1', ' SigUsr1 '].map(signalName)).toEqual(['SIGUSR1', 'SIGUSR1', 'SIGUSR1']);
});
