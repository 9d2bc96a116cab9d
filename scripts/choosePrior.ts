/**
 * How much the shipped network may depart from the plan: the scale of its prior, chosen on training windows.
 *
 *   node scripts/choosePrior.ts [WEIGHTS ...] [--regime lab ...] [--windows 2] [--gpu-type v100] [--trace FILE ...] [--scales 0.15,0.3,0.6]
 *
 * Runs the plan alone and the weights (those that ship when left out) with each scale on windows that nothing is judged on. Prints, for each number of GPUs
 * and over all, geometric means over windows of mean completion times to those of the plan, with 95 % bootstrap intervals over all,
 * and the same of 99th percentiles. `--keep SCALE` writes that scale into the weights that ship instead; their judgement is void then.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { meanIntervals } from '../src/lab/evaluate/bootstrap.ts';
import { runWorld } from '../src/lab/runWorld.ts';
import { loadShippedPolicy, type PolicyFile } from '../src/learning/shippedPolicy.ts';
import { FEATURE_NAMES } from '../src/scheduler/features.ts';
import { encodeWeights, type Prior, type Weights } from '../src/scheduler/network.ts';
import { createDqnPolicy, NO_EXPLORATION } from '../src/scheduler/policies/dqn.ts';
import { teacher } from '../src/scheduler/policies/teacher.ts';
import type { Policy } from '../src/scheduler/policy.ts';
import { REGIME_NAMES, type RegimeName, worldOf } from '../src/simulator/regimes.ts';
import { ROOT } from './lib/run.ts';
import { TRAINING, trainingGpuType, trainingWindows } from './lib/trainingWindows.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    regime: { type: 'string', multiple: true, default: [...REGIME_NAMES] },
    windows: { type: 'string', default: '2' },
    'gpu-type': { type: 'string', default: 'v100' },
    trace: { type: 'string', multiple: true, default: [] },
    /** Their own when left out. */
    scales: { type: 'string' },
    keep: { type: 'string' },
  },
});
const gpuType = trainingGpuType(options['gpu-type']);
const unknown = options.regime.find((name) => !REGIME_NAMES.includes(name as RegimeName));
if (unknown !== undefined) throw new RangeError(`--regime ${unknown}: give ${REGIME_NAMES.join(', ')}`);
const SHIPPED = `${ROOT}/resources/policy/second-wind.json`;
type PriorWeights = Weights & { readonly prior: Prior };

async function priorWeights(path: string): Promise<PriorWeights> {
  const { weights } = await loadShippedPolicy(path);
  if (weights.prior === undefined) throw new Error(`${path} has no prior; there is nothing to choose`);
  return { ...weights, prior: weights.prior };
}

const withScale = (weights: PriorWeights, scale: number): Weights => ({
  ...weights,
  prior: { ...weights.prior, scale },
});

if (options.keep !== undefined) {
  const scale = Number(options.keep);
  if (!(scale > 0)) throw new RangeError(`--keep ${options.keep}: give a number above 0`);
  const kept = encodeWeights(withScale(await priorWeights(SHIPPED), scale), FEATURE_NAMES);
  const file = JSON.parse(readFileSync(SHIPPED, 'utf8')) as PolicyFile;
  const command = `${file.command}; then node scripts/choosePrior.ts --keep ${scale}`;
  const written = { ...file, weights: Buffer.from(kept).toString('base64'), command, evaluation: null };
  writeFileSync(SHIPPED, `${JSON.stringify(written, null, 1)}\n`);
  process.exit();
}

const scales = options.scales?.split(',').map(Number) ?? [null];
if (scales.some((scale) => scale !== null && !(scale > 0)))
  throw new RangeError(`--scales ${options.scales}: give numbers above 0, with commas between`);
const contestants = new Map<string, () => Policy>([['plan', () => teacher]]);
for (const path of positionals.length > 0 ? positionals : [SHIPPED]) {
  const weights = await priorWeights(path);
  for (const given of scales) {
    const scale = given ?? weights.prior.scale;
    const scaled = withScale(weights, scale);
    contestants.set(`${relative(ROOT, path)}, scale ${Number(scale.toPrecision(3))}`, () =>
      createDqnPolicy({ weights: scaled, version: path, exploration: NO_EXPLORATION }),
    );
  }
}

/** ln of mean and of 99th percentile of completion times, to those of the plan. */
interface Compared {
  readonly gpus: number;
  readonly mean: number;
  readonly p99: number;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function interval(logs: readonly number[]): string {
  const [bounds] = meanIntervals({ counts: logs.map(() => 1), sums: [Float64Array.from(logs)] });
  const [low, high] = bounds ?? [Number.NaN, Number.NaN];
  return `${Math.exp(mean(logs)).toFixed(3)} [${Math.exp(low).toFixed(3)}, ${Math.exp(high).toFixed(3)}]`;
}

for (const regime of options.regime as RegimeName[]) {
  const { plan, blocks } = await trainingWindows({
    regime,
    windows: Number(options.windows),
    traces: options.trace,
    gpuType,
    policies: [],
  });
  const compared = new Map([...contestants.keys()].map((name): [string, Compared[]] => [name, []]));
  for (const block of blocks) {
    const { jobs, options: dressed } = plan.task(block);
    const world = worldOf(regime, jobs, dressed);
    let base: readonly [number, number] | undefined;
    for (const [name, make] of contestants) {
      const jctS = runWorld(world, make(), 1)
        .map(({ finishedAtS, job }) => finishedAtS - job.submittedAtS)
        .sort((a, b) => a - b);
      const logs = [Math.log(mean(jctS)), Math.log(jctS[Math.floor(0.99 * (jctS.length - 1))]!)] as const;
      base ??= logs;
      compared.get(name)!.push({ gpus: block.gpus, mean: logs[0] - base[0], p99: logs[1] - base[1] });
    }
  }
  process.stdout.write(`${regime}, ${blocks.length} windows\n`);
  for (const [name, all] of compared) {
    if (name === 'plan') continue;
    const by = TRAINING.gpus.map((gpus) =>
      Math.exp(mean(all.filter((one) => one.gpus === gpus).map((one) => one.mean))).toFixed(3),
    );
    process.stdout.write(
      `  ${name}: mean ${interval(all.map((one) => one.mean))}, on ${TRAINING.gpus.join(', ')} GPUs ${by.join(', ')}; p99 ${interval(all.map((one) => one.p99))}\n`,
    );
  }
}
