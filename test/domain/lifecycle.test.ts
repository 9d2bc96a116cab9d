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
  { kind: 'pinned', devices: ['virtual-0'] },
  { kind: 'launching', devices: ['virtual-0'], attempt: 1 },
  { kind: 'launch-abandoned', reason: 'r' },
  { kind: 'started', process },
  { kind: 'progressed', progress: { fraction: 0.5, label: 'epoch 1/2', atMs: 1 } },
  { kind: 'paused', method: 'signals', holdsVram: true },
  { kind: 'resumed' },
  { kind: 'vram', held: false },
  { kind: 'throttled', throttle: { share: 0.4, method: 'duty-cycle', by: 'person' } },
  { kind: 'preempting', reason: 'r', hold: false },
  { kind: 'stopping', outcome: 'cancelled', reason: 'cancelled' },
  { kind: 'exited', exitCode: 0, cause: null },
  { kind: 'withdrawn', reason: 'r' },
  { kind: 'undone', status: 'held', cause: null, diagnosis: null, pausedBy: null, pauseMethod: null },
  { kind: 'launch-failed', reason: 'r' },
  { kind: 'lost', reason: 'r' },
  { kind: 'misplaced', device: 'g1', reason: 'it is elsewhere' },
  { kind: 'handed', attempt: 1, token: 't', index: null },
  { kind: 'taken', remoteId: '12' },
  { kind: 'handed-back', reason: 'r', hold: false },
  { kind: 'began', nodes: ['n1'] },
  { kind: 'requeued', reason: 'r' },
  { kind: 'ended', outcome: 'succeeded', exitCode: 0, cause: null },
  { kind: 'retried' },
];

/** The status that each event leads to from each status; a pair that is not here is illegal. */
const TABLE: Partial<Record<JobStatus, Partial<Record<JobEvent['kind'], JobStatus>>>> = {
  queued: {
    held: 'held',
    prioritised: 'queued',
    moved: 'queued',
    pinned: 'queued',
    launching: 'starting',
    withdrawn: 'cancelled',
  },
  held: { released: 'queued', prioritised: 'held', moved: 'held', pinned: 'held', withdrawn: 'cancelled' },
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
    misplaced: 'running',
    prioritised: 'running',
    progressed: 'running',
    paused: 'paused',
    throttled: 'running',
    preempting: 'stopping',
    stopping: 'stopping',
    exited: 'succeeded',
    lost: 'lost',
  },
  paused: {
    vram: 'paused',
    misplaced: 'paused',
    prioritised: 'paused',
    progressed: 'paused',
    resumed: 'running',
    throttled: 'paused',
    preempting: 'stopping',
    stopping: 'stopping',
    exited: 'succeeded',
    lost: 'lost',
  },
  stopping: {
    misplaced: 'stopping',
    prioritised: 'stopping',
    'launch-abandoned': 'cancelled',
    started: 'stopping',
    progressed: 'stopping',
    exited: 'cancelled',
    'launch-failed': 'cancelled',
    lost: 'cancelled',
  },
  succeeded: { retried: 'queued' },
  failed: { retried: 'queued' },
  cancelled: { retried: 'queued', undone: 'held' },
  'timed-out': { retried: 'queued' },
  lost: { retried: 'queued' },
};

