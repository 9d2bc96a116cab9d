import { describe, expect, it } from 'vitest';
import type { Allocation, JobView } from '../../src/contract/messages.ts';
import { ZERO_PARTS } from '../../src/domain/reward.ts';
import { chooseTone, TONE_COUNT } from '../../src/renderer/hue.ts';
import { KEPT_LINES, LogBuffer } from '../../src/renderer/job/logBuffer.ts';
import { isPossible, needsRestartable } from '../../src/renderer/jobActions.ts';
import { memoryOf } from '../../src/renderer/machine/memoryShares.ts';
import { layOutTracks, type Span, spansOf, ticksOf } from '../../src/renderer/machine/timelineLayout.ts';
import { arraySummary } from '../../src/renderer/queue/arraySummary.ts';
import {
  beforeIdFor,
  beforeIdForAll,
  boardRows,
  jobsOf,
  keyOf,
  matches,
} from '../../src/renderer/queue/queueRows.ts';
import { hrefOf, parseRoute } from '../../src/renderer/route.ts';
import { formatReward, rewardSeries, stacked } from '../../src/renderer/scheduler/rewardSeries.ts';
import type { Spread } from '../../src/renderer/store/forecast.ts';
import { cancelQuestion } from '../../src/renderer/text/cancelQuestion.ts';
import { device, job } from './build.ts';

const was = (jobId: number, startMs: number, endMs: number | null, deviceId = 'a'): Allocation => ({
  jobId,
  startMs,
  endMs,
  deviceId,
  name: '',
  project: '',
  user: '',
  status: 'running',
});
const spread = (p10Ms: number, p50Ms: number, p90Ms: number): Spread => ({ p10Ms, p50Ms, p90Ms });

describe('the timeline', () => {
  const window = { fromMs: 1000, toMs: 2000 };
  const past = (allocations: Allocation[]) =>
    spansOf(allocations, new Map(), { ends: new Map(), due: new Map() });
  const drawn = (spans: readonly Span[]) =>
    layOutTracks(spans, ['a'], window, 1800)[0]!.stretches.map(({ span, from, to, lane, cut }) => [
      span.jobId,
      from,
      to,
      lane,
      cut,
    ]);

  it('cuts what reaches over the edges and ends what is open at now', () => {
    expect(drawn(past([was(1, 0, 1500), was(2, 1500, null)]))).toEqual([
      [1, 0, 0.5, 0, true],
      [2, 0.5, 0.8, 0, false],
    ]);
  });

  it('leaves out what lies outside and on other devices', () => {
    expect(drawn(past([was(1, 0, 999), was(2, 2001, null), was(3, 1100, null, 'b')]))).toEqual([]);
  });

  it('puts jobs that share a device on lanes beside each other, and uses a lane again', () => {
    const tracks = layOutTracks(
      past([was(1, 1000, 1400), was(2, 1100, 1800), was(3, 1400, 1500), was(4, 1450, 1600)]),
      ['a', 'empty'],
      window,
      1800,
    );
    expect(tracks[0]!.stretches.map((s) => s.lane)).toEqual([0, 1, 0, 2]);
    expect(tracks.map((track) => track.lanes)).toEqual([3, 1]);
  });

  it('keeps the lane of what runs until its expected end, and says between what and what that is', () => {
    const jobs = new Map([2, 3, 4].map((id) => [id, job(id, { status: id === 4 ? 'running' : 'queued' })]));
    const start = (jobId: number, from: Spread, to: Spread) =>
      [jobId, { jobId, deviceIds: ['a'], start: from, end: to }] as const;
    const spans = spansOf([was(1, 1000, null)], jobs, {
      ends: new Map([[1, spread(1850, 1900, 2500)]]),
      due: new Map([
        start(3, spread(1900, 1910, 1920), spread(1900, 1950, 2000)),
        start(2, spread(1820, 1880, 1990), spread(1900, 1950, 2000)),
        // It has started since.
        start(4, spread(1820, 1880, 1990), spread(1900, 1950, 2000)),
      ]),
    });
    const [track] = layOutTracks(spans, ['a'], window, 1800);
    expect(track!.stretches.map(({ span, from, to, lane }) => [span.jobId, from, to, lane])).toEqual([
      [1, 0, 0.8, 0],
      [2, 0.88, 0.88, 1],
      [3, 0.91, 0.91, 0],
    ]);
    expect(track!.stretches[0]).toMatchObject({ ends: { p10: 0.85, p50: 0.9, p90: 1.5 }, starts: null });
    expect(track!.stretches[1]!.starts).toEqual({ p10: 0.82, p50: 0.88, p90: 0.99 });
  });

  it('marks round times', () => {
    const minute = 60_000;
    expect(ticksOf({ fromMs: 90_000, toMs: 90_000 + 10 * minute }, 5).map((at) => at / minute)).toEqual([
      2, 4, 6, 8, 10,
    ]);
  });
});

