import { basename, resolve } from 'node:path';
import { type Block, Plan } from '../../src/lab/evaluate/plan.ts';
import type { SuiteTrace } from '../../src/lab/evaluate/suites.ts';
import { traceJobs } from '../../src/lab/traceFile.ts';
import { generateJobs } from '../../src/simulator/generator/generate.ts';
import type { GpuType } from '../../src/simulator/interference.ts';
import type { RegimeName } from '../../src/simulator/regimes.ts';

const JOBS_PER_WINDOW = 150;
const PRESETS = [
  'workstation',
  'philly-like',
  'drifting',
  'sweep-heavy',
  'philly-like',
  'heavy-tail',
] as const;
/** Of which the first are taken: what a preset draws may depend on how many there are. */
const DRAWN = 1500;
const FIRST_SEED = 7001;
const GPUS = [1, 2, 4, 8];
const LOADS = [0.8];

export interface TrainingOptions {
  readonly regime: RegimeName;
  /** Of each trace. */
  readonly windows: number;
  /** Files beside the presets. */
  readonly traces: readonly string[];
  /** Not the K80's, which policies are judged on. */
  readonly gpuType: Exclude<GpuType, 'k80'>;
  readonly policies: readonly string[];
}

/** @throws {RangeError} for the one that policies are judged on, and any other. */
export function trainingGpuType(given: string): TrainingOptions['gpuType'] {
  if (given !== 'v100' && given !== 'p100')
    throw new RangeError(`--gpu-type ${given}: give v100 or p100; policies are judged on the k80`);
  return given;
}

/** What windows were, for a record. */
export const TRAINING = { presets: PRESETS, firstSeed: FIRST_SEED, gpus: GPUS, loads: LOADS };

/**
 * Windows on which things may be tuned and looked into: no preset's seed, trace or interference of which is judged
 * (`held-back` in src/lab/evaluate/suites.ts). The first window of each trace is only there to be remembered.
 */
export async function trainingWindows(
  options: TrainingOptions,
): Promise<{ readonly plan: Plan; readonly blocks: readonly Block[] }> {
  const { regime, windows, policies, gpuType } = options;
  const jobs = JOBS_PER_WINDOW * (windows + 1);
  const traces: SuiteTrace[] = PRESETS.map((preset, i) => ({
    name: `${preset}-${FIRST_SEED + i}`,
    jobs: [...generateJobs(preset, { jobs: DRAWN, seed: FIRST_SEED + i, gpus: 8 })].slice(0, jobs),
  }));
  for (const path of options.traces) {
    const file = basename(path);
    traces.push({ name: file, jobs: await traceJobs({ path: resolve(path), file }, '--trace', jobs) });
  }
  const plan = new Plan({
    traces,
    jobsPerWindow: JOBS_PER_WINDOW,
    gpus: GPUS,
    loads: LOADS,
    seeds: 1,
    regime,
    policies,
    gpuType,
  });
  return { plan, blocks: plan.blocks.filter(({ window }) => window.index > 0) };
}
