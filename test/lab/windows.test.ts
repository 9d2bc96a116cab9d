import { describe, expect, it } from 'vitest';
import { PastJobs } from '../../src/lab/evaluate/pastJobs.ts';
import { cutWindows, fitWindow, offeredLoad } from '../../src/lab/evaluate/windows.ts';
import { traceJob } from './traceJobs.ts';

const machine = (gpus: number, vramMib = 1000) => ({ gpus, vramMib });

describe('windows', () => {
  it('are consecutive jobs; a rest is one if it has at least half of them', () => {
    const jobs = Array.from({ length: 11 }, (_, i) => traceJob(i, i, 1));
    const cut = (length: number) =>
      cutWindows(jobs.slice(0, length), 4).map(({ index, firstRow, jobs: own }) => [
        index,
        firstRow,
        own.map(({ jobId }) => Number(jobId)),
      ]);
    expect(cut(11)).toEqual([
      [0, 0, [0, 1, 2, 3]],
      [1, 4, [4, 5, 6, 7]],
      [2, 8, [8, 9, 10]],
    ]);
    expect(cut(10).at(-1)).toEqual([2, 8, [8, 9]]);
    expect(cut(9).at(-1)).toEqual([1, 4, [4, 5, 6, 7]]);
    expect(cut(1)).toEqual([]);
  });

  it('offer exactly the load, from 0 on, without what is larger than the machine', () => {
    const jobs = [
      traceJob(0, 100, 10, { gpus: 4 }),
      traceJob(1, 110, 30),
      traceJob(2, 130, 20, { vramMib: 2000 }),
      traceJob(3, 150, 20, { gpus: 2 }),
      traceJob(4, 190, 50, { vramMib: 1000 }),
    ];
    // 30 + 2·20 + 50 = 120 GPU-seconds: at load 0.6 on 2 GPUs they arrive within 100 s instead of 80 s.
    const fitted = fitWindow(jobs, machine(2), 0.6);
    if (!('jobs' in fitted)) throw new Error(fitted.reason);
    expect(fitted.dropped).toBe(2);
    expect(fitted.jobs.map(({ jobId, submitS }) => [jobId, submitS])).toEqual([
      ['1', 0],
      ['3', 50],
      ['4', 100],
    ]);
    for (const load of [0.05, 0.6, 0.95, 1.9]) {
      const some = fitWindow(jobs, machine(4, 5000), load);
      if (!('jobs' in some)) throw new Error(some.reason);
      expect(some.jobs).toHaveLength(5);
      expect(offeredLoad(some.jobs, 4)).toBeCloseTo(load, 12);
    }
  });

  it('say why they cannot be had', () => {
    const wide = [traceJob(0, 0, 10), traceJob(1, 5, 10, { gpus: 2 })];
    expect(fitWindow(wide, machine(1), 0.6)).toEqual({ reason: '1 of 2 jobs fit on the machine' });
    const atOnce = [traceJob(0, 7, 10), traceJob(1, 7, 10)];
    expect(fitWindow(atOnce, machine(1), 0.6)).toEqual({ reason: 'all of its jobs arrive at once' });
    const nothing = [traceJob(0, 0, 0), traceJob(1, 7, 0)];
    expect(fitWindow(nothing, machine(1), 0.6)).toEqual({ reason: 'its jobs take no time' });
  });
});

describe('what is known of the past', () => {
  it('is the GPU-seconds of earlier jobs that fit and would be over, ascending', () => {
    const jobs = [
      traceJob(0, 0, 100, { gpus: 2 }),
      traceJob(1, 0, 500),
      traceJob(2, 10, 40, { gpus: 4 }),
      traceJob(3, 20, 80),
      traceJob(4, 100, 0),
      traceJob(5, 100, 0),
      traceJob(6, 101, 1),
    ];
    const past = new PastJobs(jobs);
    // At 100 s: job 1 is not through, job 2 is too large, and jobs 4 and 5 belong to the window itself.
    expect(past.before(4, machine(2))).toEqual([80, 200]);
    expect(past.before(4, machine(4))).toEqual([80, 160, 200]);
    expect(past.before(6, machine(2))).toEqual([0, 0, 80, 200]);
    expect(past.before(0, machine(8))).toEqual([]);
  });

  it('goes no further back than the 2,000 that ended last', () => {
    const jobs = Array.from({ length: 3001 }, (_, i) => traceJob(i, 10 * i, 1 + i / 1000));
    const known = new PastJobs(jobs).before(3000, machine(1));
    expect([known.length, known[0], known.at(-1)]).toEqual([2000, 2, 3.999]);
  });
});
