import { resolve } from 'node:path';
import type { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import { formatDuration } from '../../domain/units.ts';
import type { PresetRow } from '../../lab/main.ts';
import { CliError, STATUS } from '../cliError.ts';
import type { Context } from '../context.ts';
import { integer } from '../flags.ts';
import { interruptible } from '../interruptible.ts';
import { ProgressBar } from '../progressBar.ts';
import { type Column, renderTable } from '../table.ts';

interface Flags {
  readonly preset?: string;
  readonly jobs?: number;
  readonly seed: number;
  readonly out?: string;
  readonly gpus?: number;
  readonly load?: number;
  readonly list?: true;
}

const HELP = `
The same options give the same file, to the byte. The load holds on average: where a few jobs are very long, a
generated trace may offer less or more, and the line at the end says how much. What the presets are made of, and from
which sources: docs/workloads.md.

Examples:
  stint generate --list
  stint generate --preset workstation --jobs 500 -o week.csv
  stint generate --preset philly-like --jobs 1000000 --seed 7 --gpus 8 --load 0.95 -o - | gzip > philly.csv.gz`;

export function registerGenerate(program: Command, context: Context): void {
  program
    .command('generate')
    .description('Writes a trace of invented jobs, drawn from a preset. Needs no engine.')
    .option('--preset <NAME>', 'which workload, see --list')
    .option('--jobs <N>', 'how many jobs', integer('--jobs', 1, 1e9))
    .option('--seed <S>', 'seed of all randomness', integer('--seed', 0, 2 ** 32 - 1), 1)
    .option('-o, --out <FILE>', 'where to write it; - for stdout')
    .option(
      '--gpus <N>',
      "GPUs that the load is for (default: the preset's)",
      integer('--gpus', 1, 1_000_000),
    )
    .option('--load <X>', "GPU time asked for / GPU time there is (default: the preset's)", load)
    .option('--list', 'print the presets')
    .addHelpText('after', HELP)
    .action(async ({ list, out, ...flags }: Flags) => {
      const lab = await import('../../lab/main.ts');
      if (list) {
        for (const line of renderTable(COLUMNS, lab.presetRows(), context.width)) context.out(line);
        return;
      }
      const preset = given('--preset NAME', flags.preset);
      const jobs = given('--jobs N', flags.jobs);
      const file = given('-o FILE', out);
      if (file === '') throw new FieldError('-o', file, 'give a file, or - for stdout');
      const path = file === '-' ? null : resolve(context.callerDir, file);
      const bar = new ProgressBar({
        what: 'generating',
        lines: false,
        nowMs: context.nowMs,
        stream: process.stderr,
      });
      const write = (signal?: AbortSignal) =>
        lab.writeWorkload({
          ...flags,
          preset,
          jobs,
          path,
          onProgress: (done) => bar.update({ done, total: jobs, fraction: done / jobs }),
          ...(signal === undefined ? {} : { signal }),
        });
      // What went down a pipe cannot be taken back: there Ctrl+C ends it as it ends anything.
      const written = await (path === null ? write() : interruptible(write))
        .catch(byFlag)
        .finally(() => bar.end());
      context.err(summary(written, file, flags.gpus ?? lab.gpusOf(preset)));
    });
}

function load(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value <= 10) return value;
  throw new FieldError('--load', text, 'give a number above 0, at most 10, such as 0.8');
}

function given<T>(flag: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new CliError(STATUS.badUsage, `generate: ${flag} is missing`, 'see `stint generate --help`');
}

/** Calls what cannot be used by the flag that gave it. */
function byFlag(error: unknown): never {
  if (!(error instanceof FieldError) || error.field.startsWith('-')) throw error;
  throw new FieldError(`--${error.field}`, error.value, error.remedy);
}

function summary(
  { jobs, spanS, gpuS }: { readonly jobs: number; readonly spanS: number; readonly gpuS: number },
  file: string,
  gpus: number,
): string {
  const what = `${jobs} ${jobs === 1 ? 'job' : 'jobs'} to ${file === '-' ? 'stdout' : file}`;
  if (spanS === 0) return `wrote ${what}`;
  const offered = (gpuS / (gpus * spanS)).toFixed(2);
  return `wrote ${what}: ${formatDuration(1000 * spanS)} of arrivals, load ${offered} on ${gpus} ${gpus === 1 ? 'GPU' : 'GPUs'}`;
}

const COLUMNS: readonly Column<PresetRow>[] = [
  { title: 'PRESET', cell: (row) => row.name },
  { title: 'GPUS', right: true, cell: (row) => String(row.gpus) },
  { title: 'LOAD', right: true, cell: (row) => String(row.load) },
  { title: 'WHAT', least: 20, cell: (row) => row.summary },
];
