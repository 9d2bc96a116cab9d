import { realpathSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { TRACE_HEADER, type TraceJob, traceRow } from '../domain/trace.ts';
import {
  type GenerateOptions,
  generateJobs,
  PRESET_NAMES,
  type PresetName,
} from '../simulator/generator/generate.ts';
import type { Preset } from '../simulator/generator/preset.ts';
import { PRESETS } from '../simulator/generator/presets.ts';
import { OutputFile } from './outputFile.ts';
import { Interrupted } from './pool.ts';

export interface WriteOptions extends GenerateOptions {
  readonly preset: string;
  /** Where to write; null: to stdout. What is there is replaced once all is written, and not before. */
  readonly path: string | null;
  /** Told now and then how many jobs are written. */
  readonly onProgress?: (jobs: number) => void;
  /** Stops it before the end. */
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface Written {
  readonly jobs: number;
  /** Time of the last arrival. */
  readonly spanS: number;
  /** Σ duration·gpus of the jobs, s. */
  readonly gpuS: number;
}

/** A preset as `stint generate --list` shows it. */
export interface PresetRow extends Pick<Preset, 'summary' | 'gpus' | 'load'> {
  readonly name: string;
}

export const presetRows = (): PresetRow[] => PRESET_NAMES.map((name) => ({ name, ...PRESETS[name] }));

/** GPUs that a preset's load is for when nobody says otherwise. @param preset a name that exists. */
export const gpusOf = (preset: string): number => PRESETS[preset as PresetName].gpus;

/** Jobs that are written at a time. */
const BATCH = 4096;

/**
 * Writes a generated workload as a trace, in memory that does not grow with it.
 * @throws {FieldError} naming the option, or `-o` for a file that cannot be written; {Interrupted} when the signal
 *   says so.
 */
export async function writeWorkload(options: WriteOptions): Promise<Written> {
  const { path, preset, jobs, seed, gpus, load } = options;
  const size = { ...(gpus === undefined ? {} : { gpus }), ...(load === undefined ? {} : { load }) };
  // Whatever it does not know it refuses by name.
  const drawn = generateJobs(preset as PresetName, { jobs, seed, ...size });
  if (path === null) return writeRows(drawn, toStdout, options);
  // A link stays a link.
  const file = new OutputFile('-o', statSync(path, { throwIfNoEntry: false }) ? realpathSync(path) : path);
  try {
    const written = await writeRows(drawn, async (text) => file.write(text), options);
    file.keep();
    return written;
  } finally {
    file.discard();
  }
}

type Write = (text: string) => Promise<void>;

const toStdout: Write = (text) =>
  new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });

async function writeRows(
  jobs: Iterable<TraceJob>,
  write: Write,
  { onProgress, signal }: Pick<WriteOptions, 'onProgress' | 'signal'>,
): Promise<Written> {
  let lines = [TRACE_HEADER];
  let [count, spanS, gpuS] = [0, 0, 0];
  for (const job of jobs) {
    lines.push(traceRow(job));
    spanS = job.submitS;
    gpuS += job.durationS * job.gpus;
    if (++count % BATCH > 0) continue;
    await write(`${lines.join('\n')}\n`);
    lines = [];
    onProgress?.(count);
    // Signals get through between batches only.
    await setImmediate();
    if (signal?.aborted) throw new Interrupted('stopped before the end');
  }
  if (lines.length > 0) await write(`${lines.join('\n')}\n`);
  return { jobs: count, spanS, gpuS };
}
