import { FieldError } from '../../domain/errors.ts';
import { GPU_TYPES, type GpuType } from '../../simulator/interference.ts';
import { REGIME_NAMES, type RegimeName } from '../../simulator/regimes.ts';
import { oneOf, wholeFrom } from '../checks.ts';
import { OutputFile } from '../outputFile.ts';
import { DEFAULT_CONTESTANTS, isYardstick, policyMaker, policyNames } from '../policies.ts';
import { type Progress, runTasks } from '../pool.ts';
import { evaluationReport, opponentsIn } from './evaluationReport.ts';
import { Plan, type Skipped } from './plan.ts';
import { loadSuites, type SuiteName } from './suites.ts';
import { type Contestant, type Summary, summarise } from './summary.ts';
import type { WindowRow } from './windowRow.ts';

export interface EvaluateOptions {
  readonly suites: readonly SuiteName[];
  readonly regime: string;
  readonly gpus: readonly number[];
  readonly loads: readonly number[];
  /** All heuristics and `srtf` when left out. */
  readonly policies?: readonly string[];
  /** Whether jobs may share GPUs; as the regime says when left out. */
  readonly share?: boolean;
  /** How often each window is repeated with other chance. */
  readonly seeds: number;
  readonly gpuType: string;
  readonly jobsPerWindow: number;
  /** Only so many of each trace's first jobs. */
  readonly limit?: number;
  /** Where to write the report; replaced if it exists. */
  readonly htmlFile?: string;
  /** Where the learned policy's weights lie. */
  readonly weightsPath: string;
  /** Of Stint itself, to be noted with the results. */
  readonly version: string;
  /** Threads; one for each core when left out. Makes no difference to the results. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** All results, as `stint evaluate --json` prints them. */
export interface Evaluation extends Summary {
  readonly regime: RegimeName;
  readonly gpu_type: GpuType;
  /** Null: as the regime says. */
  readonly share: boolean | null;
  readonly jobs_per_window: number;
  readonly seeds: number;
  readonly suites: readonly {
    readonly trace: string;
    readonly jobs: number;
    readonly windows: number;
    /** Jobs at the end that are too few for a window. */
    readonly left_over: number;
  }[];
  /** By cell, trace, window, seed and policy. */
  readonly windows: readonly WindowRow[];
  readonly skipped: readonly Skipped[];
  readonly versions: {
    readonly stint: string;
    readonly node: string;
    readonly policies: Readonly<Record<string, string>>;
  };
}

const MOST_GPUS = 64;
const MOST_LOAD = 2;
const MOST_SEEDS = 1000;
const MOST_PER_WINDOW = 100_000;

/**
 * Runs every policy on the same windows of traces, on several machines under several loads, and compares them. Uses
 * every core. The same options give the same results, however many threads there are and in whatever order they end.
 * @throws {TraceError} for a malformed trace, {FieldError} naming the flag for anything else that cannot be used, both
 *   before any long work; {Interrupted} when the signal says so.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { seeds, share, jobsPerWindow, weightsPath, signal, onProgress, workers, htmlFile } = options;
  const regime = oneOf('--regime', options.regime, REGIME_NAMES);
  const gpuType = oneOf('--gpu-type', options.gpuType, GPU_TYPES);
  const gpus = listOf('--gpus', options.gpus, (n) => wholeFrom('--gpus', n, 1, MOST_GPUS));
  const loads = listOf('--load', options.loads, checkLoad);
  wholeFrom('--seeds', seeds, 1, MOST_SEEDS);
  wholeFrom('--jobs-per-window', jobsPerWindow, 2, MOST_PER_WINDOW);
  const policies = policyNames(options.policies ?? DEFAULT_CONTESTANTS);
  const makePolicy = await policyMaker(policies, weightsPath);
  const contestants = policies.map((policy): Contestant => {
    const made = makePolicy(policy);
    return { policy, clairvoyant: made.clairvoyant === true, yardstick: isYardstick(made) };
  });
  if (htmlFile !== undefined && policies.length < 2) {
    throw new FieldError('--html', htmlFile, 'give at least two policies, to show beside each other');
  }
  const html = htmlFile === undefined ? null : new OutputFile('--html', htmlFile);
  try {
    const traces = await loadSuites(options.suites, options.limit);
    const planned = { traces, jobsPerWindow, gpus, loads, seeds, regime, policies, gpuType };
    const plan = new Plan({ ...planned, ...(share === undefined ? {} : { share }) });
    const { blocks } = plan;
    if (blocks.length === 0) throw nothingToRun(plan.skipped, options);
    const rows: WindowRow[][] = new Array(blocks.length);
    const versions: Record<string, string> = {};
    const pool = {
      total: blocks.length,
      policies,
      weightsPath,
      ...(workers === undefined ? {} : { workers }),
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    };
    await runTasks(plan.tasks(), pool, (index, results) => {
      const { trace, window, gpus: count, load, seed } = blocks[index]!;
      const where = { trace: traces[trace]!.name, window: window.index, gpus: count, load, seed };
      rows[index] = results.map(({ row }) => ({ ...where, ...row }));
      for (const { row, version } of results) versions[row.policy] = version;
    });
    const windows = inCells(rows, gpus, loads);
    const result: Evaluation = {
      regime,
      gpu_type: gpuType,
      share: share ?? null,
      jobs_per_window: jobsPerWindow,
      seeds,
      suites: traces.map(({ name, jobs }, i) => {
        const cut = plan.windows[i]!;
        const used = cut.reduce((sum, window) => sum + window.jobs.length, 0);
        return { trace: name, jobs: jobs.length, windows: cut.length, left_over: jobs.length - used };
      }),
      ...summarise(windows, contestants),
      windows,
      skipped: plan.skipped,
      versions: {
        stint: options.version,
        node: process.version,
        policies: Object.fromEntries(policies.map((name) => [name, versions[name]!])),
      },
    };
    if (html !== null) {
      const [one, other] = options.policies === undefined ? opponentsIn(result, contestants) : policies;
      html.write(evaluationReport(result, [one!, other!], plan, makePolicy));
      html.keep();
    }
    return result;
  } finally {
    html?.discard();
  }
}

/** Rows by cell, in the order of machines and loads; within a cell as they were planned. */
function inCells(
  rows: readonly (readonly WindowRow[])[],
  gpus: readonly number[],
  loads: readonly number[],
): WindowRow[] {
  const cells = new Map(
    gpus.flatMap((count) => loads.map((load) => [`${count}/${load}`, [] as WindowRow[]])),
  );
  for (const block of rows) for (const row of block) cells.get(`${row.gpus}/${row.load}`)!.push(row);
  return [...cells.values()].flat();
}

function listOf(flag: string, values: readonly number[], check: (value: number) => number): number[] {
  if (values.length === 0) throw new FieldError(flag, '', 'give at least one, with commas between several');
  return [...new Set(values.map(check))];
}

function checkLoad(load: number): number {
  if (load > 0 && load <= MOST_LOAD) return load;
  throw new FieldError('--load', load, `give numbers above 0, at most ${MOST_LOAD}`);
}

function nothingToRun(skipped: readonly Skipped[], { suites, jobsPerWindow }: EvaluateOptions): FieldError {
  const names = suites.map(({ name }) => name).join(', ');
  const [first] = skipped;
  if (first === undefined) {
    const remedy = `give a trace of at least ${Math.ceil(jobsPerWindow / 2)} jobs, or fewer to a window with --jobs-per-window`;
    return new FieldError('--suite', names, remedy);
  }
  const why = `window ${first.window} of ${first.trace} on ${first.gpus} GPUs: ${first.reason}`;
  return new FieldError('--suite', names, `give traces with jobs for these machines (${why})`);
}
