import { describe, expect, it } from 'vitest';
import type { WatchMessage } from '../../src/contract/messages.ts';
import type { Episode } from '../../src/domain/episode.ts';
import { ZERO_PARTS } from '../../src/domain/reward.ts';
import {
  boardOf,
  INITIAL,
  type State,
  withAnswer,
  withHistory,
  withMessage,
  withMoreJobs,
  withMove,
  withOverview,
} from '../../src/renderer/store/state.ts';
import { device, event, job, NO_HISTORY, overview } from './build.ts';

const opened = (seq: number, ...jobs: ReturnType<typeof job>[]): State =>
  withHistory(withOverview(INITIAL, overview(seq, jobs), 999_000), NO_HISTORY);
const told = (state: State, ...messages: WatchMessage[]): State => messages.reduce(withMessage, state);
const episode = (id: number, change: Partial<Episode> = {}): Episode => ({
  id,
  startedAtMs: 0,
  endedAtMs: null,
  policy: 'dqn',
  jobsArrived: 1,
  jobsFinished: 0,
  decisions: 0,
  transitions: 0,
  fallbacks: 0,
  rewardParts: ZERO_PARTS,
  reward: 0,
  meanJctS: null,
  ...change,
});

describe('the state', () => {
  it('starts from the overview and measures the engine’s clock', () => {
    const { machine, phase } = opened(7, job(1));
    expect([phase, machine?.seq, machine?.clockOffsetMs, machine?.jobs.size]).toEqual(['live', 7, 1000, 1]);
  });

  it('takes the rest of a long queue, where it knows no later', () => {
    const rest = [job(1, { priority: 7 }), job(2), job(3)];
    const started = event(8, job(2, { status: 'running' }), { kind: 'held' });
    const { machine } = withMoreJobs(told(opened(7, job(1)), started), rest);
    expect([...machine!.jobs.values()].map(({ id, status, priority }) => [id, status, priority])).toEqual([
      [1, 'queued', 0],
      [2, 'running', 0],
      [3, 'queued', 0],
    ]);
    expect(withMoreJobs(INITIAL, rest)).toBe(INITIAL);
  });

  it('passes over messages before the first overview', () => {
    expect(told(INITIAL, event(1, job(1), { kind: 'held' }))).toBe(INITIAL);
  });

  it('keeps what waits and runs, and of what is over the latest, however many have ended', () => {
    const ended = Array.from({ length: 1000 }, (_, i) =>
      event(i + 8, job(i + 10, { status: 'succeeded', finishedAtMs: i }), {
        kind: 'exited',
        exitCode: 0,
        cause: null,
      }),
    );
    const { machine } = told(opened(7, job(1), job(2, { status: 'running' })), ...ended);
    const { live, waiting, over } = boardOf(machine!.jobs);
    expect([live.length, waiting.length]).toEqual([1, 1]);
    expect(over.length).toBeGreaterThanOrEqual(100);
    expect(over.length).toBeLessThanOrEqual(200);
    expect(over.slice(0, 100).map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, i) => 1009 - i));
  });

  it('counts each event once, and takes none back that came late', () => {
    const running = job(1, { status: 'running' });
    const messages = [
      event(8, job(1, { status: 'starting' }), { kind: 'launching', devices: ['virtual-0'], attempt: 1 }),
      event(9, running, { kind: 'resumed' }),
      // The stream resumes and repeats.
      event(8, job(1, { status: 'starting' }), { kind: 'launching', devices: ['virtual-0'], attempt: 1 }),
      event(9, job(1, { status: 'queued' }), { kind: 'resumed' }),
    ];
    const { machine } = told(opened(7, job(1)), ...messages);
    expect(machine?.jobs.get(1)).toEqual(running);
    expect(machine?.events.map((entry) => entry.seq)).toEqual([8, 9]);
    expect(machine?.allocations).toHaveLength(1);
    expect(machine?.seq).toBe(9);
  });

  it('takes the place of what was known when it connects again', () => {
    const lost: State = { ...opened(7, job(1), job(2)), phase: 'lost', lostAtMs: 5 };
    const again = withOverview(lost, overview(20, [job(2, { status: 'running' })]), 999_000);
    expect([again.phase, again.lostAtMs, [...again.machine!.jobs.keys()]]).toEqual(['live', null, [2]]);
    // What the stream then repeats is in the overview already.
    expect(told(again, event(12, job(1), { kind: 'held' })).machine?.jobs.has(1)).toBe(false);
  });

  it('learns what was before later, beside what came since', () => {
    const launched = event(8, job(1, { status: 'starting' }), {
      kind: 'launching',
      devices: ['a'],
      attempt: 1,
    });
    const before = withOverview(INITIAL, overview(7, [job(1)]), 999_000);
    expect([before.machine?.past, before.machine?.allocations]).toEqual([false, []]);
    const since = told(before, launched, { type: 'episode', seq: 8, episode: episode(2, { decisions: 5 }) });
    const stretch = { ...since.machine!.allocations[0]!, status: 'running' as const };
    const earlier = { ...stretch, jobId: 9, startMs: 1000, endMs: 2000 };
    const known = withHistory(since, {
      ...NO_HISTORY,
      // It was asked for after the launch, which is part of it.
      allocations: [earlier, stretch],
      episodes: [episode(2), episode(1)],
    });
    expect(known.machine?.past).toBe(true);
    expect(known.machine?.allocations).toEqual([earlier, since.machine!.allocations[0]]);
    expect(known.machine?.episodes.map(({ id, decisions }) => [id, decisions])).toEqual([
      [2, 5],
      [1, 0],
    ]);
    // And the other way round.
    const late = told(withHistory(before, { ...NO_HISTORY, allocations: [stretch] }), launched);
    expect(late.machine?.allocations).toHaveLength(1);
  });

  it('opens a stretch a device at launch and closes it at the end', () => {
    const state = told(
      opened(1, job(1)),
      event(2, job(1, { status: 'starting' }), { kind: 'launching', devices: ['a', 'b'], attempt: 1 }),
      event(3, job(1, { status: 'failed' }), { kind: 'exited', exitCode: 1, cause: null }),
    );
    expect(
      state.machine?.allocations.map(({ deviceId, startMs, endMs, status }) => ({
        deviceId,
        startMs,
        endMs,
        status,
      })),
    ).toEqual([
      { deviceId: 'a', startMs: 2000, endMs: 3000, status: 'failed' },
      { deviceId: 'b', startMs: 2000, endMs: 3000, status: 'failed' },
    ]);
  });

  it('replaces waiting reasons and leaves jobs alone that it does not know', () => {
    const state = told(opened(1, job(1), job(2, { waitingReason: 'old' })), {
      type: 'reasons',
      seq: 1,
      reasons: { '1': 'no GPU is free', '2': null, '99': 'who?' },
    });
    expect([...state.machine!.jobs.values()].map((j) => [j.id, j.waitingReason])).toEqual([
      [1, 'no GPU is free'],
      [2, null],
    ]);
  });

  it('keeps ten minutes of readings, each once, and gaps where nothing was read', () => {
    const at = (atMs: number): WatchMessage => ({
      type: 'devices',
      seq: 1,
      devices: [device({ reading: { ...device().reading!, atMs } }), device({ id: 'gone', reading: null })],
      host: { atMs, cpu: null, memoryUsedMib: null },
    });
    const { machine } = told(opened(1), at(1000), at(1000), at(2000), at(602_000));
    expect(machine?.samples.get('virtual-0')?.map((sample) => sample.atMs)).toEqual([2000, 602_000]);
    expect(machine?.samples.has('gone')).toBe(false);
    expect(machine?.hostSamples.map((sample) => sample.atMs)).toEqual([2000, 602_000]);
  });

  it('puts episodes in order, latest first, each as it was last told', () => {
    const { machine } = told(
      opened(1),
      ...[episode(2), episode(1), episode(2, { endedAtMs: 5 })].map(
        (e): WatchMessage => ({ type: 'episode', seq: 1, episode: e }),
      ),
    );
    expect(machine?.episodes).toEqual([episode(2, { endedAtMs: 5 }), episode(1)]);
  });

  it('does not let an answer that arrives late bring an ended job back to life', () => {
    const ended = opened(1, job(1, { status: 'cancelled' }));
    expect(withAnswer(ended, job(1, { status: 'stopping' }))).toBe(ended);
    expect(withAnswer(opened(1), job(1)).machine?.jobs.has(1)).toBe(true);
  });
});

