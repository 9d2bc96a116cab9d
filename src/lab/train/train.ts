import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { FieldError, messageOf } from '../../domain/errors.ts';
import type { PolicyFile } from '../../learning/shippedPolicy.ts';
import { FEATURE_NAMES } from '../../scheduler/features.ts';
import type { Prior } from '../../scheduler/network.ts';
import { LAB_POLICY_NAMES, labPolicy } from '../../scheduler/policies/heuristics.ts';
import { OutputFile } from '../outputFile.ts';
import { Interrupted } from '../pool.ts';
import { Threads } from '../threads.ts';
import type { Acted, ActingJob } from './acting.ts';
import { PgTraining } from './pgTraining.ts';
import { loadTraces } from './traces.ts';
import { parseTrainConfig, type TrainConfig } from './trainConfig.ts';
import { type PgState, type TrainEvent, Training, type TrainingState } from './training.ts';
import { TrainStore } from './trainStore.ts';

/** `trainingWorker.ts` from source, `trainingWorker.js` once built. */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './trainingWorker.ts' : './trainingWorker.js',
  import.meta.url,
);

const RECORD_EVERY_S = 20;

export interface TrainOptions {
  /** The configuration; null: that of the training that is gone on with. */
  readonly configFile: { readonly path: string; readonly file: string } | null;
  /** Where everything is kept. */
  readonly directory: string;
  readonly resume: boolean;
  /** Threads that run worlds; one fewer than cores when left out. Makes no difference to the outcome. */
  readonly workers?: number;
  /** So many seconds of work may be lost when it is killed; 20 when left out. */
  readonly recordEveryS?: number;
  readonly signal?: AbortSignal;
  readonly onEvent: (event: TrainEvent) => void;
  readonly onProgress: (progress: { done: number; total: number; fraction: number }) => void;
}

/** How a training ended. */
export interface Trained {
  /** Where the best weights lie; null: none were ever fit to be chosen. */
  readonly file: string | null;
  readonly ratio: number | null;
  /** Gradient steps at which they were the best, and in all. */
  readonly bestStep: number | null;
  readonly steps: number;
  readonly worlds: number;
  readonly trainedS: number;
}

/**
 * Trains a policy, or goes on with a training that was interrupted or killed, to the same end.
 * @throws {FieldError} naming the option or the field of the configuration, {TraceError} for a malformed trace,
 *   {Interrupted} when the signal says so: it may be gone on with.
 */
export async function train(options: TrainOptions): Promise<Trained> {
  const { configFile, directory, resume, signal, onEvent, onProgress } = options;
  const given = configFile === null ? null : readConfig(configFile.path, configFile.file);
  if (given === null && !resume) throw new FieldError('--config', undefined, 'name a configuration file');
  if (signal?.aborted) throw new Interrupted('stopped before the end');
  const store = new TrainStore<TrainingState | PgState>(directory, resume);
  try {
    const config = given ?? parseTrainConfig(store.config);
    checkPolicies(config);
    const prior = priorOf(config);
    const traceDirectory = configFile === null ? directory : dirname(configFile.path);
    const absolute = withTracesFrom(config, traceDirectory);
    await loadTraces(absolute.worlds, traceDirectory);
    store.begin(absolute, FEATURE_NAMES);
    const size = options.workers ?? Math.max(1, availableParallelism() - 1);
    const data = { config: absolute, directory: traceDirectory };
    const threads = new Threads<ActingJob, Acted>({ entry: ENTRY, data, size });
    try {
      const baseline = await baselineOf(config, store, threads);
      const Kind = config.algorithm === 'pg' ? PgTraining : Training;
      const training: Training | PgTraining = new Kind(
        {
          config,
          store,
          threads,
          prior,
          recordEveryMs: 1000 * (options.recordEveryS ?? RECORD_EVERY_S),
          ...(signal === undefined ? {} : { signal }),
          onEvent: (event) => {
            onEvent(event);
            if (event.event === 'validation' && event.best) writeWeights(directory, config, store, training);
          },
          onFraction: (fraction, step) =>
            onProgress({ done: step, total: Math.ceil(step / Math.max(1e-9, fraction)), fraction }),
        },
        baseline,
      );
      await training.run();
      const { best, step, worlds, trainedS } = training;
      return {
        file: best === null ? null : writeWeights(directory, config, store, training),
        ratio: best?.ratio ?? null,
        bestStep: best?.step ?? null,
        steps: step,
        worlds,
        trainedS,
      };
    } finally {
      await threads.close();
    }
  } finally {
    store.close();
  }
}

