import { resolve } from 'node:path';
import type { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import { formatDuration } from '../../domain/units.ts';
import type { PlainRow, SimulationRow } from '../../lab/main.ts';
import { CliError, STATUS } from '../cliError.ts';
import type { Context } from '../context.ts';
import { integer } from '../flags.ts';
import { interruptible } from '../interruptible.ts';
import { ProgressBar } from '../progressBar.ts';
import { SHIPPED_WEIGHTS } from '../shippedWeights.ts';
import { type Column, renderTable } from '../table.ts';
import { asUsage } from '../traceUsage.ts';

interface Flags {
  readonly gpus: number;
  readonly vramMib?: number;
  readonly policy: string;
  readonly plain?: true;
  readonly regime?: string;
  readonly gpuType?: string;
  readonly share?: boolean;
  readonly stretch: number;
  readonly limit?: number;
  readonly seed?: number;
  readonly jobs?: string;
  readonly json?: true;
}

const POLICIES = 'fifo,first-fit,sjf,srtf,srsf,las';
const MOST_STRETCH = 10_000;
const SEED = 1;

const HELP = `
A trace is CSV with the columns job_id, submit_s, duration_s, gpus and, where known, vram_mib, gpu_util, priority,
user, name, estimate_s, sorted by submit_s. Jobs larger than the machine are counted as rejected and left out.

Without --plain: the virtual machine, with the decision core that runs live, up to 64 GPUs, in a regime: lab (exclusive
GPUs, free preemption, nothing known of durations), hints (the same with predictions), workstation (memory, sharing,
checkpoints, crashes, the owner at the screen). Policies: whatever \`stint evaluate\` compares, dqn, and those below.
With --plain: identical GPUs, a job has all of its GPUs to itself or waits, nothing costs time but the jobs themselves;
six policies. sjf, srtf and srsf know true durations, which nobody does: they are bounds to compare with. More in
docs/lab.md.

Examples:
  stint simulate week.csv --gpus 4 --policy first-fit,tiresias,dqn
  stint simulate week.csv --gpus 4 --regime lab --policy las,gittins --json
  stint simulate week.csv --gpus 4 --plain --policy first-fit,las --jobs jobs.csv --json`;

export function registerSimulate(program: Command, context: Context): void {
  program
    .command('simulate')
    .description('Runs the jobs of a trace on N simulated GPUs under several policies. Needs no engine.')
    .argument('<TRACE>', 'CSV file, see below')
    .requiredOption('--gpus <N>', 'how many GPUs', integer('--gpus', 1, 1_000_000))
    .option('--vram-mib <M>', 'memory of each GPU, MiB (default: 24576)', integer('--vram-mib', 1, 1e9))
    .option('--policy <NAMES>', 'which, with commas between them', POLICIES)
    .option('--plain', 'plain mode, see below')
    .option('--regime <NAME>', 'lab, hints or workstation (default: workstation)')
    .option('--gpu-type <T>', 'whose measured interference: v100, p100 or k80 (default: v100)')
    .option('--share', 'let jobs share GPUs (default: as the regime says)')
    .option('--no-share', 'give each job its GPUs to itself')
    .option('--stretch <X>', 'spread the arrivals by this factor', stretch, 1)
    .option('--limit <K>', "only the trace's first K jobs", integer('--limit', 1, Number.MAX_SAFE_INTEGER))
    .option(
      '--seed <S>',
      `of what the regime leaves to chance (default: ${SEED})`,
      integer('--seed', 0, 2 ** 31),
    )
    .option('--jobs <OUT>', 'write what happened to each job to this CSV file')
    .option('--json', 'print the rows as a JSON array')
    .addHelpText('after', HELP)
    .action(async (trace: string, flags: Flags) => {
      const rows = await (flags.plain ? plainRows : machineRows)(trace, flags, context).catch(asUsage);
      // The same under every policy.
      const { jobs = 0, rejected = 0 } = rows[0] ?? {};
      if (rejected > 0) {
        const asked = `they ask for more than ${flags.gpus} GPUs${flags.plain ? '' : ' or more memory than one has'}`;
        context.err(`${rejected} of ${jobs + rejected} jobs were rejected: ${asked} and are in no figure`);
      }
      if (flags.json) context.out(JSON.stringify(rows));
      else for (const line of simulationTable(rows, context.width)) context.out(line);
    });
}

/** What both modes are told. */
function common(trace: string, flags: Flags, context: Context) {
  return {
    path: resolve(context.callerDir, trace),
    file: trace,
    gpus: flags.gpus,
    policies: flags.policy.split(',').map((name) => name.trim()),
    stretch: flags.stretch,
    ...(flags.limit === undefined ? {} : { limit: flags.limit }),
    ...(flags.jobs === undefined ? {} : { jobsFile: resolve(context.callerDir, flags.jobs) }),
  };
}

async function plainRows(trace: string, flags: Flags, context: Context): Promise<PlainRow[]> {
  const given = (
    [
      ['--vram-mib', flags.vramMib],
      ['--regime', flags.regime],
      ['--gpu-type', flags.gpuType],
      ['--share', flags.share],
      ['--seed', flags.seed],
    ] as const
  ).find(([, value]) => value !== undefined);
  if (given !== undefined) {
    throw new CliError(STATUS.badUsage, `${given[0]} means nothing in plain mode`, `leave it or --plain out`);
  }
  const { simulate } = await import('../../lab/main.ts');
  return simulate(common(trace, flags, context));
}

async function machineRows(trace: string, flags: Flags, context: Context): Promise<SimulationRow[]> {
  const { simulateMachine } = await import('../../lab/main.ts');
  const bar = new ProgressBar({
    what: 'simulating',
    lines: false,
    nowMs: context.nowMs,
    stream: process.stderr,
  });
  return interruptible((signal) =>
    simulateMachine({
      ...common(trace, flags, context),
      regime: flags.regime ?? 'workstation',
      gpuType: flags.gpuType ?? 'v100',
      seed: flags.seed ?? SEED,
      weightsPath: SHIPPED_WEIGHTS,
      signal,
      onProgress: (progress) => bar.update(progress),
      ...(flags.vramMib === undefined ? {} : { vramMib: flags.vramMib }),
      ...(flags.share === undefined ? {} : { share: flags.share }),
    }),
  ).finally(() => bar.end());
}

function stretch(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value <= MOST_STRETCH) return value;
  throw new FieldError('--stretch', text, `give a factor above 0, at most ${MOST_STRETCH}`);
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

/** What only happens on the virtual machine. */
const MACHINE_COLUMNS: readonly Column<SimulationRow>[] = [
  ...COLUMNS,
  { title: 'PAUSES', right: true, expendable: true, cell: (row) => String(row.pauses) },
  { title: 'OUT OF MEMORY', right: true, expendable: true, cell: (row) => String(row.oom_deaths) },
  { title: 'CRASHES', right: true, expendable: true, cell: (row) => String(row.failures) },
  { title: 'LOST GPU TIME', right: true, expendable: true, cell: (row) => time(row.lost_gpu_s) },
];

const time = (s: number): string => formatDuration(1000 * s);

/** The policies that know durations stand apart, below the others. */
function simulationTable(rows: readonly PlainRow[] | readonly SimulationRow[], width: number): string[] {
  const others = rows.filter((row) => !row.clairvoyant);
  const clairvoyant = rows.filter((row) => row.clairvoyant);
  const sorted = [...others, ...clairvoyant];
  const [head, ...lines] = sorted.every(isMachineRow)
    ? renderTable(MACHINE_COLUMNS, sorted, width)
    : renderTable(COLUMNS, sorted, width);
  const apart = clairvoyant.length > 0 ? ['', 'knowing true durations:'] : [];
  return [head!, ...lines.slice(0, others.length), ...apart, ...lines.slice(others.length)];
}

const isMachineRow = (row: PlainRow): row is SimulationRow => 'oom_deaths' in row;
