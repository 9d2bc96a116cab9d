import { describe, expect, it } from 'vitest';
import { metricsOf } from '../../src/simulator/metrics.ts';
import { plainRow } from '../../src/simulator/plain/plainRow.ts';
import { PLAIN_POLICIES, plainPolicy } from '../../src/simulator/plain/policies.ts';
import { simulatePlain } from '../../src/simulator/plain/simulatePlain.ts';
import { plainTrace, type ShortJob, scheduleOf } from './plainTraces.ts';

/** When each job first ran and when it was through. */
function times(policy: string, gpus: number, jobs: readonly ShortJob[]): (readonly [number, number])[] {
  const { outcome } = scheduleOf(plainTrace(jobs), gpus, policy);
  return jobs.map((_job, row) => [outcome.startS[row]!, outcome.finishS[row]!]);
}

/** Two GPUs; a wide job waits behind a long one, and short ones come after it. */
const MIXED: readonly ShortJob[] = [
  [0, 100, 1],
  [10, 20, 2],
  [20, 40, 1],
  [30, 10, 1],
];

describe('by hand, on two GPUs', () => {
  it('fifo lets nobody overtake the job that does not fit', () => {
    expect(times('fifo', 2, MIXED)).toEqual([
      [0, 100],
      [100, 120],
      [120, 160],
      [120, 130],
    ]);
  });

  it('first-fit starts whoever fits, in the order of arrival', () => {
    expect(times('first-fit', 2, MIXED)).toEqual([
      [0, 100],
      [100, 120],
      [20, 60],
      [60, 70],
    ]);
  });

  it('sjf takes the shorter of two that wait, and stops nobody', () => {
    const jobs: readonly ShortJob[] = [
      [0, 50, 2],
      [1, 30, 1],
      [2, 10, 2],
      [3, 20, 1],
    ];
    // At 50 the shortest takes both; at 60 the two others run side by side.
    expect(times('sjf', 2, jobs)).toEqual([
      [0, 50],
      [60, 90],
      [50, 60],
      [60, 80],
    ]);
  });

  it('srtf stops the job with more left, and lets it go on later', () => {
    const jobs: readonly ShortJob[] = [
      [0, 100, 2],
      [10, 20, 1],
      [15, 5, 1],
    ];
    const { outcome, stretches } = scheduleOf(plainTrace(jobs), 2, 'srtf');
    expect(stretches).toEqual([
      { row: 0, fromS: 0, toS: 10 },
      { row: 2, fromS: 15, toS: 20 },
      { row: 1, fromS: 10, toS: 30 },
      { row: 0, fromS: 30, toS: 120 },
    ]);
    expect([...outcome.preemptions]).toEqual([1, 0, 0]);
  });

  it('srsf counts the GPUs, where srtf does not', () => {
    const jobs: readonly ShortJob[] = [
      [0, 30, 2],
      [1, 40, 1],
    ];
    expect(times('srtf', 2, jobs)).toEqual([
      [0, 30],
      [30, 70],
    ]);
    // At 1: 29 s × 2 GPUs are left of the first, 40 s × 1 of the second.
    expect(times('srsf', 2, jobs)).toEqual([
      [0, 70],
      [1, 41],
    ]);
  });

  it('a gang takes all of its GPUs or none', () => {
    const jobs: readonly ShortJob[] = [
      [0, 10, 1],
      [0, 10, 2],
    ];
    expect(times('srtf', 2, jobs)[1]).toEqual([10, 20]);
  });
});

