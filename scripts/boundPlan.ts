/**
 * What the plan of `dqn` could reach if it knew everything: a bound on what better beliefs or learning can bring it.
 *
 *   node scripts/boundPlan.ts [--windows 2] [--gpu-type v100] [--trace FILE ...]
 *
 * On training windows of the regime `workstation`, runs the plan as it is, with true durations, and with true durations
 * and interference, beside heuristics. Prints, for each number of GPUs, geometric means of mean completion times to those
 * of the best heuristic.
 */
import { parseArgs } from 'node:util';
import { runWorld } from '../src/lab/runWorld.ts';
import { labPolicy } from '../src/scheduler/policies/heuristics.ts';
import { teacher } from '../src/scheduler/policies/teacher.ts';
import type { Policy } from '../src/scheduler/policy.ts';
import { pairKey, type Snapshot } from '../src/scheduler/snapshot.ts';
import { worldOf } from '../src/simulator/regimes.ts';
import type { SimulatedWorld } from '../src/simulator/world.ts';
import { TRAINING, trainingGpuType, trainingWindows } from './lib/trainingWindows.ts';

const { values: options } = parseArgs({
  options: {
    windows: { type: 'string', default: '2' },
    'gpu-type': { type: 'string', default: 'v100' },
    trace: { type: 'string', multiple: true, default: [] },
  },
});
const gpuType = trainingGpuType(options['gpu-type']);
const HEURISTICS = ['first-fit', 'aged', 'las', 'tiresias', 'gittins', 'pspt', 'pack'];

/** Knows how fast any two jobs of the world are beside each other. */
function knowingPairs(world: SimulatedWorld): Policy {
  const interference: Record<string, number> = {};
  for (const a of world.jobs)
    for (const b of world.jobs)
      interference[pairKey(String(a.id), String(b.id))] = world.speedBeside?.(a, [b]) ?? 1;
  const told = (snapshot: Snapshot): Snapshot => ({
    ...snapshot,
    interference,
    waiting: snapshot.waiting.map((job) => ({ ...job, kind: String(job.id) })),
    running: snapshot.running.map((job) => ({ ...job, kind: String(job.id) })),
  });
  return {
    ...teacher,
    clairvoyant: true,
    choose: (input) => teacher.choose({ ...input, snapshot: told(input.snapshot) }),
  };
}

const CONTESTANTS: Readonly<Record<string, (world: SimulatedWorld) => Policy>> = {
  ...Object.fromEntries(HEURISTICS.map((name) => [name, () => labPolicy(name)])),
  plan: () => teacher,
  'true durations': () => ({ ...teacher, clairvoyant: true }),
  'and interference': knowingPairs,
};
const { plan, blocks } = await trainingWindows({
  regime: 'workstation',
  windows: Number(options.windows),
  traces: options.trace,
  gpuType,
  policies: [],
});
/** Means of ln(mean completion time), by GPUs and contestant. */
const logs = new Map<string, number>();
for (const block of blocks) {
  const { regime, jobs, options: dressed } = plan.task(block);
  const world = worldOf(regime, jobs, dressed);
  const count = blocks.filter(({ gpus }) => gpus === block.gpus).length;
  for (const [name, make] of Object.entries(CONTESTANTS)) {
    const outcomes = runWorld(world, make(world), 1);
    const sumS = outcomes.reduce((sum, { finishedAtS, job }) => sum + finishedAtS - job.submittedAtS, 0);
    const key = `${block.gpus} ${name}`;
    logs.set(key, (logs.get(key) ?? 0) + Math.log(sumS / outcomes.length) / count);
  }
}
const overall = new Map<string, number>();
for (const gpus of TRAINING.gpus) {
  const best = Math.min(...HEURISTICS.map((name) => logs.get(`${gpus} ${name}`)!));
  const cells = Object.keys(CONTESTANTS).map((name) => {
    const ratio = logs.get(`${gpus} ${name}`)! - best;
    overall.set(name, (overall.get(name) ?? 0) + ratio / TRAINING.gpus.length);
    return `${name} ${Math.exp(ratio).toFixed(3)}`;
  });
  process.stdout.write(`${gpus} GPUs: ${cells.join(', ')}\n`);
}
const all = [...overall].map(([name, ratio]) => `${name} ${Math.exp(ratio).toFixed(3)}`);
process.stdout.write(`all (${blocks.length} windows): ${all.join(', ')}\n`);
