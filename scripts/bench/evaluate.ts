import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { seededRng } from '../../src/domain/rng.ts';
import { evaluate } from '../../src/lab/evaluate/evaluate.ts';
import { labPolicy } from '../../src/scheduler/policies/heuristics.ts';
import { generateJobs } from '../../src/simulator/generator/generate.ts';
import { simulate } from '../../src/simulator/machine.ts';
import { type RegimeName, worldOf } from '../../src/simulator/regimes.ts';
import { ROOT } from '../lib/run.ts';
import type { Figure } from './measure.ts';

const TRACES = ['philly-0e4a51.csv', 'philly-7f04ca.csv'].map((name) =>
  join(ROOT, '..', 'shared', 'traces', name),
);
const JOBS = 600;
const GPUS = 8;

/** The whole suite with all heuristics on every core, and what the virtual machine does in a second. */
export async function evaluation(repetitions: number): Promise<Figure[]> {
  return [
    ...(await wholeSuite('lab', repetitions)),
    ...(await wholeSuite('workstation', repetitions)),
    ...['first-fit', 'tiresias'].map((name) => machine(name, repetitions)),
  ];
}

async function wholeSuite(regime: RegimeName, repetitions: number): Promise<Figure[]> {
  const missing = TRACES.filter((path) => !existsSync(path));
  if (missing.length > 0) {
    console.error(`no ${missing.join(', ')}: the whole suite of evaluate is not measured`);
    return [];
  }
  const times: number[] = [];
  let how = '';
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const atMs = performance.now();
    const { windows, cells } = await evaluate({
      suites: TRACES.map((path) => ({ name: path, path })),
      regime,
      gpus: [1, 2, 4, 8],
      loads: [0.6, 0.8, 0.95],
      seeds: 1,
      gpuType: 'v100',
      jobsPerWindow: 150,
      weightsPath: '',
      version: '',
    });
    times.push((performance.now() - atMs) / 1000);
    how = `two Philly traces, ${cells.length} cells, ${windows.length} simulated windows, every core`;
  }
  const target = { limit: 60, better: 'less' } as const;
  return [
    {
      what: `evaluate under ${regime}, all heuristics, the whole suite`,
      unit: 's',
      values: times,
      target,
      how,
    },
  ];
}

function machine(name: string, repetitions: number): Figure {
  const jobs = [...generateJobs('workstation', { jobs: JOBS, seed: 1, gpus: GPUS, load: 0.8 })];
  const world = worldOf('workstation', jobs, { gpus: GPUS, seed: 1 });
  const policy = labPolicy(name);
  const values: number[] = [];
  let decisions = 0;
  // The first run is for the compiler and does not count.
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    let instants = 0;
    let lastMs = -1;
    decisions = 0;
    const observer = {
      advance(_load: unknown, nowMs: number): void {
        if (nowMs !== lastMs) instants++;
        lastMs = nowMs;
      },
      decided(): void {
        decisions++;
      },
      idle: (): undefined => undefined,
    };
    const atMs = performance.now();
    simulate(world, { policy, heuristic: policy, rng: seededRng(1), observer });
    if (repetition > 0) values.push((1000 * instants) / (performance.now() - atMs));
  }
  return {
    what: `virtual machine under ${name}`,
    unit: 'events/s',
    values,
    target: null,
    how: `${JOBS} generated jobs on ${GPUS} GPUs as a workstation; an event: an instant with a look at the queue; ${decisions} decisions`,
  };
}
