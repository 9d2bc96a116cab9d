import { describe, expect, it } from 'vitest';
import type { PastJob } from '../../src/domain/pastJob.ts';
import { traceRow } from '../../src/domain/trace.ts';
import { traceOfHistory } from '../../src/lab/exportHistory.ts';
import { type Replay, replay } from '../../src/lab/replay/replay.ts';
import { replayReport } from '../../src/lab/replay/replayReport.ts';
import { bestOf, replayCells, replayRows, signed } from '../../src/lab/replay/replayTable.ts';
import { ORIGIN_MS, past } from './pastJobs.ts';

const ANYTHING = (): boolean => true;

/** On one GPU, first come first served: a long job, and two short ones behind it. */
const QUEUE = [past(1, 0, 0, 1000), past(2, 0, 1000, 10), past(3, 0, 1010, 20)];

const run = (
  history: readonly PastJob[],
  more: Partial<Parameters<typeof replay>[0]> = {},
): Promise<Replay | null> =>
  replay({
    history,
    arrived: ANYTHING,
    notOver: 0,
    devices: [{ id: 'virtual-0', memoryTotalMib: 8192 }],
    policies: ['fifo'],
    weightsPath: 'nowhere',
    seed: 1,
    ...more,
  });
const ran = async (...given: Parameters<typeof run>): Promise<Replay> => {
  const result = await run(...given);
  if (result === null) throw new Error('nothing was replayed');
  return result;
};