describe('the board', () => {
  const jobs = [
    job(1, { status: 'succeeded', finishedAtMs: 10 }),
    job(2, { status: 'failed', finishedAtMs: 20 }),
    job(3, { status: 'running', startedAtMs: 9 }),
    job(4, { status: 'paused', startedAtMs: 5 }),
    job(5, { rank: 5 }),
    job(6, { rank: 4.5, status: 'held' }),
    job(7, { rank: 7 }),
  ];
  const ids = (state: State) => boardOf(state.machine!.jobs).waiting.map((j) => j.id);

  it('has what runs by its start, what waits by rank, what is over latest first', () => {
    const board = boardOf(new Map(jobs.map((j) => [j.id, j])));
    expect([board.live, board.waiting, board.over].map((part) => part.map((j) => j.id))).toEqual([
      [4, 3],
      [6, 5, 7],
      [2, 1],
    ]);
  });

  it('moves a waiting job to the front, between others, and to the end', () => {
    const state = opened(1, ...jobs);
    expect(ids(withMove(state, 7, 6))).toEqual([7, 6, 5]);
    expect(ids(withMove(state, 7, 5))).toEqual([6, 7, 5]);
    expect(ids(withMove(state, 6, null))).toEqual([5, 7, 6]);
    expect(withMove(state, 6, 99)).toBe(state);
    expect(withMove(state, 6, 6)).toBe(state);
  });
});
