/**
 * Compares `pg` with `dqn` and with the plan that both start from, for weights of several seeds, on the same windows of the
 * held-back suite, which nothing was chosen by:
 *
 *   node scripts/judgePg.ts [--gpus 2] [--load 0.8] [--windows 6] FILE...
 *
 * Each FILE is a policy as `stint train` writes it.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { meanIntervals } from '../src/lab/evaluate/bootstrap.ts';
import { loadSuites } from '../src/lab/evaluate/suites.ts';
import { cutWindows, fitWindow } from '../src/lab/evaluate/windows.ts';
import { runWorld } from '../src/lab/runWorld.ts';
import { loadShippedPolicy } from '../src/learning/shippedPolicy.ts';
import { createDqnPolicy, NO_EXPLORATION } from '../src/scheduler/policies/dqn.ts';
import { labPolicy } from '../src/scheduler/policies/heuristics.ts';
import { createPgPolicy } from '../src/scheduler/policies/pg.ts';
import type { Policy } from '../src/scheduler/policy.ts';
import { DEFAULT_VRAM_MIB, REGIME_NAMES, type RegimeName, worldOf } from '../src/simulator/regimes.ts';
import type { SimulatedWorld } from '../src/simulator/world.ts';
import { ROOT } from './lib/run.ts';

const { values: options, positionals: files } = parseArgs({
  options: {
    gpus: { type: 'string', default: '2' },
    load: { type: 'string', default: '0.8' },
    windows: { type: 'string', default: '6' },
  },
  allowPositionals: true,
});
const gpus = Number(options.gpus);
const most = Number(options.windows);

const shipped = await loadShippedPolicy(resolve(ROOT, 'resources/policy/second-wind.json'));
const policies: (readonly [name: string, make: () => Policy])[] = [
  ['teacher', () => labPolicy('teacher')],
  ['dqn', () => createDqnPolicy({ weights: shipped.weights, version: '', exploration: NO_EXPLORATION })],
];
for (const file of files) {
  const { weights } = await loadShippedPolicy(resolve(file));
  policies.push([`pg ${file}`, () => createPgPolicy({ weights, version: '' })]);
}

/** One of each trace in turn, so that few windows are of many kinds. */
async function worldsOf(regime: RegimeName): Promise<SimulatedWorld[]> {
  const traces = await loadSuites([{ name: 'held-back', path: resolve('held-back') }]);
  const worlds: SimulatedWorld[] = [];
  for (let turn = 0; worlds.length < most; turn++) {
    const before = worlds.length;
    for (const { jobs } of traces) {
      const window = cutWindows(jobs, 150)[turn];
      if (window === undefined || worlds.length >= most) continue;
      const fitted = fitWindow(window.jobs, { gpus, vramMib: DEFAULT_VRAM_MIB }, Number(options.load));
      if ('reason' in fitted) continue;
      worlds.push(worldOf(regime, fitted.jobs, { gpus, seed: worlds.length + 1, gpuType: 'k80' }));
    }
    if (worlds.length === before) break;
  }
  return worlds;
}

const meanJctS = (world: SimulatedWorld, policy: Policy): number => {
  const outcomes = runWorld(world, policy, 1);
  return (
    outcomes.reduce((sum, { job, finishedAtS }) => sum + finishedAtS - job.submittedAtS, 0) / outcomes.length
  );
};

for (const regime of REGIME_NAMES) {
  const worlds = await worldsOf(regime);
  const logs = policies.map(([, make]) => worlds.map((world) => Math.log(meanJctS(world, make()))));
  const reference = logs[1]!;
  console.log(`${regime}: ${worlds.length} windows, ${gpus} GPUs, load ${options.load}; mean JCT to dqn`);
  policies.forEach(([name], i) => {
    const ratios = logs[i]!.map((log, world) => log - reference[world]!);
    const [interval] = meanIntervals({ counts: ratios.map(() => 1), sums: [Float64Array.from(ratios)] });
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length);
    const bounds = interval?.map((bound) => Math.exp(bound).toFixed(4)).join(', ') ?? '–';
    console.log(`  ${mean.toFixed(4)} [${bounds}]  ${name}`);
  });
}
