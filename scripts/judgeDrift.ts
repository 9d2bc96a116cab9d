/**
 * Measures what happens to `dqn` when the work changes its kind: a machine that has only seen one preset is given another.
 *
 *   node scripts/judgeDrift.ts [--regime lab] [--from sweep-heavy] [--to helios-like] [--jobs 500] [--seeds 30] [--gpus 4] [--load 0.8]
 *     [--first-seed 5001]      another one to try things on: on the default nothing is chosen
 *
 * The shipped weights run over the same jobs of the new kind three times: *kept*, with what is believed of run times held as it was
 * before the change; *online*, as it is live, where each job that ends teaches; and *anew*, where the machine begins with jobs of the
 * new kind from another seed, as many as it remembers. `aged` runs beside them. Per 100 jobs, in the order of their submission:
 * geometric means over seeds of the mean completion time to that of *kept*, and the worst seed against `aged`.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { randomInt, seededRng } from '../src/domain/rng.ts';
import { PastJobs } from '../src/lab/evaluate/pastJobs.ts';
import { fitWindow } from '../src/lab/evaluate/windows.ts';
import { LEARNED, policyMaker } from '../src/lab/policies.ts';
import { runWorld } from '../src/lab/runWorld.ts';
import type { Policy } from '../src/scheduler/policy.ts';
import { MOST_PAST_RUNS, type PastRun, type Snapshot } from '../src/scheduler/snapshot.ts';
import { generateJobs, type PresetName } from '../src/simulator/generator/generate.ts';
import { DEFAULT_VRAM_MIB, type RegimeName, worldOf } from '../src/simulator/regimes.ts';
import { ROOT } from './lib/run.ts';

const { values: options } = parseArgs({
  options: {
    regime: { type: 'string', default: 'lab' },
    from: { type: 'string', default: 'sweep-heavy' },
    to: { type: 'string', default: 'helios-like' },
    jobs: { type: 'string', default: '500' },
    seeds: { type: 'string', default: '30' },
    gpus: { type: 'string', default: '4' },
    load: { type: 'string', default: '0.8' },
    'first-seed': { type: 'string', default: '5001' },
  },
});
const [jobs, seeds, gpus] = [Number(options.jobs), Number(options.seeds), Number(options.gpus)];
/** Nothing else is drawn from these. */
const FIRST_SEED = Number(options['first-seed']);
const STRETCH = 100;
const machine = { gpus, vramMib: DEFAULT_VRAM_MIB };
const make = await policyMaker([LEARNED, 'aged'], resolve(ROOT, 'resources/policy/second-wind.json'));
const drawn = (preset: string, seed: number, count: number) => [
  ...generateJobs(preset as PresetName, { jobs: count, seed, gpus }),
];

/** What a machine remembers of a preset: twice as many jobs are drawn, since not all have ended when the last begins. */
function memoryOf(preset: string, seed: number): { past: PastRun[]; history: number[] } {
  const before = drawn(preset, seed, 2 * MOST_PAST_RUNS);
  const earlier = new PastJobs(before);
  const last = before.length - 1;
  return { past: earlier.runsBefore(last, machine), history: earlier.before(last, machine) };
}

/** Learns nothing from what ends. */
const keeping = (policy: Policy, past: readonly PastRun[]): Policy => {
  const told = (snapshot: Snapshot): Snapshot => ({ ...snapshot, past });
  return {
    ...policy,
    choose: (input) => policy.choose({ ...input, snapshot: told(input.snapshot) }),
    reviewAfterS: (snapshot, history) =>
      policy.reviewAfterS?.(told(snapshot), history) ?? Number.POSITIVE_INFINITY,
  };
};

