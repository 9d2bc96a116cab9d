import { describe, expect, it } from 'vitest';
import { seededRng } from '../../src/domain/rng.ts';
import { heuristicByName } from '../../src/scheduler/policies/heuristics.ts';
import { DEFAULT_LIMITS, type Snapshot } from '../../src/scheduler/snapshot.ts';
import { type ForecastInput, forecast } from '../../src/simulator/forecast/forecast.ts';
import { playFuture } from '../../src/simulator/forecast/future.ts';
import { device, NOW_MS, running, snapshot, waiting } from '../scheduler/build.ts';

const aged = heuristicByName('aged');
const exactly = (s: number) => ({ p10S: s, p50S: s, p90S: s });

/** A clock that nobody waits for: each look at it takes as long as is said. */
function ticking(stepS: number): () => number {
  let nowS = 0;
  return () => {
    nowS += stepS;
    return nowS;
  };
}

const foresee = (of: Snapshot, change: Partial<ForecastInput> = {}) =>
  forecast({
    snapshot: of,
    policy: () => heuristicByName('fifo'),
    heuristic: aged,
    limits: DEFAULT_LIMITS,
    history: [],
    seed: 1,
    samples: 40,
    clock: ticking(0),
    budgetS: 1,
    ...change,
  });

describe('a future', () => {
  const alone = { vramMib: null };
  const queue = snapshot({
    devices: [device(0)],
    running: [running(1, ['g0'], { ...alone, remaining: exactly(100) })],
    waiting: [
      waiting(2, { ...alone, remaining: exactly(50) }),
      waiting(3, { ...alone, remaining: exactly(10) }),
    ],
  });
  const play = (of: Snapshot, policy: 'fifo' | 'pspt', enough = () => false) =>
    playFuture({
      snapshot: of,
      policy: heuristicByName(policy),
      heuristic: aged,
      limits: DEFAULT_LIMITS,
      history: [],
      rng: seededRng(1),
      enough,
    });

  it('starts each job when the ones before it are through, in the order of the policy in charge', () => {
    expect([...play(queue, 'fifo')]).toEqual([
      [2, { atMs: NOW_MS + 100_000, deviceIds: ['g0'], endsMs: NOW_MS + 150_000 }],
      [3, { atMs: NOW_MS + 150_000, deviceIds: ['g0'], endsMs: NOW_MS + 160_000 }],
    ]);
    expect([...play(queue, 'pspt').keys()]).toEqual([3, 2]);
  });

  it('keeps a job to the GPU that a person kept it to, though another is free', () => {
    const two = { ...queue, devices: [device(0), device(1)] };
    expect(play(two, 'fifo').get(2)).toMatchObject({ atMs: NOW_MS, deviceIds: ['g1'] });
    const waits = two.waiting.map((job) => (job.id === 2 ? { ...job, pinnedTo: ['g0'] } : job));
    expect(play({ ...two, waiting: waits }, 'fifo').get(2)).toMatchObject({
      atMs: NOW_MS + 100_000,
      deviceIds: ['g0'],
    });
  });

  it('has jobs arrive as they did lately, and such as go before others delay those', () => {
    const past = Array.from({ length: 12 }, (_, i) => ({
      id: 100 + i,
      command: 'short',
      user: 'ada',
      gpus: 1,
      submittedAtMs: NOW_MS - 1000 * (600 - 50 * i),
      ranS: 60,
    }));
    const alsoLater = { ...queue, past };
    // In order of submission, who comes later changes nothing.
    expect(play(alsoLater, 'fifo').get(3)).toEqual(play(queue, 'fifo').get(3));
    const long = { ...alsoLater, waiting: [waiting(2, { ...alone, remaining: exactly(5000) })] };
    const alonePast = { ...long, past: past.slice(0, 3) };
    expect(play(alonePast, 'pspt').get(2)!.atMs).toBe(NOW_MS + 100_000);
    let steps = 0;
    const delayed = play(long, 'pspt', () => ++steps > 200).get(2);
    // A minute of work comes about every 50 s: it hardly ever gets its turn.
    expect(delayed === undefined || delayed.atMs > NOW_MS + 100_000).toBe(true);
  });

  it('ends where nothing will ever change, and where it has gone far enough', () => {
    const stuck = { ...queue, running: [{ ...queue.running[0]!, pausedBy: 'person' as const }] };
    expect(play(stuck, 'fifo').size).toBe(0);
    let asked = 0;
    expect(play(queue, 'fifo', () => ++asked > 2).size).toBe(1);
  });

  it('knows when a device is kept for somebody, and starts CPU jobs that a policy leaves waiting', () => {
    const toMs = NOW_MS + 60_000;
    const kept = { id: 1, fromMs: NOW_MS - 1, toMs, user: 'ben', reason: 'kept for ben' };
    const both = snapshot({
      devices: [device(0, { reservations: [kept] })],
      waiting: [waiting(1, alone), waiting(2, { gpus: 0, vramMib: null })],
    });
    const starts = play(both, 'fifo');
    expect(starts.get(2)?.atMs).toBe(NOW_MS);
    expect(starts.get(1)?.atMs).toBe(toMs);
  });
});

