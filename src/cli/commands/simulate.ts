import { resolve } from 'node:path';
import type { Command } from 'commander';
import { FieldError, showValue } from '../../domain/errors.ts';
import { TraceError } from '../../domain/trace.ts';
import { formatDuration } from '../../domain/units.ts';
import type { PlainRow } from '../../lab/main.ts';
import { CliError, STATUS } from '../cliError.ts';
import type { Context } from '../context.ts';
import { integer } from '../flags.ts';
import { type Column, printable, renderTable } from '../table.ts';

interface Flags {
  readonly gpus: number;
  readonly policy: string;
  readonly plain?: true;
  readonly stretch: number;
  readonly limit?: number;
  readonly jobs?: string;
  readonly json?: true;
}

const POLICIES = 'fifo,first-fit,sjf,srtf,srsf,las';
const MOST_STRETCH = 10_000;

const HELP = `
A trace is CSV with the columns job_id, submit_s, duration_s, gpus and, where known, vram_mib, gpu_util, priority,
user, name, estimate_s, sorted by submit_s. Plain mode: identical GPUs, a job has all of its GPUs to itself or waits,
and nothing costs time but the jobs themselves. Jobs that ask for more than N GPUs are counted as rejected and left
out. sjf, srtf and srsf know true durations, which nobody does: they are bounds to compare with. More in docs/lab.md.

Examples:
  stint simulate week.csv --gpus 4 --plain
  stint simulate week.csv --gpus 4 --plain --policy first-fit,las --jobs jobs.csv --json`;

export function registerSimulate(program: Command, context: Context): void {
  program
    .command('simulate')
    .description('Runs the jobs of a trace on N simulated GPUs under several policies. Needs no engine.')
    .argument('<TRACE>', 'CSV file, see below')
    .requiredOption('--gpus <N>', 'how many GPUs', integer('--gpus', 1, 1_000_000))
    .option('--policy <NAMES>', 'which, with commas between them', POLICIES)
    .option('--plain', 'plain mode, see below (the only one so far)')
    .option('--stretch <X>', 'spread the arrivals by this factor', stretch, 1)
    .option('--limit <K>', "only the trace's first K jobs", integer('--limit', 1, Number.MAX_SAFE_INTEGER))
    .option('--jobs <OUT>', 'write what happened to each job to this CSV file')
    .option('--json', 'print the rows as a JSON array')
    .addHelpText('after', HELP)
    .action(async (trace: string, flags: Flags) => {
      if (!flags.plain) {
        const problem = 'simulate: only plain mode exists so far';
        throw new CliError(STATUS.badUsage, problem, 'add --plain');
      }
      const { simulate } = await import('../../lab/main.ts');
      const rows = await simulate({
        path: resolve(context.callerDir, trace),
        file: trace,
        gpus: flags.gpus,
        policies: flags.policy.split(',').map((name) => name.trim()),
        stretch: flags.stretch,
        ...(flags.limit === undefined ? {} : { limit: flags.limit }),
        ...(flags.jobs === undefined ? {} : { jobsFile: resolve(context.callerDir, flags.jobs) }),
      }).catch(asUsage);
      // The same under every policy.
      const { jobs = 0, rejected = 0 } = rows[0] ?? {};
      if (rejected > 0) {
        const all = jobs + rejected;
        context.err(
          `${rejected} of ${all} jobs were rejected: they ask for more than ${flags.gpus} GPUs and are in no figure`,
        );
      }
      if (flags.json) context.out(JSON.stringify(rows));
      else for (const line of simulationTable(rows, context.width)) context.out(line);
    });
}

function stretch(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value <= MOST_STRETCH) return value;
  throw new FieldError('--stretch', text, `give a factor above 0, at most ${MOST_STRETCH}`);
}

/** What is wrong with the trace is the caller's to mend. */
function asUsage(error: unknown): never {
  if (!(error instanceof TraceError)) throw error;
  const place = `${error.file}, line ${error.line}${error.column === null ? '' : `, column ${error.column}`}`;
  const problem = `${place}: ${showValue(error.value)} is not usable`;
  throw new CliError(STATUS.badUsage, printable(problem), printable(`expected ${error.expected}`));
}

const COLUMNS: readonly Column<PlainRow>[] = [
  { title: 'POLICY', cell: (row) => row.policy },
  { title: 'MEAN JCT', right: true, cell: (row) => time(row.mean_jct_s) },
  { title: 'P50', right: true, expendable: true, cell: (row) => time(row.p50_jct_s) },
  { title: 'P95', right: true, expendable: true, cell: (row) => time(row.p95_jct_s) },
  { title: 'P99', right: true, cell: (row) => time(row.p99_jct_s) },
  { title: 'SLOWDOWN', right: true, cell: (row) => row.mean_slowdown.toFixed(2) },
  { title: 'MAX WAIT', right: true, expendable: true, cell: (row) => time(row.max_wait_s) },
  { title: 'USE', right: true, cell: (row) => `${(100 * row.utilisation).toFixed(1)} %` },
  { title: 'PREEMPTED', right: true, expendable: true, cell: (row) => String(row.preemptions) },
  { title: 'MAKESPAN', right: true, expendable: true, cell: (row) => time(row.makespan_s) },
  { title: 'JAIN', right: true, expendable: true, cell: (row) => row.jain.toFixed(3) },
  { title: 'JOBS', right: true, expendable: true, cell: (row) => String(row.jobs) },
  { title: 'REJECTED', right: true, expendable: true, cell: (row) => String(row.rejected) },
];

const time = (s: number): string => formatDuration(1000 * s);

/** The policies that know durations stand apart, below the others. */
function simulationTable(rows: readonly PlainRow[], width: number): string[] {
  const clairvoyant = rows.filter((row) => row.clairvoyant);
  const others = rows.filter((row) => !row.clairvoyant);
  const [head, ...lines] = renderTable(COLUMNS, [...others, ...clairvoyant], width);
  const apart = clairvoyant.length > 0 ? ['', 'knowing true durations:'] : [];
  return [head!, ...lines.slice(0, others.length), ...apart, ...lines.slice(others.length)];
}
