/**
 * Tunes the parameters of the heuristics, so that nobody is compared with a straw man, and writes what came out:
 *
 *   node scripts/tuneHeuristics.ts [--regime lab ...] [--trace FILE ...] [--windows 3] [--gpu-type p100] [--workers 2]
 *
 * Every heuristic that has parameters runs with each setting of a grid on training windows: presets, seeds and interference that
 * no record of this project is judged on (`held-back` has others). Under each regime the setting with the least geometric
 * mean of mean completion times goes into resources/policy/heuristics.json, with every setting that was tried; what is known
 * there of regimes that are not named stays, and so do the policies themselves. `scripts/judgePolicy.ts` takes the winners as contestants.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runTasks } from '../src/lab/pool.ts';
import { TUNABLE, withoutSettings } from '../src/scheduler/policies/tunable.ts';
import { REGIME_NAMES } from '../src/simulator/regimes.ts';
import { ROOT } from './lib/run.ts';
import { TRAINING, trainingGpuType, trainingWindows } from './lib/trainingWindows.ts';

const { values: options } = parseArgs({
  options: {
    regime: { type: 'string', multiple: true, default: [...REGIME_NAMES] },
    trace: { type: 'string', multiple: true, default: [] },
    windows: { type: 'string', default: '3' },
    'gpu-type': { type: 'string', default: 'p100' },
    workers: { type: 'string', default: '2' },
  },
});
const gpuType = trainingGpuType(options['gpu-type']);

/** Values tried of each parameter, all combinations of a heuristic's. */
const GRID: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  aged: { pointH: [0.1, 1, 10] },
  las: { leastGpuS: [300, 1800], share: [0.1, 0.2, 0.4, 0.7] },
  tiresias: { thresholdGpuS: [1000, 3250, 10_000, 30_000], promote: [4, 32, 1000] },
  gittins: { leastGpuS: [300, 1800], share: [0.1, 0.2, 0.4, 0.7] },
  pspt: { headStart: [0.3, 0.5, 0.7, 0.9] },
  tetris: { work: [0.3, 1, 3, 10] },
  pack: { loss: [0.37, 0.6], leastGain: [0.01, 0.1, 0.25, 0.5] },
};

const combinations = (grid: Readonly<Record<string, readonly number[]>>): Record<string, number>[] =>
  Object.entries(grid).reduce<Record<string, number>[]>(
    (all, [key, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))),
    [{}],
  );
const nameOf = (policy: string, settings: Readonly<Record<string, number>>): string =>
  [policy, ...Object.entries(settings).map(([key, value]) => `${key}=${value}`)].join(':');

const tried = Object.keys(TUNABLE).flatMap((policy) => [
  policy,
  ...combinations(GRID[policy]!).map((settings) => nameOf(policy, settings)),
]);

interface Tried {
  readonly policy: string;
  /** Geometric mean of mean completion times over windows, to that of the settings that ship. */
  readonly toShipped: number;
}

interface Tuned {
  readonly regime: string;
  readonly windows: number;
  readonly best: Record<string, string>;
  readonly tried: readonly Tried[];
}

const path = resolve(ROOT, 'resources/policy/heuristics.json');
const { regimes: before } = JSON.parse(await readFile(path, 'utf8')) as {
  readonly regimes: readonly Tuned[];
};
const regimes: Tuned[] = [];
for (const regime of REGIME_NAMES) {
  if (!options.regime.includes(regime)) {
    regimes.push(...before.filter((one) => one.regime === regime));
    continue;
  }
  const { plan, blocks: used } = await trainingWindows({
    regime,
    windows: Number(options.windows),
    traces: options.trace,
    gpuType,
    policies: tried,
  });
  const logs = new Map<string, number>(tried.map((name) => [name, 0]));
  const pool = { total: used.length, policies: tried, weightsPath: '', workers: Number(options.workers) };
  await runTasks(
    used.map((block) => plan.task(block)),
    pool,
    (_index, results) => {
      for (const { row } of results)
        logs.set(row.policy, logs.get(row.policy)! + Math.log(row.mean_jct_s) / used.length);
    },
  );
  const best: Record<string, string> = {};
  const table: Tried[] = [];
  for (const policy of Object.keys(TUNABLE)) {
    const shipped = logs.get(policy)!;
    const own = tried.filter((name) => withoutSettings(name) === policy);
    for (const name of own) table.push({ policy: name, toShipped: Math.exp(logs.get(name)! - shipped) });
    // The first of equals: as it ships.
    best[policy] = own.reduce((a, b) => (logs.get(b)! < logs.get(a)! - 1e-9 ? b : a));
  }
  regimes.push({ regime, windows: used.length, best, tried: table });
  process.stdout.write(`${regime}, ${used.length} windows: ${Object.values(best).join(' ')}\n`);
}
const record = {
  about: 'Written by scripts/tuneHeuristics.ts: parameters of heuristics on training windows.',
  gpuType,
  windows: {
    ...TRAINING,
    ofEach: Number(options.windows),
    traces: options.trace.map((file) => basename(file)),
  },
  regimes,
};
await writeFile(path, `${JSON.stringify(record, null, 1)}\n`);
process.stdout.write(`wrote ${relative(ROOT, path)}\n`);