/** @throws {FieldError} naming the file, or the field in it. */
function readConfig(path: string, file: string): TrainConfig {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new FieldError('--config', file, `name a file with a JSON object (${messageOf(error)})`);
  }
  return parseTrainConfig(content);
}

function checkPolicies({ algorithm, demonstrations, validation, preempts }: TrainConfig): void {
  const known = (field: string, name: string): void => {
    if (LAB_POLICY_NAMES.includes(name)) return;
    throw new FieldError(field, name, `choose one of ${LAB_POLICY_NAMES.join(', ')}`);
  };
  known('validation.against', validation.against);
  if (demonstrations.worlds === 0 || algorithm === 'pg') return;
  const { policy } = demonstrations;
  known('demonstrations.policy', policy);
  if (labPolicy(policy).clairvoyant === true) {
    throw new FieldError('demonstrations.policy', policy, 'choose one that does not know true durations');
  }
  if (!preempts && labPolicy(policy).preempts === true) {
    throw new FieldError(
      'demonstrations.policy',
      policy,
      'choose one that never preempts, or set preempts to true',
    );
  }
}

function priorOf({ network }: TrainConfig): Prior | undefined {
  if (network.prior === null) return undefined;
  const { feature, scale } = network.prior;
  const column = FEATURE_NAMES.indexOf(feature);
  if (column >= 0) return { column, scale };
  throw new FieldError('network.prior.feature', feature, `choose one of ${FEATURE_NAMES.join(', ')}`);
}

/** Paths of traces count from where the configuration lies, wherever the training is gone on with. */
function withTracesFrom(config: TrainConfig, directory: string): TrainConfig {
  const sources = config.worlds.sources.map((source) =>
    'trace' in source ? { ...source, trace: resolve(directory, source.trace) } : source,
  );
  return { ...config, worlds: { ...config.worlds, sources } };
}

/** Mean completion times of the yardstick in the validation worlds. */
async function baselineOf(
  { validation }: TrainConfig,
  store: TrainStore<TrainingState | PgState>,
  threads: Threads<ActingJob, Acted>,
): Promise<number[]> {
  const before = store.baseline;
  if (before.length > 0) return before;
  const actor = { policy: validation.against };
  const acted = await Promise.all(
    Array.from({ length: validation.worlds }, (_, world) => threads.run({ kind: 'validate', world, actor })),
  );
  const values = acted.map(({ meanJctS }) => meanJctS);
  store.setBaseline(values);
  return values;
}

/** Puts the best weights where a policy's file is expected, whole or not at all. @returns where. */
function writeWeights(
  directory: string,
  config: TrainConfig,
  store: TrainStore<TrainingState | PgState>,
  { best, trainedS, worlds, step }: Pick<Training, 'best' | 'trainedS' | 'worlds' | 'step'>,
): string {
  const path = join(directory, `${config.name}.json`);
  const content: PolicyFile = {
    name: config.name,
    weights: Buffer.from(best!.weights).toString('base64'),
    seed: config.seed,
    command: 'stint train --config CONFIG, with the configuration below',
    config: {
      ...config,
      features: FEATURE_NAMES,
      trainedS: Math.round(trainedS),
      worldsRun: worlds,
      steps: step,
    },
    curve: { validations: store.validations, kept: { step: best!.step, ratio: best!.ratio } },
    evaluation: null,
  };
  const file = new OutputFile('--out', path);
  try {
    file.write(`${JSON.stringify(content, null, 1)}\n`);
    file.keep();
  } finally {
    file.discard();
  }
  return path;
}
