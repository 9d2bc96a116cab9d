import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptsOf } from '../../src/domain/attempts.ts';
import {
  dependencyText,
  impossible,
  neverStarts,
  standingOf,
  waitsFor,
} from '../../src/domain/dependencies.ts';
import type { DiagnosisCode } from '../../src/domain/diagnosis.ts';
import { isTerminal, JOB_STATUSES, jobSpecSchema } from '../../src/domain/job.ts';
import { createJob, type JobEvent } from '../../src/domain/lifecycle.ts';
import { retryAtMs, retryText } from '../../src/domain/retries.ts';
import { NO_TERMS } from '../../src/domain/terms.ts';
import { overTimeLimit } from '../../src/domain/timeLimit.ts';

const spec = jobSpecSchema.parse({ command: ['true'], cwd: '/', user: 'a' });
const job = createJob(9, { kind: 'submitted', spec }, 0);

describe('what a submission says of its terms', () => {
  it('is nothing unless it says so', () => expect(spec).toMatchObject(NO_TERMS));

  it.each([
    [{ beginAtMs: -1 }, 'beginAtMs'],
    [{ beginAtMs: 1e17 }, 'beginAtMs'],
    [{ timeLimitS: 0 }, 'timeLimitS'],
    [{ timeLimitS: Number.POSITIVE_INFINITY }, 'timeLimitS'],
    [{ retries: -1 }, 'retries'],
    [{ retries: 1001 }, 'retries'],
    [{ retryDelayS: -1 }, 'retryDelayS'],
    [{ retryOn: [] }, 'retryOn'],
    [{ retryOn: [0] }, 'retryOn.0'],
    [{ retryOn: [256] }, 'retryOn.0'],
    [{ after: [{ jobId: 0, on: 'ok' }] }, 'after.0.jobId'],
    [{ after: [{ jobId: 1, on: 'started' }] }, 'after.0.on'],
    [{ after: [{ jobId: 1, on: 'ok', or: true }] }, 'after.0'],
    [{ retryOnDiagnoses: [] }, 'retryOnDiagnoses'],
    [{ retryOnDiagnoses: ['bad-luck'] }, 'retryOnDiagnoses.0'],
    [{ deadlineAtMs: -1 }, 'deadlineAtMs'],
    [{ minGpus: 0 }, 'minGpus'],
    [{ minGpus: 2 }, 'minGpus'],
    [{ gpuShare: 1 }, 'gpuShare'],
    [{ gpuShare: 0 }, 'gpuShare'],
    [{ gpuShare: 0.5, gpus: 2 }, 'gpuShare'],
    [{ gpuShare: 0.5, exclusive: true }, 'gpuShare'],
    [{ checkpointSignal: 'SIGKILL' }, 'checkpointSignal'],
    [{ graceS: 86_401 }, 'graceS'],
  ])('is refused by its field: %j', (terms, field) => {
    const { error } = jobSpecSchema.safeParse({ ...spec, ...terms });
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual([field]);
  });
});

describe('a dependency', () => {
  it('is open until the other job is over, and then met or impossible for good', () => {
    for (const status of JOB_STATUSES) {
      const [ok, any, not] = (['ok', 'any', 'not-ok'] as const).map((on) =>
        standingOf({ jobId: 1, on }, status),
      );
      const over = isTerminal(status);
      const good = status === 'succeeded';
      expect([ok, any, not]).toEqual(
        over ? [good ? 'met' : 'impossible', 'met', good ? 'impossible' : 'met'] : ['open', 'open', 'open'],
      );
    }
  });

  it('is told in words', () => {
    const after = [
      { jobId: 3, on: 'ok' as const },
      { jobId: 4, on: 'not-ok' as const },
      { jobId: 5, on: 'any' as const },
    ];
    expect(dependencyText(after)).toBe('#3 to succeed, #4 to fail, #5 to end');
    expect(waitsFor(after.slice(0, 1))).toBe('waits for #3 to succeed');
    expect(waitsFor(after)).toBe('waits for #3 to succeed and for 2 more');
    const found = impossible({ after }, ({ jobId }) => (jobId === 4 ? 'succeeded' : 'queued'));
    expect(found && neverStarts(found.dependency, found.status)).toBe(
      '#4 has succeeded, but was to fail first',
    );
    expect(impossible({ after }, () => 'queued')).toBeNull();
  });
});

