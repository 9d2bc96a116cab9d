import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isTerminal,
  JOB_STATUSES,
  type Job,
  type JobStatus,
  jobSchema,
  jobSpecSchema,
} from '../../src/domain/job.ts';
import {
  applyEvent,
  createJob,
  type Folded,
  IllegalTransitionError,
  type JobEvent,
} from '../../src/domain/lifecycle.ts';

const spec = jobSpecSchema.parse({ command: ['true'], cwd: '/', user: 'a' });
const process = { pid: 1, startTime: '1', bootId: 'b' };
const EVENTS: readonly JobEvent[] = [
  { kind: 'submitted', spec },
  { kind: 'held' },
  { kind: 'released' },
  { kind: 'prioritised', priority: 3 },
  { kind: 'moved', rank: 0.5 },
  { kind: 'launching', devices: ['virtual-0'], attempt: 1 },
  { kind: 'launch-abandoned', reason: 'r' },
  { kind: 'started', process },
  { kind: 'progressed', progress: { fraction: 0.5, label: 'epoch 1/2', atMs: 1 } },
  { kind: 'paused', method: 'signals', holdsVram: true },
  { kind: 'resumed' },
  { kind: 'stopping', outcome: 'cancelled', reason: 'cancelled' },
  { kind: 'exited', exitCode: 0, cause: null },
  { kind: 'withdrawn', reason: 'r' },
  { kind: 'launch-failed', reason: 'r' },
  { kind: 'lost', reason: 'r' },
];

/** The status that each event leads to from each status; a pair that is not here is illegal. */
const TABLE: Partial<Record<JobStatus, Partial<Record<JobEvent['kind'], JobStatus>>>> = {
  queued: {
    held: 'held',
    prioritised: 'queued',
    moved: 'queued',
    launching: 'starting',
    withdrawn: 'cancelled',
  },
  held: { released: 'queued', prioritised: 'held', moved: 'held', withdrawn: 'cancelled' },
  starting: {
    prioritised: 'starting',
    'launch-abandoned': 'queued',
    started: 'running',
    stopping: 'stopping',
    exited: 'succeeded',
    'launch-failed': 'failed',
    lost: 'lost',
  },
  running: {
    prioritised: 'running',
    progressed: 'running',
    paused: 'paused',
    stopping: 'stopping',
    exited: 'succeeded',
    lost: 'lost',
  },
  paused: {
    prioritised: 'paused',
    progressed: 'paused',
    resumed: 'running',
    stopping: 'stopping',
    exited: 'succeeded',
    lost: 'lost',
  },
  stopping: {
    prioritised: 'stopping',
    'launch-abandoned': 'cancelled',
    started: 'stopping',
    progressed: 'stopping',
    exited: 'cancelled',
    'launch-failed': 'cancelled',
    lost: 'cancelled',
  },
};

function jobThatIs(status: JobStatus): Folded {
  const job: Job = { ...createJob(1, { kind: 'submitted', spec }, 0), status };
  return { job, stoppingAs: status === 'stopping' ? 'cancelled' : null };
}

describe('the transition table', () => {
  const pairs = JOB_STATUSES.flatMap((status) => EVENTS.map((event) => [status, event.kind, event] as const));
  it.each(pairs)('%s + %s', (status, kind, event) => {
    const folded = jobThatIs(status);
    const expected = TABLE[status]?.[kind];
    if (expected === undefined) {
      expect(() => applyEvent(folded, event, 5)).toThrow(IllegalTransitionError);
    } else {
      expect(applyEvent(folded, event, 5).job.status).toBe(expected);
    }
  });

  it('says what would be needed', () => {
    expect(() =>
      applyEvent(jobThatIs('queued'), { kind: 'paused', method: 'signals', holdsVram: true }, 5),
    ).toThrow('job 1 is queued, so it cannot be paused; that needs it to be running');
  });
});

describe('folding', () => {
  const legalWalk = fc.array(fc.nat({ max: EVENTS.length - 1 }), { maxLength: 40 });

  it('keeps every job well-formed, with an end exactly when it is over', () => {
    fc.assert(
      fc.property(legalWalk, (choices) => {
        let folded: Folded = { job: createJob(7, { kind: 'submitted', spec }, 100), stoppingAs: null };
        let atMs = 100;
        for (const choice of choices) {
          atMs += 10;
          try {
            folded = applyEvent(folded, EVENTS[choice]!, atMs);
          } catch (error) {
            expect(error).toBeInstanceOf(IllegalTransitionError);
          }
          expect(jobSchema.parse(folded.job)).toEqual(folded.job);
          expect(folded.job.finishedAtMs !== null).toBe(isTerminal(folded.job.status));
          expect(folded.job.pausedAtMs !== null).toBe(folded.job.status === 'paused');
          expect(folded.stoppingAs !== null).toBe(folded.job.status === 'stopping');
        }
      }),
    );
  });

  it('ends no job before it began, though the clock was set back', () => {
    const events: [JobEvent, number][] = [
      [{ kind: 'launching', devices: [], attempt: 1 }, 5000],
      [{ kind: 'started', process }, 5000],
      [{ kind: 'lost', reason: 'r' }, 2000],
    ];
    let folded: Folded = { job: createJob(1, { kind: 'submitted', spec }, 4000), stoppingAs: null };
    for (const [event, atMs] of events) folded = applyEvent(folded, event, atMs);
    expect(folded.job).toMatchObject({ startedAtMs: 5000, finishedAtMs: 5000 });
  });

  it('does not count pauses as running', () => {
    const events: [JobEvent, number][] = [
      [{ kind: 'launching', devices: [], attempt: 1 }, 1000],
      [{ kind: 'started', process }, 2000],
      [{ kind: 'paused', method: 'signals', holdsVram: false }, 5000],
      [{ kind: 'resumed' }, 9000],
      [{ kind: 'paused', method: 'signals', holdsVram: false }, 10_000],
      [{ kind: 'stopping', outcome: 'timed-out', reason: 'over its limit' }, 10_500],
      [{ kind: 'exited', exitCode: 143, cause: null }, 11_000],
    ];
    let folded: Folded = { job: createJob(1, { kind: 'submitted', spec }, 0), stoppingAs: null };
    for (const [event, atMs] of events) folded = applyEvent(folded, event, atMs);
    expect(folded.job).toMatchObject({
      status: 'timed-out',
      exitCode: 143,
      cause: 'over its limit',
      pausedMs: 4500,
    });
  });
});
