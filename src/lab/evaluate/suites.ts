import { existsSync } from 'node:fs';
import { FieldError } from '../../domain/errors.ts';
import type { TraceJob } from '../../domain/trace.ts';
import { generateJobs, PRESET_NAMES, type PresetName } from '../../simulator/generator/generate.ts';
import { traceJobs } from '../traceFile.ts';

/** Jobs to cut into windows. */
export interface SuiteTrace {
  readonly name: string;
  readonly jobs: readonly TraceJob[];
}

/** A preset's jobs, the same for everybody. */
interface Generated {
  readonly preset: PresetName;
  readonly jobs: number;
  readonly seed: number;
}

/** Sizes are drawn up to the largest machine that the evaluation looks at. */
const GENERATED_GPUS = 8;

/**
 * Suites by name, which need no file. Fixed once and for all: whoever changes one changes what results mean.
 * - `standing`: the kinds of work that an owner may have, and a cluster's; 20 windows of 150 jobs.
 * - `held-back`: what the shipped weights are judged on: seeds that nothing was trained or chosen on, and two presets that
 *   nothing was (Helios and PAI); 40 windows.
 * - `presets`: all presets of the generator; 4 windows each.
 */
const SUITES: Readonly<Record<string, readonly Generated[]>> = {
  standing: (['workstation', 'sweep-heavy', 'heavy-tail', 'philly-like'] as const).map((preset, i) => ({
    preset,
    jobs: 750,
    seed: 1001 + i,
  })),
  'held-back': (['workstation', 'philly-like', 'helios-like', 'pai-like'] as const).map((preset, i) => ({
    preset,
    jobs: 1500,
    seed: 3001 + i,
  })),
  presets: PRESET_NAMES.map((preset, i) => ({ preset, jobs: 600, seed: 2001 + i })),
};

/** A suite's name, or a trace file: as it was named, and where it would lie. */
export interface SuiteName {
  readonly name: string;
  readonly path: string;
}

/**
 * The traces of suites and files.
 * @param limit only so many of each trace's first jobs.
 * @throws {TraceError} for what a file holds, {FieldError} naming `--suite`.
 */
export async function loadSuites(names: readonly SuiteName[], limit?: number): Promise<SuiteTrace[]> {
  for (const [i, { name, path }] of names.entries()) {
    if (names.findIndex((other) => other.name === name) < i) {
      throw new FieldError('--suite', name, 'give each once');
    }
    if (!Object.hasOwn(SUITES, name) && !existsSync(path)) {
      const known = Object.keys(SUITES).join(', ');
      throw new FieldError('--suite', name, `give a trace file that exists, or one of the suites ${known}`);
    }
  }
  const traces: SuiteTrace[] = [];
  for (const { name, path } of names) {
    const generated = Object.hasOwn(SUITES, name) ? SUITES[name] : undefined;
    if (generated === undefined) {
      traces.push({ name, jobs: await traceJobs({ path, file: name }, '--suite', limit) });
      continue;
    }
    for (const { preset, jobs, seed } of generated) {
      const some = Math.min(jobs, limit ?? jobs);
      const drawn = generateJobs(preset, { jobs, seed, gpus: GENERATED_GPUS });
      traces.push({ name: `${name}/${preset}`, jobs: Iterator.from(drawn).take(some).toArray() });
    }
  }
  return traces;
}