describe('a retry', () => {
  const failed = { ...job, status: 'running' as const, retries: 40, retryDelayS: 30 };
  const died = (exitCode: number | null, diagnosis: DiagnosisCode | null = null) => ({ exitCode, diagnosis });

  it('waits twice as long each time, up to an hour or what was asked for', () => {
    const delays = [0, 1, 2, 6, 7, 39].map(
      (retried) => retryAtMs({ ...failed, retried }, died(1), 1000)! - 1000,
    );
    expect(delays.map((ms) => ms / 1000)).toEqual([30, 60, 120, 1920, 3600, 3600]);
    expect(retryAtMs({ ...failed, retryDelayS: 7200, retried: 3 }, died(1), 0)).toBe(7_200_000);
    expect(retryAtMs({ ...failed, retryDelayS: 0, retried: 3 }, died(1), 5)).toBe(5);
  });

  it('is for what failed or was lost, not for what succeeded, was told to end, or has none left', () => {
    expect(retryAtMs(failed, died(0), 0)).toBeNull();
    expect(retryAtMs({ ...failed, status: 'stopping' }, died(1), 0)).toBeNull();
    expect(retryAtMs({ ...failed, retried: 40 }, died(1), 0)).toBeNull();
    expect(retryAtMs(failed, died(null), 0)).toBe(30_000);
    const on = { ...failed, retryOn: [1, 137] };
    expect([1, 137, 2, null].map((code) => retryAtMs(on, died(code), 0) !== null)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('may be for some causes of death only, beside some exit codes', () => {
    const on = { ...failed, retryOnDiagnoses: ['gpu-memory' as const, 'lost' as const] };
    expect(retryAtMs(on, died(1, 'gpu-memory'), 0)).toBe(30_000);
    expect(retryAtMs(on, died(null, 'lost'), 0)).toBe(30_000);
    expect(retryAtMs(on, died(1, 'python-error'), 0)).toBeNull();
    expect(retryAtMs(on, died(1), 0)).toBeNull();
    expect(retryAtMs({ ...on, retryOn: [3] }, died(3, 'python-error'), 0)).toBe(30_000);
    expect(retryText({ ...on, retries: 2, retryOn: [3] })).toBe(
      '0 of 2 used, 30 s apart at first, only after exit code 3 or gpu-memory or lost',
    );
  });

  it('is told in words', () => {
    expect(retryText(job)).toBe('');
    expect(retryText({ ...failed, retried: 1, retries: 3, retryOn: [1, 137] })).toBe(
      '1 of 3 used, 30 s apart at first, only after exit code 1 or 137',
    );
  });
});

describe('a time limit', () => {
  it('is over once the job has run for it by the clock that nobody sets', () => {
    const running = { ...job, timeLimitS: 60, startedAtMs: 0, runClock: { ranMs: 20_000, sinceMs: 5000 } };
    // What the clock on the wall says does not count.
    expect(overTimeLimit(running, 44_999, 1e12)).toBeNull();
    expect(overTimeLimit(running, 45_000, 0)).toBe('it reached its time limit of 1 min');
    expect(overTimeLimit({ ...running, runClock: { ranMs: 59_999, sinceMs: null } }, 1e9, 0)).toBeNull();
    expect(overTimeLimit({ ...running, timeLimitS: null }, 1e12, 1e12)).toBeNull();
  });

  it('goes by the clock on the wall where that is all there is', () => {
    const running = { ...job, timeLimitS: 60, startedAtMs: 1000, pausedMs: 4000, runClock: null };
    expect(overTimeLimit(running, 1e12, 64_999)).toBeNull();
    expect(overTimeLimit(running, 0, 65_000)).not.toBeNull();
  });
});

describe('attempts', () => {
  const process = { pid: 1, startTime: '1', bootId: 'b' };

  it('are told from the events alone', () => {
    const events: JobEvent[] = [
      { kind: 'submitted', spec },
      { kind: 'launching', devices: ['a'], attempt: 1 },
      { kind: 'launch-abandoned', reason: 'r' },
      { kind: 'launching', devices: ['a'], attempt: 2 },
      { kind: 'started', process },
      { kind: 'stopping', outcome: 'timed-out', reason: 'too long' },
      { kind: 'exited', exitCode: 0, cause: null },
      { kind: 'retried' },
      { kind: 'launching', devices: ['b'], attempt: 3 },
      { kind: 'started', process },
    ];
    expect(attemptsOf(events.map((event, atMs) => ({ atMs, event })))).toEqual([
      {
        attempt: 1,
        devices: ['a'],
        startedAtMs: null,
        finishedAtMs: 2,
        exitCode: null,
        outcome: 'not-started',
        cause: 'r',
      },
      {
        attempt: 2,
        devices: ['a'],
        startedAtMs: 4,
        finishedAtMs: 6,
        exitCode: 0,
        outcome: 'timed-out',
        cause: 'too long',
      },
      {
        attempt: 3,
        devices: ['b'],
        startedAtMs: 9,
        finishedAtMs: null,
        exitCode: null,
        outcome: 'open',
        cause: null,
      },
    ]);
  });

  it('are never made up, whatever order events come in', () => {
    const kinds: JobEvent[] = [
      { kind: 'launching', devices: [], attempt: 1 },
      { kind: 'started', process },
      { kind: 'stopping', outcome: 'cancelled', reason: 'r' },
      { kind: 'exited', exitCode: 1, cause: null },
      { kind: 'lost', reason: 'r' },
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...kinds)), (events) => {
        const launches = events.filter(({ kind }) => kind === 'launching').length;
        expect(attemptsOf(events.map((event, atMs) => ({ atMs, event })))).toHaveLength(launches);
      }),
    );
  });
});