const NAMES = ['kept', 'online', 'anew', 'aged'] as const;
type Name = (typeof NAMES)[number];
/** By seed: mean completion time of each stretch of jobs. */
const runs: Record<Name, number[][]> = { kept: [], online: [], anew: [], aged: [] };
for (let seed = FIRST_SEED; seed < FIRST_SEED + seeds; seed++) {
  const fitted = fitWindow(drawn(options.to, seed, jobs), machine, Number(options.load));
  if ('reason' in fitted) throw new RangeError(`seed ${seed}: ${fitted.reason}`);
  const old = memoryOf(options.from, seed + 100);
  const fresh = memoryOf(options.to, seed + 200);
  const worldWith = (memory: typeof old) =>
    worldOf(options.regime as RegimeName, fitted.jobs, {
      ...machine,
      seed,
      gpuType: 'k80',
      history: memory.history,
      past: memory.past,
    });
  for (const name of NAMES) {
    const policy = make(name === 'aged' ? 'aged' : LEARNED);
    const world = worldWith(name === 'anew' ? fresh : old);
    const outcomes = runWorld(world, name === 'kept' ? keeping(policy, old.past) : policy, 1);
    const byStretch = Map.groupBy(outcomes, ({ job }) => Math.floor((job.id - 1) / STRETCH));
    runs[name].push(
      [...byStretch]
        // A short rest says little.
        .filter(([, of]) => 2 * of.length >= STRETCH)
        .sort(([one], [other]) => one - other)
        .map(
          ([, of]) => of.reduce((sum, one) => sum + one.finishedAtS - one.job.submittedAtS, 0) / of.length,
        ),
    );
  }
}

const meanLog = (name: Name, stretch: number): number => {
  const ratios = runs[name].map((of, seed) => Math.log(of[stretch]! / runs.kept[seed]![stretch]!));
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
};
console.log(
  `${options.from} to ${options.to}, ${options.regime}, ${gpus} GPUs, load ${options.load}, ${seeds} seeds of ${jobs} jobs; to kept`,
);
let [gained, possible] = [0, 0];
let worst = 0;
const stretches = Math.min(...runs.online.map(({ length }) => length));
for (let stretch = 0; stretch < stretches; stretch++) {
  const [online, anew, aged] = [
    meanLog('online', stretch),
    meanLog('anew', stretch),
    meanLog('aged', stretch),
  ];
  gained -= online;
  possible -= anew;
  const toAged = runs.online.map((of, seed) => of[stretch]! / runs.aged[seed]![stretch]!);
  worst = Math.max(worst, ...toAged);
  console.log(
    `  jobs ${stretch * STRETCH + 1} to ${(stretch + 1) * STRETCH}: online ${Math.exp(online).toFixed(3)}, anew ${Math.exp(anew).toFixed(3)}, aged ${Math.exp(aged).toFixed(3)}; online to aged at worst ${Math.max(...toAged).toFixed(3)}`,
  );
}
/** 95 % percentile bootstrap over seeds of the share that online regains of what starting anew gives. */
function regained(): string {
  const [own, most] = (['online', 'anew'] as const).map((name) =>
    runs[name].map((of, seed) => of.reduce((sum, s, i) => sum - Math.log(s / runs.kept[seed]![i]!), 0)),
  ) as [number[], number[]];
  const rng = seededRng(1);
  const shares = Array.from({ length: 2000 }, () => {
    let [part, whole] = [0, 0];
    for (let i = 0; i < seeds; i++) {
      const seed = randomInt(rng, seeds);
      part += own[seed]!;
      whole += most[seed]!;
    }
    return part / whole;
  }).sort((a, b) => a - b);
  const [low, high] = [shares[50]!, shares[1949]!].map((share) => (100 * share).toFixed(0));
  return `regained ${((100 * gained) / possible).toFixed(0)} % [${low}, ${high}]`;
}
console.log(
  `  all: online ${Math.exp(-gained / stretches).toFixed(3)}, anew ${Math.exp(-possible / stretches).toFixed(3)}${possible > 0.01 * stretches ? `, ${regained()}` : ': there was nothing to regain'}; online to aged at worst ${worst.toFixed(3)}`,
);
