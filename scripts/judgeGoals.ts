/**
 * Measures what the owner's goals do: each is moved from 0 to full while the others stay, on the same windows of the
 * held-back suite, under `dqn` with the shipped weights:
 *
 *   node scripts/judgeGoals.ts [--gpus 4] [--load 0.95] [--regime workstation] [--limit JOBS] [--policy dqn] [--goal energy ...]
 *
 * A goal's own metric is the cost that it weighs, as a mean over the time in which there was work (`domain/reward.ts`):
 * jobs in the system for each two GPUs, the share of GPUs idle while work waits, 1 − Jain's index of the users' service; of energy what
 * GPUs draw above idling (`simulator/power.ts`), over all jobs.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  costRates,
  DEFAULT_GOALS,
  FULL_GOAL,
  GOALS,
  type Goal,
  type Load,
  REWARD_COMPONENTS,
} from '../src/domain/reward.ts';
import { seededRng } from '../src/domain/rng.ts';
import { meanIntervals } from '../src/lab/evaluate/bootstrap.ts';
import { loadSuites } from '../src/lab/evaluate/suites.ts';
import { cutWindows, fitWindow } from '../src/lab/evaluate/windows.ts';
import { policyMaker } from '../src/lab/policies.ts';
import { simulate } from '../src/simulator/machine.ts';
import { DEFAULT_VRAM_MIB, type RegimeName, worldOf } from '../src/simulator/regimes.ts';
import type { SimulatedWorld } from '../src/simulator/world.ts';
import { ROOT } from './lib/run.ts';

const { values: options } = parseArgs({
  options: {
    gpus: { type: 'string', default: '4' },
    load: { type: 'string', default: '0.95' },
    regime: { type: 'string', default: 'workstation' },
    limit: { type: 'string' },
    policy: { type: 'string', default: 'dqn' },
    suite: { type: 'string', default: 'held-back' },
    goal: { type: 'string', multiple: true, default: [...GOALS] },
  },
});
const gpus = Number(options.gpus);
const chosen = GOALS.filter((goal) => options.goal.includes(goal));
const weightsPath = resolve(ROOT, 'resources/policy/second-wind.json');
const makePolicy = await policyMaker([options.policy], weightsPath);

interface Outcome {
  /** Mean of each cost rate over the time with work in the system; energy in joules. */
  readonly costs: Readonly<Record<Goal, number>>;
  readonly meanJctS: number;
}

function run(world: SimulatedWorld): Outcome {
  const sums = { completion: 0, utilisation: 0, fairness: 0 };
  let busyMs = 0;
  let last: { readonly atMs: number; readonly load: Load } | null = null;
  const upTo = (nowMs: number): void => {
    if (last === null || last.load.running + last.load.waiting === 0) return;
    const rates = costRates(last.load);
    for (const name of REWARD_COMPONENTS) sums[name] += rates[name] * (nowMs - last.atMs);
    busyMs += nowMs - last.atMs;
  };
  const policy = makePolicy(options.policy);
  const outcomes = simulate(world, {
    policy,
    heuristic: policy,
    rng: seededRng(1),
    observer: {
      advance(load, nowMs) {
        upTo(nowMs);
        last = { atMs: nowMs, load };
      },
      idle: () => undefined,
      decided: () => undefined,
    },
  });
  const meanOf = (name: keyof typeof sums): number => sums[name] / busyMs;
  return {
    costs: {
      completion: meanOf('completion'),
      utilisation: meanOf('utilisation'),
      fairness: meanOf('fairness'),
      energy: outcomes.reduce((sum, { energyJ }) => sum + energyJ, 0),
    },
    meanJctS:
      outcomes.reduce((sum, { job, finishedAtS }) => sum + finishedAtS - job.submittedAtS, 0) /
      outcomes.length,
  };
}

const worlds: SimulatedWorld[] = [];
const limit = options.limit === undefined ? undefined : Number(options.limit);
for (const { jobs } of await loadSuites([{ name: options.suite, path: resolve(options.suite) }], limit)) {
  for (const window of cutWindows(jobs, 150)) {
    const fitted = fitWindow(window.jobs, { gpus, vramMib: DEFAULT_VRAM_MIB }, Number(options.load));
    if ('reason' in fitted) continue;
    const regime = { gpus, seed: worlds.length + 1, gpuType: 'k80' as const };
    worlds.push(worldOf(options.regime as RegimeName, fitted.jobs, regime));
  }
}
console.log(
  `${worlds.length} windows, ${gpus} GPUs, load ${options.load}, ${options.regime}, ${options.policy}`,
);
for (const goal of chosen) {
  const [none, full] = [0, FULL_GOAL].map((weight) =>
    worlds.map((world) => run({ ...world, goals: { ...DEFAULT_GOALS, [goal]: weight } })),
  );
  const ratioOf = (metric: (outcome: Outcome) => number): string => {
    const [before, after] = [none!.map(metric), full!.map(metric)];
    const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
    const [interval] = meanIntervals({ counts: before, sums: [Float64Array.from(after)] });
    const ratio = total(after) / total(before);
    return `${ratio.toFixed(3)} [${interval!.map((bound) => bound.toFixed(3)).join(', ')}]`;
  };
  const [cost, jct] = [ratioOf(({ costs }) => costs[goal]), ratioOf(({ meanJctS }) => meanJctS)];
  console.log(`${goal.padEnd(12)} full / none: its own cost ${cost}, mean JCT ${jct}`);
}