describe('a forecast', () => {
  const queue = (remaining: { p10S: number; p50S: number; p90S: number } | null) =>
    snapshot({
      devices: [device(0)],
      running: [running(1, ['g0'], { vramMib: null, remaining })],
      waiting: [waiting(2, { vramMib: null, remaining: exactly(50) })],
    });

  it('is as wide as what is known of durations: the quantiles of the job before are those of the start', () => {
    const { samples, jobs } = foresee(queue({ p10S: 50, p50S: 100, p90S: 400 }), { samples: 400 });
    expect(samples).toBe(400);
    const { start, end, deviceIds } = jobs[0]!;
    expect(deviceIds).toEqual(['g0']);
    const s = (atMs: number | null) => ((atMs ?? 0) - NOW_MS) / 1000;
    // Four hundred draws lie within some per cent of what they are drawn from.
    expect(s(start.p10Ms)).toBeGreaterThan(40);
    expect(s(start.p10Ms)).toBeLessThan(62);
    expect(s(start.p50Ms)).toBeGreaterThan(85);
    expect(s(start.p50Ms)).toBeLessThan(118);
    expect(s(start.p90Ms)).toBeGreaterThan(300);
    expect(s(start.p90Ms)).toBeLessThan(530);
    expect(end.p50Ms! - start.p50Ms!).toBeCloseTo(50_000, -1);
  });

  it('of a job of which nothing is known is wider than of one that tells how far it is', () => {
    const width = (of: Snapshot) => {
      const { p10Ms, p90Ms } = foresee(of).jobs[0]!.start;
      return p90Ms! / 1000 - p10Ms! / 1000;
    };
    expect(width(queue(null))).toBeGreaterThan(20 * width(queue({ p10S: 95, p50S: 100, p90S: 105 })));
  });

  it('leaves open what it did not come to within its budget', () => {
    const many = snapshot({
      devices: [device(0)],
      running: [running(1, ['g0'], { vramMib: null, remaining: exactly(100) })],
      waiting: Array.from({ length: 30 }, (_, i) =>
        waiting(i + 2, { vramMib: null, remaining: exactly(50) }),
      ),
    });
    const { samples, jobs } = foresee(many, { clock: ticking(0.01), budgetS: 1 });
    expect(samples).toBe(8);
    expect(jobs[0]!.start.p50Ms).toBe(NOW_MS + 100_000);
    expect(jobs.at(-1)).toEqual({
      jobId: 31,
      deviceIds: [],
      start: { p10Ms: null, p50Ms: null, p90Ms: null },
      end: { p10Ms: null, p50Ms: null, p90Ms: null },
    });
  });
});