describe('memory', () => {
  const reading = device().reading!;

  it('is what each holder uses, what others use, and the rest', () => {
    const memory = memoryOf(
      device({
        reading: { ...reading, memoryUsedMib: 600 },
        holders: [{ jobId: 1, reservedMib: 500, usedMib: 400 }],
        foreign: [
          {
            pid: 5,
            memoryMib: 150,
            user: null,
            command: null,
            startedAtMs: null,
            jobId: null,
            idleSinceMs: null,
            ignored: false,
          },
        ],
      }),
    );
    expect(memory).toEqual({
      usedMib: 600,
      freeMib: 400,
      shares: [
        { kind: 'job', jobId: 1, mib: 400, measured: true },
        { kind: 'foreign', mib: 200 },
      ],
    });
  });

  it('is never called free when it was not measured', () => {
    const silent = { ...reading, memoryUsedMib: null };
    expect(memoryOf(device({ reading: silent })).freeMib).toBeNull();
    expect(memoryOf(device({ reading: null })).freeMib).toBeNull();
    expect(memoryOf(device({ health: 'unreadable' })).freeMib).toBeNull();
  });

  it('never adds up to more than there is', () => {
    const holders = [1, 2, 3].map((jobId) => ({ jobId, reservedMib: 600, usedMib: null }));
    expect(memoryOf(device({ holders })).shares.map((share) => share.mib)).toEqual([600, 400, 0]);
  });
});