describe('a replay', () => {
  it('of the policy that was in charge is what happened', async () => {
    const { happened, runs, trust, inCharge } = await ran(QUEUE);
    expect(happened.row).toMatchObject({
      policy: 'as it was',
      jobs: 3,
      mean_jct_s: (1000 + 1010 + 1030) / 3,
    });
    const { mean_jct_s, p99_jct_s, mean_slowdown, max_wait_s, makespan_s, utilisation } = happened.row;
    expect(runs[0]!.row).toMatchObject({
      policy: 'fifo',
      mean_jct_s,
      p99_jct_s,
      mean_slowdown,
      max_wait_s,
      makespan_s,
      utilisation,
      mean_jct_change: 0,
    });
    expect(trust).toEqual({ policy: 'fifo', mean_jct_change: 0, p99_jct_change: 0, median_start_error_s: 0 });
    expect(inCharge).toEqual({ fifo: 3 });
  });

  it('tells what another policy would have made of it, and keeps those apart that know durations', async () => {
    const result = await ran(QUEUE, { policies: ['sjf', 'first-fit'] });
    const [sjf, firstFit] = result.runs;
    // Shortest first: 10, 30 and 1030 s.
    expect(sjf!.row.mean_jct_s).toBeCloseTo((10 + 30 + 1030) / 3, 9);
    expect(sjf!.row.mean_jct_change).toBeCloseTo(1070 / 3040 - 1, 9);
    expect(firstFit!.row.mean_jct_change).toBe(0);
    const { open, clairvoyant } = replayRows(result);
    expect(open.map(({ policy }) => policy)).toEqual(['as it was', 'first-fit']);
    expect(clairvoyant.map(({ policy }) => policy)).toEqual(['sjf']);
    // A bound is nobody's best.
    expect(bestOf(result)!.row.policy).toBe('first-fit');
    expect(replayCells(sjf!.row).slice(0, 3)).toEqual(['sjf', '5 min 57 s', '−65 %']);
  });

  it('stops running jobs under a policy that does, at an assumed cost that it states', async () => {
    const history = [past(1, 0, 0, 7000), past(2, 2000, 7000, 100)];
    const { runs, limits } = await ran(history, { policies: ['srtf', 'fifo'] });
    const [srtf, fifo] = runs.map(({ row }) => row);
    expect([srtf!.preemptions, fifo!.preemptions]).toEqual([1, 0]);
    // The short one goes first; the long one loses the 200 s since its last checkpoint and loads it for 60 s.
    expect(srtf!.mean_jct_s).toBeCloseTo((100 + 7100 + 200 + 60) / 2, 6);
    expect(limits.at(-1)).toMatch(/^Nobody was preempted.*every 10 min.*1 min to load/);
    const without = await ran(history, { policies: ['fifo'] });
    expect(without.limits.some((limit) => limit.startsWith('Nobody was preempted'))).toBe(false);
  });

  it('goes by the order of starts where the policy in charge cannot be asked again', async () => {
    const history = [
      past(1, 0, 0, 100, { policy: 'dqn' }),
      past(2, 0, 150, 30, { policy: 'dqn' }),
      past(3, 0, 100, 50, { policy: 'fifo' }),
    ];
    const { trust, inCharge, runs } = await ran(history);
    expect(inCharge).toEqual({ dqn: 2, fifo: 1 });
    expect(trust).toEqual({
      policy: 'recorded order',
      mean_jct_change: 0,
      p99_jct_change: 0,
      median_start_error_s: 0,
    });
    // Not so the order of submission.
    expect(runs[0]!.row.mean_jct_change).not.toBe(0);
  });

  it('leaves a place in the recorded order free for who is still to come', async () => {
    // The second had to wait for the third, which a person had moved before it.
    const history = [past(1, 0, 0, 10), past(2, 0, 40, 10, { policy: 'dqn' }), past(3, 20, 20, 20)];
    const { trust } = await ran(history);
    expect(trust).toMatchObject({ policy: 'recorded order', mean_jct_change: 0, median_start_error_s: 0 });
  });

  it('takes from the record what a start takes, outliers left out', async () => {
    const history = [
      past(1, 0, 0.2, 100),
      past(2, 50, 100.4, 100),
      past(3, 60, 200.6, 100),
      // The engine did not run for an hour.
      past(4, 70, 3900, 100),
    ];
    const { limits, runs } = await ran(history);
    expect(limits.find((limit) => limit.startsWith('A start takes'))).toContain('200 ms');
    expect(runs[0]!.outcomes.map(({ finishedAtS }) => finishedAtS)).toEqual(
      [100.2, 200.4, 300.6, 400.8].map((s) => expect.closeTo(s, 6)),
    );
  });

  it('begins when a held job is released, and takes the queue by id all the same', async () => {
    const history = [
      past(1, 0, 100, 10, { readyAtMs: ORIGIN_MS + 50_000 }),
      past(2, 0, 0, 100),
      past(3, 10, 110, 10),
    ];
    const { trust, limits, happened } = await ran(history);
    expect(trust!.mean_jct_change).toBe(0);
    expect(happened.outcomes.map(({ job }) => [job.id, job.submittedAtS])).toEqual([
      [2, 0],
      [3, 10],
      [1, 50],
    ]);
    expect(limits).toContain('1 job was held first: arrival is then the release.');
  });

  it('leaves out what it cannot take, and counts it', async () => {
    const history = [
      ...QUEUE,
      past(4, 5, 5, 50, { gpus: 0, devices: [] }),
      past(5, 5, null, 0, { status: 'cancelled' }),
      past(6, 5, 1030, 10, { gpus: 2, devices: ['virtual-0', 'gone'] }),
      past(7, 5, 1040, 10, { vramMib: 9000 }),
      past(8, -500, -500, 501),
    ];
    const { jobs, rejected, limits, happened, runs } = await ran(history, {
      arrived: ({ readyAtMs }) => readyAtMs >= ORIGIN_MS,
      notOver: 2,
    });
    expect(jobs.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect([rejected, happened.row.rejected, runs[0]!.row.rejected]).toEqual([2, 2, 2]);
    const said = (what: RegExp) => limits.filter((limit) => what.test(limit)).length;
    expect(
      [
        /^2 jobs of that time are not over/,
        /^1 job without a GPU/,
        /^1 job that never ran/,
        /^2 jobs larger than/,
        /^1 job that came before/,
        /1 min to load/,
      ].map(said),
    ).toEqual([1, 1, 1, 1, 1, 0]);
  });

  it('says what people, neighbours and failures did that it does not repeat', async () => {
    const history = [
      past(1, 0, 0, 100, { vramMib: 100, status: 'failed', exitCode: 1, pausedS: 30, moved: true }),
      past(2, 0, 50, 100, { vramMib: 100, status: 'lost' }),
      past(3, 0, 150, 100),
    ];
    const { limits } = await ran(history);
    for (const part of [
      '2 jobs shared a GPU',
      'failed or were cancelled',
      'lost',
      '30 s together',
      'moved in the queue',
    ]) {
      expect(
        limits.filter((limit) => limit.includes(part)),
        part,
      ).toHaveLength(1);
    }
  });

  it('runs on another number of GPUs, and still trusts by the real one', async () => {
    const { runs, gpus, trust } = await ran(QUEUE, { gpus: 3 });
    expect(gpus).toBe(3);
    expect(runs[0]!.row.mean_jct_s).toBeCloseTo((1000 + 10 + 20) / 3, 9);
    expect(trust!.mean_jct_change).toBe(0);
    const wide = [past(1, 0, 0, 10, { gpus: 2, devices: ['a', 'b'] })];
    expect((await ran(wide, { gpus: 2 })).trust).toBeNull();
    await expect(run(wide)).rejects.toThrow(/^gpus: 1 is not usable; give more/);
    await expect(run(wide, { devices: [] })).rejects.toThrow(/^devices: /);
  });

  it('has nothing to say of nothing, nor of an unknown policy', async () => {
    expect(await run([])).toBeNull();
    expect(await run(QUEUE, { arrived: () => false })).toBeNull();
    await expect(run(QUEUE, { policies: ['best'] })).rejects.toThrow(/^policy: "best"/);
  });

  it('can be looked at', async () => {
    const html = replayReport(await ran(QUEUE, { policies: ['first-fit', 'sjf'] }), 'from x until now');
    expect(html).toMatch(/^<!doctype html>/i);
    for (const part of ['as it was', 'first-fit', 'knowing true durations', 'arrivals are as recorded']) {
      expect(html).toContain(part);
    }
  });
});

it('shows differences with their sign', () => {
  expect([-0.18, 0.004, 0, -0.0001, 1.5, null].map(signed)).toEqual([
    '−18 %',
    '+0.4 %',
    '±0.0 %',
    '±0.0 %',
    '+150 %',
    '?',
  ]);
});

describe('the record as a trace', () => {
  it('has a row for each job that ran on a GPU, from the first of them', () => {
    const history = [
      past(3, 20.5, 30, 12.3456, { name: 'a, "b"', peakMib: 700.2, estimateS: 60, priority: -2 }),
      past(1, 0, 0, 5, { gpus: 0 }),
      past(2, 10, 11, 1000, { gpus: 2, vramMib: 4096, peakMib: 900, user: 'ben' }),
      past(4, 30, null, 0),
    ];
    const { jobs, cpuOnly, neverRan } = traceOfHistory(history);
    expect(jobs.map(traceRow)).toEqual([
      '2,0,1000,2,4096,,0,ben,job 2,',
      '3,10.5,12.346,1,701,,-2,ada,"a, ""b""",60',
    ]);
    expect([cpuOnly, neverRan]).toEqual([1, 1]);
  });
});
