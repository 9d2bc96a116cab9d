import { resolve } from 'node:path';
import type { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import { formatDuration } from '../../domain/units.ts';
import { CliError, STATUS } from '../cliError.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import {
  arrivedWithin,
  countOf,
  describePeriod,
  emptyPeriod,
  notOver,
  PERIOD_HELP,
  type PeriodFlags,
  pastJobs,
  periodOf,
  withPeriod,
} from '../period.ts';

interface Flags extends PeriodFlags {
  readonly out: string;
  readonly json?: true;
  readonly data?: string;
}

const HELP = `${PERIOD_HELP}

The file has a row for each job that is over and ran on a GPU: submit_s counts from the first of them, and from the
release of a job that was held; duration_s is the time that it ran, without pauses; vram_mib is what was declared, else
the most that was seen while it had its GPUs to itself. Whatever is left out is counted on stderr. A file that is there
is replaced. With --json it is everything that the record has of every job that is over. More in docs/replay.md.

Examples:
  stint export --from 7d -o week.csv && stint simulate week.csv --gpus 2 --plain
  stint export --from 2026-11-16 --to 2026-11-22 -o - | gzip > week.csv.gz`;

export function registerExport(program: Command, context: Context): void {
  withPeriod(
    clientCommand(program, 'export', 'Writes the jobs of the record as a trace, for the lab and for others.'),
  )
    .option('-o, --out <FILE>', 'where to write it; - for stdout', '-')
    .option('--json', 'write a JSON array of all that is recorded, and not a trace')
    .addHelpText('after', HELP)
    .action((flags: Flags) => withEngine(context, flags, (client) => exportHistory(context, client, flags)));
}

type Client = Parameters<Parameters<typeof withEngine>[2]>[0];

async function exportHistory(context: Context, client: Client, flags: Flags): Promise<void> {
  if (flags.out === '') throw new FieldError('-o', flags.out, 'give a file, or - for stdout');
  const period = periodOf(context, flags);
  const when = describePeriod(period, flags);
  const history = (await pastJobs(client, period)).filter(arrivedWithin(period));
  if (history.length === 0) throw await emptyPeriod(client, when);
  const lab = await import('../../lab/main.ts');
  const write = (pieces: Iterable<string>): void => {
    if (flags.out === '-') for (const piece of pieces) context.write(piece);
    else lab.writeWhole('-o', resolve(context.callerDir, flags.out), pieces);
  };
  const to = flags.out === '-' ? 'stdout' : flags.out;
  if (flags.json) {
    history.sort((a, b) => a.readyAtMs - b.readyAtMs || a.id - b.id);
    write([`${JSON.stringify(history)}\n`]);
    return context.err(`wrote ${countOf(history.length, 'job')} to ${to}`);
  }
  const trace = lab.traceOfHistory(history);
  const left = leftOut(trace, await notOver(client, period));
  if (trace.jobs.length === 0) {
    const problem = `none of the ${countOf(history.length, 'job')} that arrived ${when} ran on a GPU`;
    throw new CliError(STATUS.failed, problem, 'a trace is of jobs that did; --json has the others');
  }
  write(lab.traceText(trace.jobs));
  if (left !== null) context.err(left);
  const spanS = trace.jobs.at(-1)!.submitS;
  const span = formatDuration(1000 * spanS);
  context.err(`wrote ${countOf(trace.jobs.length, 'job')} to ${to}: ${span} of arrivals`);
}

function leftOut(
  trace: { readonly cpuOnly: number; readonly neverRan: number },
  open: number,
): string | null {
  const parts = [
    [trace.cpuOnly, 'ran without a GPU'],
    [trace.neverRan, 'never ran'],
    [open, open === 1 ? 'is not over' : 'are not over'],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  const total = trace.cpuOnly + trace.neverRan + open;
  if (total === 0) return null;
  return `${countOf(total, 'job was', 'jobs were')} left out: ${told.join(', ')}`;
}
