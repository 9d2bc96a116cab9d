import { type Clusters, meanIntervals } from './bootstrap.ts';
import type { WindowRow } from './windowRow.ts';

/** What policies are compared by. */
export const COMPARED = ['mean_jct_s', 'p99_jct_s'] as const;
export type Compared = (typeof COMPARED)[number];

/** A policy as a summary looks at it. */
export interface Contestant {
  readonly policy: string;
  readonly clairvoyant: boolean;
  /** Others are measured against the best of these: they neither know durations nor are learned. */
  readonly yardstick: boolean;
}

/** A ratio of two policies, below 1 where the first is better, with its 95 % interval; null where there is too little. */
export interface Ratio {
  readonly ratio: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** One policy by one metric: geometric means over windows. Null: nobody to compare with was evaluated. */
export interface Standing {
  readonly geometric_mean_s: number;
  readonly to_best_single: Ratio | null;
  readonly to_best_of_window: Ratio | null;
  readonly to_srtf: Ratio | null;
}

export interface PolicySummary extends Readonly<Record<Compared, Standing>> {
  readonly policy: string;
  readonly clairvoyant: boolean;
}

/** A machine under a load. */
export interface CellSummary {
  readonly gpus: number;
  readonly load: number;
  readonly windows: number;
  /** The heuristic whose geometric mean over the cell's windows is the least. */
  readonly best_single: Readonly<Record<Compared, string | null>>;
  readonly policies: readonly PolicySummary[];
}

export interface Summary {
  readonly cells: readonly CellSummary[];
  /** Over all cells, each policy's ratios being to what was best in the cell. */
  readonly overall: readonly PolicySummary[];
}

/** Below a millisecond, times are equal. */
const LEAST_S = 1e-3;
const REFERENCES = ['to_best_single', 'to_best_of_window', 'to_srtf'] as const;

/**
 * Compares policies that ran the same windows: geometric means of the ratios of their metrics to (a) the best single
 * heuristic of the cell, (b) the best heuristic of each window, chosen in hindsight, (c) `srtf`.
 * @param rows of whole windows: every contestant has one for each window, cell and seed.
 */
export function summarise(rows: readonly WindowRow[], contestants: readonly Contestant[]): Summary {
  const runs = runsOf(rows, contestants);
  const byCell = [...Map.groupBy(runs, ({ gpus, load }) => `${gpus}/${load}`).values()];
  const cells = byCell.map((cell) => compareIn(cell, contestants));
  return {
    cells: cells.map(({ best, compared }, i) => ({
      gpus: byCell[i]![0]!.gpus,
      load: byCell[i]![0]!.load,
      windows: new Set(byCell[i]!.map(({ window }) => window)).size,
      best_single: best,
      policies: standingsOf(compared, contestants),
    })),
    overall: standingsOf(
      cells.flatMap(({ compared }) => compared),
      contestants,
    ),
  };
}

/** What all policies made of one window with one seed in one cell. */
interface Run {
  readonly gpus: number;
  readonly load: number;
  /** Names the window, whatever the cell and the seed. */
  readonly window: string;
  /** Per metric, per contestant: the logarithm. */
  readonly logs: Readonly<Record<Compared, Float64Array>>;
}

function runsOf(rows: readonly WindowRow[], contestants: readonly Contestant[]): Run[] {
  const place = new Map(contestants.map(({ policy }, i) => [policy, i]));
  const runs = new Map<string, Run>();
  for (const row of rows) {
    const { gpus, load, seed } = row;
    const window = `${row.window} ${row.trace}`;
    const key = `${gpus} ${load} ${seed} ${window}`;
    const run = runs.get(key) ?? { gpus, load, window, logs: emptyLogs(contestants.length) };
    runs.set(key, run);
    for (const metric of COMPARED)
      run.logs[metric][place.get(row.policy)!] = Math.log(Math.max(LEAST_S, row[metric]));
  }
  return [...runs.values()];
}

const emptyLogs = (length: number): Run['logs'] => ({
  mean_jct_s: new Float64Array(length),
  p99_jct_s: new Float64Array(length),
});

/** A run with the logarithm of each reference; null where there is none. */
interface ComparedRun extends Run {
  readonly references: Readonly<Record<Compared, readonly (number | null)[]>>;
}

function compareIn(runs: readonly Run[], contestants: readonly Contestant[]) {
  const yardsticks = contestants.flatMap(({ yardstick }, i) => (yardstick ? [i] : []));
  const srtf = contestants.findIndex(({ policy }) => policy === 'srtf');
  const single = (metric: Compared): number => {
    const sums = yardsticks.map((i) => runs.reduce((sum, { logs }) => sum + logs[metric][i]!, 0));
    return yardsticks[sums.indexOf(Math.min(...sums))] ?? -1;
  };
  const best = { mean_jct_s: single('mean_jct_s'), p99_jct_s: single('p99_jct_s') };
  const referencesOf = ({ logs }: Run, metric: Compared): (number | null)[] => [
    logs[metric][best[metric]] ?? null,
    yardsticks.length === 0 ? null : Math.min(...yardsticks.map((i) => logs[metric][i]!)),
    logs[metric][srtf] ?? null,
  ];
  const compared = runs.map((run): ComparedRun => {
    const references = {
      mean_jct_s: referencesOf(run, 'mean_jct_s'),
      p99_jct_s: referencesOf(run, 'p99_jct_s'),
    };
    return { ...run, references };
  });
  const nameOf = (index: number): string | null => contestants[index]?.policy ?? null;
  return { best: { mean_jct_s: nameOf(best.mean_jct_s), p99_jct_s: nameOf(best.p99_jct_s) }, compared };
}

function standingsOf(runs: readonly ComparedRun[], contestants: readonly Contestant[]): PolicySummary[] {
  const places = new Map<string, number>();
  for (const { window } of runs) if (!places.has(window)) places.set(window, places.size);
  const counts = new Array<number>(places.size).fill(0);
  for (const { window } of runs) counts[places.get(window)!]!++;
  /** Sums over each window's runs of a policy's logarithm less that of a reference. */
  const sumsOf = (i: number, metric: Compared, reference: number): Float64Array => {
    const sums = new Float64Array(places.size);
    for (const { window, logs, references } of runs)
      sums[places.get(window)!]! += logs[metric][i]! - references[metric][reference]!;
    return sums;
  };
  const quantities = contestants.flatMap((_contestant, i) =>
    COMPARED.flatMap((metric) =>
      REFERENCES.flatMap((_name, reference) =>
        runs[0]!.references[metric][reference] === null ? [] : [{ i, metric, reference }],
      ),
    ),
  );
  const sums = quantities.map(({ i, metric, reference }) => sumsOf(i, metric, reference));
  const intervals = meanIntervals({ counts, sums } satisfies Clusters);
  const ratioOf = (i: number, metric: Compared, reference: number): Ratio | null => {
    const at = quantities.findIndex((q) => q.i === i && q.metric === metric && q.reference === reference);
    if (at < 0) return null;
    const [low, high] = intervals[at] ?? [null, null];
    const mean = sums[at]!.reduce((sum, value) => sum + value, 0) / runs.length;
    return {
      ratio: Math.exp(mean),
      low: low === null ? null : Math.exp(low),
      high: high === null ? null : Math.exp(high),
    };
  };
  const standing = (i: number, metric: Compared): Standing => ({
    geometric_mean_s: Math.exp(runs.reduce((sum, { logs }) => sum + logs[metric][i]!, 0) / runs.length),
    to_best_single: ratioOf(i, metric, 0),
    to_best_of_window: ratioOf(i, metric, 1),
    to_srtf: ratioOf(i, metric, 2),
  });
  return contestants.map(({ policy, clairvoyant }, i) => ({
    policy,
    clairvoyant,
    mean_jct_s: standing(i, 'mean_jct_s'),
    p99_jct_s: standing(i, 'p99_jct_s'),
  }));
}