/** The same of a job that another queue has: what differs from {@link TABLE}, null for what is illegal there. */
const ELSEWHERE: Partial<Record<JobStatus, Partial<Record<JobEvent['kind'], JobStatus | null>>>> = {
  queued: {
    launching: null,
    pinned: null,
    withdrawn: null,
    stopping: 'stopping',
    taken: 'queued',
    'handed-back': 'queued',
    began: 'running',
    ended: 'succeeded',
  },
  held: {
    pinned: null,
    withdrawn: null,
    stopping: 'stopping',
    taken: 'held',
    'handed-back': 'held',
    began: 'running',
    ended: 'succeeded',
  },
  running: {
    throttled: null,
    preempting: null,
    requeued: 'queued',
    ended: 'succeeded',
  },
  paused: {
    vram: null,
    throttled: null,
    preempting: null,
    requeued: 'queued',
    ended: 'succeeded',
  },
  stopping: {
    taken: 'stopping',
    'handed-back': 'cancelled',
    began: 'stopping',
    requeued: 'stopping',
    ended: 'cancelled',
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

  const elsewhere = { executor: 'slurm', remote: { token: 't', index: null, id: '12', nodes: [] } };
  it.each(pairs.filter(([status]) => status !== 'starting'))('elsewhere: %s + %s', (status, kind, event) => {
    const { job, stoppingAs } = jobThatIs(status);
    const folded = { job: { ...job, ...elsewhere }, stoppingAs };
    const changed = ELSEWHERE[status];
    const expected = changed && kind in changed ? changed[kind] : TABLE[status]?.[kind];
    if (expected == null) {
      expect(() => applyEvent(folded, event, 5)).toThrow(IllegalTransitionError);
    } else {
      expect(applyEvent(folded, event, 5).job.status).toBe(expected);
    }
  });

  it('a job is handed over once, and comes back as it was', () => {
    const { job } = jobThatIs('queued');
    const waiting: Folded = { job: { ...job, executor: 'slurm' }, stoppingAs: null };
    const [handed, taken, back] = EVENTS.filter(({ kind }) =>
      ['handed', 'taken', 'handed-back'].includes(kind),
    );
    expect(() => applyEvent(waiting, taken!, 5)).toThrow(IllegalTransitionError);
    const there = applyEvent(waiting, handed!, 5);
    expect(there.job).toMatchObject({ status: 'queued', attempt: 1, remote: { token: 't', id: null } });
    expect(() => applyEvent(there, handed!, 5)).toThrow(IllegalTransitionError);
    expect(applyEvent(applyEvent(there, taken!, 5), back!, 5).job).toEqual({ ...waiting.job, attempt: 1 });
    const refused = { kind: 'handed-back', reason: 'r', hold: true } as const;
    expect(applyEvent(there, refused, 5).job).toMatchObject({ status: 'held', cause: 'r', remote: null });
  });

  it.each([
    { kind: 'exited', exitCode: 3, cause: 'exited with code 3', retryAtMs: 50 },
    { kind: 'lost', reason: 'r', retryAtMs: 50 },
    { kind: 'launch-failed', reason: 'r', retryAtMs: 50 },
  ] as const satisfies readonly JobEvent[])('an end that is tried again: $kind', (event) => {
    const { job } = applyEvent(jobThatIs('starting'), event, 5);
    expect(job).toMatchObject({ status: 'queued', finishedAtMs: null, exitCode: null, retried: 1 });
    expect(job.retryWait).toMatchObject({ fromMs: 5, untilMs: 50 });
    // What was told to end stays ended.
    expect(applyEvent(jobThatIs('stopping'), event, 5).job.status).toBe('cancelled');
  });

  it.each(['queued', 'held'] as const)(
    'a withdrawal that is taken back leaves a job that was %s as it was',
    (status) => {
      const diagnosis = {
        code: 'gpu-memory',
        cause: 'c',
        remedy: 'r',
        line: 'l',
      } as unknown as Job['diagnosis'];
      const { job } = jobThatIs(status);
      const before: Folded = {
        job: {
          ...job,
          rank: 0.5,
          moved: true,
          priority: 4,
          attempt: 2,
          cause: 'exited with code 1',
          diagnosis,
          retryWait: { fromMs: 1, untilMs: 9, because: 'it failed' },
          pausedBy: status === 'held' ? 'person' : null,
          pauseMethod: status === 'held' ? 'checkpoint' : null,
        },
        stoppingAs: null,
      };
      const withdrawn = applyEvent(before, { kind: 'withdrawn', reason: 'r' }, 5);
      const { cause, pausedBy, pauseMethod } = before.job;
      const undone = { kind: 'undone' as const, status, cause, diagnosis, pausedBy, pauseMethod };
      expect(applyEvent(withdrawn, undone, 8)).toEqual(before);
      const ran: Folded = { job: { ...withdrawn.job, startedAtMs: 2 }, stoppingAs: null };
      expect(() => applyEvent(ran, undone, 8)).toThrow(IllegalTransitionError);
    },
  );

  it.each(['preempted', 'parked'] as const)('a job that is being %s', (stoppingAs) => {
    const leaving: Folded = {
      job: { ...jobThatIs('stopping').job, devices: ['a'], preemptions: 2 },
      stoppingAs,
    };
    const back =
      stoppingAs === 'preempted'
        ? { status: 'queued', preemptions: 3, pauseMethod: null }
        : { status: 'held', preemptions: 2, pauseMethod: 'checkpoint' };
    for (const event of EVENTS) {
      if (!['exited', 'lost', 'launch-failed', 'launch-abandoned'].includes(event.kind)) continue;
      const after = applyEvent(leaving, event, 50);
      expect(after.job).toMatchObject({ ...back, devices: [], readyAtMs: 50, retried: 0, retryWait: null });
      expect(after.stoppingAs).toBe(null);
    }
    const ran = { ...leaving.job, startedAtMs: 1000, earlierGpuS: 5 };
    const { job } = applyEvent({ job: ran, stoppingAs }, { kind: 'lost', reason: 'r' }, 3000);
    expect(job.earlierGpuS).toBe(7);
    // It ended by itself before it heard of it.
    const exited = { kind: 'exited', exitCode: 0, cause: null, untold: true } as const;
    expect(applyEvent(leaving, exited, 50).job).toMatchObject({ status: 'succeeded', preemptions: 2 });
    // And a person's word counts, once.
    const cancelled = { kind: 'stopping', outcome: 'cancelled', reason: 'r' } as const;
    const told = applyEvent(leaving, cancelled, 50);
    expect(applyEvent(told, EVENTS.find(({ kind }) => kind === 'exited')!, 60).job.status).toBe('cancelled');
    expect(() => applyEvent(told, cancelled, 60)).toThrow(IllegalTransitionError);
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

  it('starts a retried job afresh, with all of its retries', () => {
    const events: [JobEvent, number][] = [
      [{ kind: 'launching', devices: ['virtual-0'], attempt: 1, readyAtMs: 500 }, 1000],
      [{ kind: 'started', process, monotonicMs: 70 }, 2000],
      [{ kind: 'paused', method: 'signals', holdsVram: true, monotonicMs: 90 }, 3000],
      [{ kind: 'exited', exitCode: 9, cause: 'c', retryAtMs: 8000 }, 4000],
      [{ kind: 'launching', devices: ['virtual-0'], attempt: 2 }, 9000],
      [{ kind: 'launch-failed', reason: 'r' }, 9500],
      [{ kind: 'retried' }, 20_000],
    ];
    const first = createJob(1, { kind: 'submitted', spec: { ...spec, retries: 1 } }, 0);
    let folded: Folded = { job: first, stoppingAs: null };
    const readyAtMs: number[] = [];
    for (const [event, atMs] of events) {
      folded = applyEvent(folded, event, atMs);
      readyAtMs.push(folded.job.readyAtMs);
    }
    expect(folded).toEqual({ job: { ...first, attempt: 2, readyAtMs: 20_000 }, stoppingAs: null });
    expect(readyAtMs).toEqual([500, 500, 500, 8000, 8000, 8000, 20_000]);
  });

  it('keeps the time that it ran by the clock that nobody sets', () => {
    const clocks: Job['runClock'][] = [];
    let folded: Folded = { job: createJob(1, { kind: 'submitted', spec }, 0), stoppingAs: null };
    for (const event of [
      { kind: 'launching', devices: [], attempt: 1 },
      { kind: 'started', process, monotonicMs: 1000 },
      { kind: 'paused', method: 'signals', holdsVram: false, monotonicMs: 4000 },
      { kind: 'resumed', monotonicMs: 9000 },
      { kind: 'paused', method: 'signals', holdsVram: false },
    ] satisfies JobEvent[]) {
      folded = applyEvent(folded, event, 5);
      clocks.push(folded.job.runClock);
    }
    const ran = { ranMs: 3000, sinceMs: null };
    expect(clocks).toEqual([null, { ranMs: 0, sinceMs: 1000 }, ran, { ...ran, sinceMs: 9000 }, null]);
  });

  it('makes no job that waits for itself or for a later one', () => {
    const waiting = (jobId: number) => ({ ...spec, after: [{ jobId, on: 'ok' as const }] });
    for (const jobId of [7, 8]) {
      expect(() => createJob(7, { kind: 'submitted', spec: waiting(jobId) }, 0)).toThrow(/^after: .*before/);
    }
    expect(createJob(7, { kind: 'submitted', spec: waiting(6) }, 0).after).toHaveLength(1);
  });

  it('gives a submission from before there were terms none', () => {
    const { beginAtMs, timeLimitS, retries, retryDelayS, retryOn, after, ...old } = spec;
    const event = { kind: 'submitted', spec: old } as Extract<JobEvent, { kind: 'submitted' }>;
    expect(createJob(1, event, 0)).toEqual(createJob(1, { kind: 'submitted', spec }, 0));
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
