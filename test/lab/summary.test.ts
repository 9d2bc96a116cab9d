import { describe, expect, it } from 'vitest';
import { meanIntervals } from '../../src/lab/evaluate/bootstrap.ts';
import { type Contestant, type Ratio, summarise } from '../../src/lab/evaluate/summary.ts';
import type { WindowRow } from '../../src/lab/evaluate/windowRow.ts';

const open = (policy: string): Contestant => ({ policy, clairvoyant: false, yardstick: true });
const CONTESTANTS: Contestant[] = [
  open('fifo'),
  open('las'),
  { policy: 'dqn', clairvoyant: false, yardstick: false },
  { policy: 'srtf', clairvoyant: true, yardstick: false },
];

/** Rows of one block: per policy the mean and the 99th percentile. */
function rowsOf(
  at: { window: number; gpus?: number; load?: number; seed?: number; trace?: string },
  values: Record<string, readonly [mean: number, p99: number]>,
): WindowRow[] {
  return Object.entries(values).map(([policy, [mean, p99]]) => ({
    trace: 't',
    gpus: 1,
    load: 0.6,
    seed: 1,
    ...at,
    policy,
    clairvoyant: policy === 'srtf',
    jobs: 150,
    mean_jct_s: mean,
    p50_jct_s: mean,
    p95_jct_s: p99,
    p99_jct_s: p99,
    mean_slowdown: 1,
    makespan_s: 1,
    utilisation: 1,
    max_wait_s: 0,
    jain: 1,
    preemptions: 0,
    rejected: 0,
    pauses: 0,
    oom_deaths: 0,
    failures: 0,
    lost_gpu_s: 0,
  }));
}

/** Two windows: by mean JCT `las` is the better single one (geometric mean 20 against 40), but loses the second window. */
const TWO = [
  ...rowsOf({ window: 0 }, { fifo: [80, 100], las: [10, 400], dqn: [20, 100], srtf: [5, 50] }),
  ...rowsOf({ window: 1 }, { fifo: [20, 100], las: [40, 400], dqn: [20, 400], srtf: [20, 50] }),
];

const ratio = (of: Ratio | null): number | null => of && Number(of.ratio.toFixed(9));
const root = (value: number): number => Number(Math.sqrt(value).toFixed(9));

describe('summarise', () => {
  it('compares with the best single heuristic, the best of each window, and srtf', () => {
    const [cell] = summarise(TWO, CONTESTANTS).cells;
    expect(cell).toMatchObject({
      gpus: 1,
      load: 0.6,
      windows: 2,
      best_single: { mean_jct_s: 'las', p99_jct_s: 'fifo' },
    });
    const got = cell!.policies.map(({ policy, clairvoyant, mean_jct_s: mean, p99_jct_s: p99 }) => [
      policy,
      clairvoyant,
      Number(mean.geometric_mean_s.toFixed(9)),
      ...[mean, p99].flatMap((of) => [of.to_best_single, of.to_best_of_window, of.to_srtf].map(ratio)),
    ]);
    // Window's best: 10 and 20 by mean; 100 and 100 by p99. dqn is no yardstick, though it is as good in the second.
    expect(got).toEqual([
      ['fifo', false, 40, 2, root(8 * 1), root(16 * 1), 1, 1, 2],
      ['las', false, 20, 1, root(1 * 2), root(2 * 2), 4, 4, 8],
      ['dqn', false, 20, 1, root(2 * 1), root(4 * 1), 2, 2, 4],
      ['srtf', true, 10, 0.5, root(0.5 * 1), 1, 0.5, 0.5, 1],
    ]);
  });

  it('takes over all cells the ratios to what was best in each', () => {
    const rows = [
      ...rowsOf({ window: 0, gpus: 1 }, { fifo: [10, 1], las: [20, 1], dqn: [5, 1], srtf: [5, 1] }),
      ...rowsOf({ window: 0, gpus: 2 }, { fifo: [90, 1], las: [30, 1], dqn: [60, 1], srtf: [30, 1] }),
    ];
    const { cells, overall } = summarise(rows, CONTESTANTS);
    expect(cells.map(({ best_single: best }) => best.mean_jct_s)).toEqual(['fifo', 'las']);
    expect(overall.map(({ mean_jct_s: mean }) => ratio(mean.to_best_single))).toEqual([
      root(1 * 3),
      root(2 * 1),
      root(0.5 * 2),
      root(0.5 * 1),
    ]);
    // One window says nothing of how windows differ.
    expect(overall[0]!.mean_jct_s.to_srtf).toMatchObject({ low: null, high: null });
  });

  it('has nothing to compare with where no heuristic, or no srtf, ran', () => {
    const rows = TWO.filter(({ policy }) => policy === 'dqn');
    const [cell] = summarise(rows, [CONTESTANTS[2]!]).cells;
    expect(cell!.best_single).toEqual({ mean_jct_s: null, p99_jct_s: null });
    const { geometric_mean_s: mean, ...ratios } = cell!.policies[0]!.mean_jct_s;
    expect(mean).toBeCloseTo(20, 9);
    expect(ratios).toEqual({ to_best_single: null, to_best_of_window: null, to_srtf: null });
  });

  it('counts a window once, with however many seeds it ran', () => {
    // The second seed repeats the first: nothing is known that was not known before.
    const twice = [...TWO, ...TWO.map((row) => ({ ...row, seed: 2 }))];
    const shown = (rows: WindowRow[]) =>
      JSON.parse(JSON.stringify(summarise(rows, CONTESTANTS)), (_key, value: unknown) =>
        typeof value === 'number' ? Number(value.toPrecision(12)) : value,
      ) as unknown;
    expect(shown(twice)).toEqual(shown(TWO));
  });

  it('is no more certain of a policy than of itself, and exact about the yardstick', () => {
    const [cell] = summarise(TWO, CONTESTANTS).cells;
    const las = cell!.policies[1]!.mean_jct_s.to_best_single;
    expect(las).toEqual({ ratio: 1, low: 1, high: 1 });
  });
});

describe('bootstrap intervals', () => {
  it('are, for two windows, from the one to the other', () => {
    // Half of the draws take both windows, a quarter each only one of them.
    expect(meanIntervals({ counts: [1, 1], sums: [Float64Array.of(3, 7)] })).toEqual([[3, 7]]);
  });

  it('are those of the normal approximation where there are many windows', () => {
    const n = 400;
    const values = Float64Array.from({ length: n }, (_, i) => (i % 2 === 0 ? -1 : 1));
    const [interval] = meanIntervals({ counts: new Array<number>(n).fill(1), sums: [values] });
    const expected = 1.96 / Math.sqrt(n);
    expect(interval![0]).toBeCloseTo(-expected, 1);
    expect(interval![1]).toBeCloseTo(expected, 1);
    expect(Math.abs(interval![1] / expected - 1)).toBeLessThan(0.1);
    expect(Math.abs(interval![0] / expected + 1)).toBeLessThan(0.1);
  });

  it('are of means over values, not over windows', () => {
    // The first window has three values of 1, the second a single 5.
    const [interval] = meanIntervals({ counts: [3, 1], sums: [Float64Array.of(3, 5)] });
    expect(interval).toEqual([1, 5]);
    const many = meanIntervals({ counts: [1, 2, 3], sums: [Float64Array.of(4, 8, 12)] });
    expect(many).toEqual([[4, 4]]);
  });
});