describe('by hand, on one GPU', () => {
  it('las takes turns at multiples of 300 s, ties by arrival', () => {
    const jobs: readonly ShortJob[] = [
      [0, 700, 1],
      [100, 400, 1],
    ];
    const { outcome, stretches } = scheduleOf(plainTrace(jobs), 1, 'las');
    // At 100 the newcomer has had nothing; at 300 it has had 200 to 100; at 600 it has had 200 to 400.
    expect(stretches).toEqual([
      { row: 0, fromS: 0, toS: 100 },
      { row: 1, fromS: 100, toS: 300 },
      { row: 0, fromS: 300, toS: 600 },
      { row: 1, fromS: 600, toS: 800 },
      { row: 0, fromS: 800, toS: 1100 },
    ]);
    expect([...outcome.preemptions]).toEqual([2, 1]);
  });

  it('las needs no pass while nobody waits', () => {
    const { outcome } = scheduleOf(plainTrace([[0, 1e6, 1]]), 1, 'las');
    expect(outcome.events).toBe(2);
  });

  it('completions come before arrivals, and both before the pass', () => {
    const jobs: readonly ShortJob[] = [
      [0, 10, 1],
      [5, 10, 1],
      [10, 1, 1],
    ];
    // At 10 the GPU is free and the shorter one has just come.
    expect(times('sjf', 1, jobs)).toEqual([
      [0, 10],
      [11, 21],
      [10, 11],
    ]);
  });

  it('one instant is one instant, whatever sums of doubles say', () => {
    // 0.1 + 0.2 is a hair more than 0.3.
    const jobs: readonly ShortJob[] = [
      [0.1, 0.2, 1],
      [0.2, 5, 1],
      [0.3, 1, 1],
    ];
    expect(times('sjf', 1, jobs)[2]![0]).toBeCloseTo(0.3, 12);
  });

  it('a job of no length is through at once', () => {
    for (const { name } of PLAIN_POLICIES) {
      expect(
        times(name, 1, [
          [5, 0, 1],
          [5, 0, 1],
        ]),
      ).toEqual([
        [5, 5],
        [5, 5],
      ]);
    }
  });

  it.each(PLAIN_POLICIES)('$name goes by rows where all else is equal', ({ name }) => {
    const starts = times(name, 1, [
      [0, 10, 1],
      [0, 10, 1],
      [0, 10, 1],
    ]).map(([startS]) => startS);
    expect(starts).toEqual([0, 10, 20]);
  });
});

describe('the row of a policy', () => {
  it('leaves rejected jobs out of everything but their count', () => {
    const trace = plainTrace([
      [0, 1000, 4],
      [10, 20, 1, 'ada'],
      [10, 5, 2, 'ben'],
    ]);
    const policy = plainPolicy('fifo');
    expect(plainRow(trace, 2, policy, simulatePlain(trace, 2, policy))).toEqual({
      policy: 'fifo',
      clairvoyant: false,
      jobs: 2,
      rejected: 1,
      preemptions: 0,
      mean_jct_s: 22.5,
      p50_jct_s: 20,
      p95_jct_s: 25,
      p99_jct_s: 25,
      // 1 and 25 / max(5, 10).
      mean_slowdown: 1.75,
      makespan_s: 25,
      utilisation: 30 / 50,
      max_wait_s: 20,
      jain: 3.5 ** 2 / (2 * (1 + 2.5 ** 2)),
    });
  });

  it('says who knows true durations', () => {
    const knowing = PLAIN_POLICIES.filter((policy) => policy.clairvoyant).map((policy) => policy.name);
    expect(knowing).toEqual(['sjf', 'srtf', 'srsf']);
  });

  it('takes percentiles by nearest rank', () => {
    const length = 200;
    const column = (value: (i: number) => number) => Array.from({ length }, (_, i) => value(i));
    const jobs = {
      length,
      submitS: column(() => 0),
      durationS: column(() => 1),
      gpus: column(() => 1),
      user: column(() => -1),
      finishS: column((i) => length - i),
    };
    expect(metricsOf(jobs, 1)).toMatchObject({ p50_jct_s: 100, p95_jct_s: 190, p99_jct_s: 198, jain: 1 });
  });

  it('refuses a policy that it does not know, and says which there are', () => {
    expect(() => plainPolicy('dqn')).toThrow(/"dqn".*fifo, first-fit, sjf, srtf, srsf, las/);
  });
});
