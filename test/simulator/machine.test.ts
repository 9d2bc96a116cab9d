import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Load } from '../../src/domain/reward.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { fifo } from '../../src/scheduler/policies/fifo.ts';
import { firstFit } from '../../src/scheduler/policies/firstFit.ts';
import { priority } from '../../src/scheduler/policies/priority.ts';
import type { Policy } from '../../src/scheduler/policy.ts';
import { type SimulationObserver, simulate } from '../../src/simulator/machine.ts';
import { randomWorld } from '../../src/simulator/workload.ts';
import { fixedSharing, type SimulatedJob, SimulationError } from '../../src/simulator/world.ts';

const job = (id: number, over: Partial<SimulatedJob> = {}): SimulatedJob => ({
  id,
  submittedAtS: 0,
  durationS: 100,
  predicted: null,
  gpus: 1,
  vramMib: null,
  exclusive: false,
  priority: 0,
  user: 'ada',
  ...over,
});

function times(policy: Policy, devicesMib: number[], jobs: SimulatedJob[], sharingSlowdown = 0.5) {
  const outcomes = simulate(
    { devicesMib, jobs, speedBeside: fixedSharing(sharingSlowdown) },
    { policy, heuristic: firstFit, rng: seededRng(1) },
  );
  return Object.fromEntries(outcomes.map((o) => [o.job.id, [o.startedAtS, o.finishedAtS]]));
}

const answer = { scores: null, epsilon: null, explored: false, features: null };

describe('simulate', () => {
  it('runs jobs one after another on one device', () => {
    expect(times(fifo, [1000], [job(1), job(2, { submittedAtS: 30, durationS: 20 })])).toEqual({
      1: [0, 100],
      2: [100, 120],
    });
  });

  it('lets first-fit pass a wide job that does not fit, and fifo not', () => {
    const jobs = [job(1), job(2, { gpus: 2 }), job(3, { durationS: 10 })];
    expect(times(firstFit, [1000, 1000], jobs)).toEqual({ 1: [0, 100], 3: [0, 10], 2: [100, 200] });
    expect(times(fifo, [1000, 1000], jobs)).toEqual({ 1: [0, 100], 2: [100, 200], 3: [200, 210] });
  });

  it('slows jobs that share a device, for as long as they share it', () => {
    const jobs = [
      job(1, { vramMib: 300, durationS: 100 }),
      job(2, { vramMib: 300, durationS: 40, submittedAtS: 25 }),
    ];
    // From 25 on both run at 1/1.5: job 2 needs 60 s, until 85; job 1 has then 75 − 40 = 35 s left.
    const result = times(firstFit, [1000], jobs);
    expect(result[2]![1]).toBeCloseTo(85, 6);
    expect(result[1]![1]).toBeCloseTo(120, 6);
  });

  it('says which jobs never fit, and which are left waiting for ever', () => {
    expect(() => times(firstFit, [1000], [job(1, { gpus: 3 })])).toThrow(SimulationError);
    expect(() => times(firstFit, [1000], [job(1, { vramMib: 2000 })])).toThrow(
      /job 1 asks for 1 devices of 2000 MiB/,
    );
    const never: Policy = {
      name: 'never',
      version: '1',
      choose: ({ candidates }) => ({ ...answer, index: candidates.length - 1 }),
    };
    expect(() => times(never, [1000], [job(1)])).toThrow(/jobs 1 never start/);
  });

  it('tells an observer of loads in order of time, and of idleness at the end of each busy period', () => {
    const seen: [string, number, number?][] = [];
    const observer: SimulationObserver = {
      advance: (load: Load, nowMs) => seen.push(['load', nowMs, load.waiting + 10 * load.running]),
      decided: (_step, { nowMs }) => seen.push(['decision', nowMs]),
      idle: (nowMs) => seen.push(['idle', nowMs]),
    };
    const jobs = [job(1, { durationS: 5 }), job(2, { submittedAtS: 60, durationS: 5 })];
    simulate({ devicesMib: [1000], jobs }, { policy: fifo, heuristic: fifo, rng: seededRng(1), observer });
    const period = (fromMs: number): [string, number, number?][] => [
      ['load', fromMs, 1],
      ['decision', fromMs],
      ['load', fromMs, 10],
      ['load', fromMs + 5000, 0],
      ['idle', fromMs + 5000],
    ];
    expect(seen).toEqual([...period(0), ...period(60_000)]);
  });

  it('finishes every job of any random day exactly once, never early, under every heuristic', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(fifo, firstFit, priority), (seed, policy) => {
        const world = randomWorld(seededRng(seed), { devices: [1, 4], load: [0.5, 1.2], jobs: [5, 15] });
        const outcomes = simulate(world, { policy, heuristic: firstFit, rng: seededRng(seed) });
        expect(outcomes.map((o) => o.job.id).sort((a, b) => a - b)).toEqual(world.jobs.map(({ id }) => id));
        for (const { job: done, startedAtS, finishedAtS } of outcomes) {
          expect(startedAtS).toBeGreaterThanOrEqual(done.submittedAtS);
          expect(finishedAtS - startedAtS).toBeGreaterThan(done.durationS - 1e-2);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('is the same for the same seed', () => {
    expect(randomWorld(seededRng(4))).toEqual(randomWorld(seededRng(4)));
    expect(randomWorld(seededRng(4))).not.toEqual(randomWorld(seededRng(5)));
  });
});
