import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { beliefsOf } from '../../src/scheduler/belief.ts';
import type { PastRun } from '../../src/scheduler/snapshot.ts';
import { NOW_MS, running, snapshot, waiting } from './build.ts';

const run = (id: number, ranS: number, more: Partial<PastRun> = {}): PastRun => ({
  id: -id,
  command: null,
  user: 'ada',
  gpus: 1,
  submittedAtMs: NOW_MS - 1_000_000 + 1000 * id,
  ranS,
  ...more,
});
/** Alternately two minutes and two days. */
const PAST = Array.from({ length: 60 }, (_, i) => run(i + 1, i % 2 === 0 ? 120 : 172_800));

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('beliefs', () => {
  it('learn from what jobs of the same size took, and more is believed to be left the longer one has run', () => {
    const young = waiting(1, { user: 'bob' });
    const old = running(2, ['g0'], { user: 'bob', attainedGpuS: 3600 });
    const beliefs = beliefsOf(snapshot({ waiting: [young], running: [old], past: PAST }));
    expect(beliefs.of(young).medianS).toBeLessThan(7200);
    expect(beliefs.of(old).medianS).toBeGreaterThan(20_000);
    // Of a bimodal distribution: first who may end soon, and who has shown not to goes last.
    expect(beliefs.of(young).index).toBeGreaterThan(10 * beliefs.of(old).index);
  });

  it('follow a prediction as far as its spread says', () => {
    const told = (sigma: number) =>
      waiting(1, {
        remaining: { p10S: 3600 / sigma, p50S: 3600, p90S: 3600 * sigma },
        predicted: { p10S: 3600 / sigma, p50S: 3600, p90S: 3600 * sigma },
      });
    const sure = beliefsOf(snapshot({ waiting: [told(1.2)], past: [] })).of(told(1.2));
    const vague = beliefsOf(snapshot({ waiting: [told(6)], past: [] })).of(told(6));
    expect(sure.medianS).toBeGreaterThan(2900);
    expect(sure.medianS).toBeLessThan(4400);
    expect(vague.sigma).toBeGreaterThan(1.5 * sure.sigma);
  });

  it('take runs of the same command, and jobs submitted together, for alike', () => {
    const same = waiting(1, { command: 'train a', submittedAtMs: NOW_MS });
    const past = [...PAST, run(100, 5000, { command: 'train a' }), run(101, 5200, { command: 'train a' })];
    const belief = beliefsOf(snapshot({ waiting: [same], past })).of(same);
    expect(belief.medianS).toBeGreaterThan(3500);
    expect(belief.medianS).toBeLessThan(7500);

    // A sweep: what one of it has run without an end is held against the others.
    const alike = Array.from({ length: 40 }, (_, i) => run(i + 1, i < 20 ? 100 : 50_000));
    const of = (attainedGpuS: number) => {
      const other = waiting(3, { user: 'ada', submittedAtMs: NOW_MS });
      const ahead = running(2, ['g0'], { user: 'ada', submittedAtMs: NOW_MS, attainedGpuS });
      return beliefsOf(snapshot({ waiting: [other], running: [ahead], past: alike })).of(other);
    };
    expect(of(5000).remainingS).toBeGreaterThan(1.2 * of(0).remainingS);
  });

  it('of jobs that are gone are not kept while the past stays the same', async () => {
    const of = (id: number) => {
      const job = waiting(id);
      return beliefsOf(snapshot({ waiting: [job], past: PAST })).of(job);
    };
    const beliefs = Array.from({ length: 1000 }, (_, i) => new WeakRef(of(i + 1)));
    // What a turn of the event loop has seen lives as long as it lasts.
    await new Promise(setImmediate);
    collectGarbage();
    expect(beliefs.filter((belief) => belief.deref() !== undefined).length).toBeLessThan(300);
    expect(of(1000)).toBe(of(1000));
  });

  it('are the same whatever was asked before, and with a history that is another array', () => {
    const jobs = [1, 2, 3].map((id) => waiting(id, { submittedAtMs: NOW_MS - id }));
    const at = (attainedGpuS: number, past = PAST) =>
      snapshot({ waiting: jobs, running: [running(9, ['g0'], { attainedGpuS })], past });
    const fresh = beliefsOf(at(700, [...PAST])).of(jobs[0]!);
    beliefsOf(at(100)).of(jobs[0]!);
    expect(beliefsOf(at(700)).of(jobs[0]!)).toEqual(fresh);
  });

  it('stay finite at the ends: nothing known, no run, a run of years', () => {
    for (const attainedGpuS of [0, 1, 1e5, 1e9]) {
      const job = running(1, ['g0'], { attainedGpuS });
      const { past: _past, ...bare } = snapshot({ running: [job] });
      const belief = beliefsOf(bare).of(job);
      for (const value of Object.values(belief)) expect(Number.isFinite(value)).toBe(true);
      expect(belief.index).toBeGreaterThan(0);
    }
  });
});