describe('the queue', () => {
  const waiting = [1, 2, 3, 4].map((id) => job(id));

  it('puts a dragged job where it was dropped', () => {
    expect(beforeIdFor(waiting, 1, 3)).toBe(4);
    expect(beforeIdFor(waiting, 1, 4)).toBeNull();
    expect(beforeIdFor(waiting, 4, 2)).toBe(2);
    // Several at once: before the next that is none of them.
    expect(beforeIdForAll(waiting, new Set([1, 3]), 1, 2)).toBe(4);
    expect(beforeIdForAll(waiting, new Set([2, 4]), 4, 1)).toBe(1);
    expect(beforeIdForAll(waiting, new Set([1, 4]), 1, 3)).toBeNull();
  });

  it('filters by every word, over what a row shows', () => {
    const one = job(12, { name: 'ResNet', project: 'vision', user: 'mei', command: ['python', 'a.py'] });
    expect(['', '#12', 'resnet mei', 'VISION', 'a.py', 'queued'].every((f) => matches(one, f))).toBe(true);
    expect(matches(job(13, { status: 'held' }), 'held back')).toBe(true);
    expect(matches(one, 'resnet jo')).toBe(false);
  });

  it('keeps its headings, counts what a filter hides, and folds what is over', () => {
    const board = { live: [], waiting, over: [job(9, { status: 'failed' })] };
    const rows = boardRows(board, '#3', false);
    expect(
      rows.map((row) => (row.kind === 'heading' ? [row.section, row.shown, row.count] : keyOf(row))),
    ).toEqual([['live', 0, 0], ['waiting', 1, 4], '#3', ['over', 0, 1]]);
  });

  it('shows an array in one row where its first job stands, and its jobs below it while it is open', () => {
    const of = (id: number, change: Partial<JobView>) =>
      job(id, {
        array: { id: 10, name: 'sweep', index: id - 10, size: 8, atMost: null, values: {} },
        ...change,
      });
    const board = {
      live: [job(1, { status: 'running' }), of(11, { status: 'running' })],
      waiting: [job(2), of(12, {}), of(13, { status: 'held' })],
      over: [of(10, { status: 'failed' })],
    };
    const keys = (open: number[]) => boardRows(board, '', true, new Set(open)).map(keyOf);
    expect(keys([])).toEqual(['live', '#1', 'array 10', 'waiting', '#2', 'over']);
    const opened = ['live', '#1', 'array 10', '#11', '#12', '#13', '#10', 'waiting', '#2', 'over'];
    expect(keys([10])).toEqual(opened);
    // Who filters looks for a job.
    expect(boardRows(board, '#12', true).map(keyOf)).toEqual(['live', 'waiting', '#12', 'over']);
    const row = boardRows(board, '', true).find(({ kind }) => kind === 'array')!;
    // Four that the console does not know of any more are over.
    expect(arraySummary(jobsOf(row))).toEqual({ size: 8, running: 1, waiting: 2, over: 5, failed: 1 });
  });

  it('offers what can be done to a job as it stands', () => {
    const possible = (status: JobView['status'], restartable: boolean) =>
      (['pause', 'park', 'preempt', 'hold', 'retry', 'cancel'] as const).filter((action) =>
        isPossible(action, job(1, { status, restartable })),
      );
    expect(possible('running', false)).toEqual(['pause', 'park', 'cancel']);
    expect(possible('running', true)).toEqual(['pause', 'park', 'preempt', 'cancel']);
    expect(possible('paused', true)).toEqual(['park', 'preempt', 'cancel']);
    expect(possible('queued', true)).toEqual(['hold', 'cancel']);
    expect(possible('failed', true)).toEqual(['retry']);
    expect(needsRestartable('preempt', job(1, { status: 'running' }))).toBe(true);
    expect(needsRestartable('preempt', job(1, { status: 'queued' }))).toBe(false);
  });
});

describe('addresses', () => {
  it.each([
    '#/queue',
    '#/machine',
    '#/scheduler',
    '#/settings',
    '#/history?user=ana&from=7d',
    '#/job/12',
    '#/decision/7',
    '#/episode/3',
  ])('%s leads back to itself', (hash) => {
    expect(hrefOf(parseRoute(hash))).toBe(hash);
  });

  it.each(['', '#', '#/job/0', '#/job/x', '#/job/1e9', '#/nowhere', '#token=abc'])(
    '%j is the queue',
    (hash) => {
      expect(parseRoute(hash)).toEqual({ view: 'queue' });
    },
  );
});

describe('rewards', () => {
  const episode = (id: number, endedAtMs: number | null, completion: number) => ({
    id,
    startedAtMs: 0,
    endedAtMs,
    policy: 'dqn',
    jobsArrived: 0,
    jobsFinished: 0,
    decisions: 0,
    transitions: 0,
    fallbacks: 0,
    rewardParts: { ...ZERO_PARTS, completion, utilisation: -4 },
    reward: -7,
    meanJctS: null,
  });
  const goals = { completion: 1, utilisation: 0.5, fairness: 0.25 };

  it('are weighted rates of episodes that are over, oldest first, and stack to their sum', () => {
    const series = rewardSeries([episode(3, null, -1), episode(2, 2000, -10), episode(1, 1000, -3)], goals);
    expect(series.ids).toEqual([1, 2]);
    expect(series.parts).toEqual({ completion: [-3, -5], utilisation: [-2, -1], fairness: [0, 0] });
    expect(stacked(series)).toEqual([
      [-3, -5],
      [-5, -6],
      [-5, -6],
    ]);
  });

  it('read without exponents', () => {
    expect([0, -0.12345, -3.456, -34.56, -3456].map(formatReward)).toEqual([
      '0',
      '−0.123',
      '−3.46',
      '−34.6',
      '−3456',
    ]);
  });
});

describe('the log buffer', () => {
  const chunk = (offset: number, text: string, end = false) => ({
    offset,
    text,
    nextOffset: offset + text.length,
    size: 100,
    end,
    dropped: 0,
  });

  it('goes on after a lost connection without showing anything twice', () => {
    const log = new LogBuffer();
    for (const piece of [chunk(10, 'ab\nc'), chunk(10, 'ab\nc'), chunk(14, 'd\n')]) log.append(piece);
    expect([log.lines, log.fromOffset, log.nextOffset]).toEqual([['ab', 'cd'], 10, 16]);
  });

  it('takes earlier pieces in front, and only those that fit', () => {
    const log = new LogBuffer();
    log.append(chunk(4, 'lf\nend'));
    expect(log.prepend(chunk(0, 'x'))).toBe(0);
    expect(log.prepend(chunk(0, 'a\nha'))).toBe(1);
    expect([log.lines, log.fromOffset]).toEqual([['a', 'half', 'end'], 0]);
  });

  it('keeps no more lines than a page can be tall, and the latest of them', () => {
    const log = new LogBuffer();
    const piece = 'y\n'.repeat(KEPT_LINES / 4);
    for (let i = 0; i < 4; i += 1) log.append(chunk(i * piece.length, piece));
    log.append(chunk(4 * piece.length, 'end\n'));
    expect(log.lines.length).toBeLessThanOrEqual(KEPT_LINES);
    expect(log.lines.length).toBeGreaterThan(KEPT_LINES / 4);
    expect([log.lines.at(-1), log.nextOffset]).toEqual(['end', 4 * piece.length + 4]);
  });
});

describe('the question before a cancel', () => {
  const running = job(1, { name: 'long', status: 'running' });

  it('is not asked when nothing has started', () => {
    expect(cancelQuestion([job(1), job(2, { status: 'held' })])).toBeNull();
  });

  it('names the one job that it is about', () => {
    const question = cancelQuestion([running])!;
    expect([question.title, question.confirm]).toEqual(['Cancel #1?', 'Cancel the job']);
    expect(question.text).toMatch(/^long is running\. Its process/);
  });

  it('counts and names every job that a yes ends, those that wait as well', () => {
    const question = cancelQuestion([running, job(2), job(3, { status: 'held' })])!;
    expect([question.title, question.confirm]).toEqual(['Cancel 3 jobs?', 'Cancel 3 jobs']);
    expect(question.text).toMatch(/^#1 long is running\. .* not started yet: #2, #3\.$/);
    const two = cancelQuestion([running, job(2, { status: 'paused' })])!;
    expect(two.text).toMatch(/^#1, #2 have started\. Their processes .* lost\.$/);
  });
});

describe('a project’s colour', () => {
  it('depends on its name alone while no other has it', () => {
    const names = Array.from({ length: 200 }, (_, i) => `project ${i}`);
    const tones = names.map((name) => chooseTone(name, new Set()));
    expect(names.map((name) => chooseTone(name, new Set()))).toEqual(tones);
    // All twelve hues come first, none of them for more than a fifth of the names.
    const counts = Map.groupBy(tones, (tone) => tone);
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: TONE_COUNT / 2 }, (_, i) => i),
    );
    expect(Math.max(...[...counts.values()].map((same) => same.length))).toBeLessThan(40);
  });

  it('is told apart from every other until there are more projects than tones', () => {
    const taken = new Set<number>();
    // 0 and 5 are hues 161 and 139: the second is passed over while there is room.
    for (let i = 0; i < 200; i += 1) expect(chooseTone(`project ${i}`, new Set([0]))).not.toBe(5);
    for (let i = 0; i < TONE_COUNT; i += 1) taken.add(chooseTone(`project ${i}`, taken));
    expect(taken.size).toBe(TONE_COUNT);
    expect(chooseTone('one more', taken)).toBe(chooseTone('one more', new Set()));
  });
});
