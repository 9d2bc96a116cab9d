import type { Command } from 'commander';
import type { ExpectedStart, SpreadMs, StartCalibration } from '../../domain/expectedStart.ts';
import { clientCommand } from '../clientCommand.ts';
import type { Context } from '../context.ts';
import { formatTime } from '../formatTime.ts';
import { type Column, renderTable } from '../table.ts';
import { watched } from '../watched.ts';

interface Flags {
  readonly json?: true;
  readonly data?: string;
}

/** As long as a look ahead of a long queue may take, and the start of the process that does it. */
const WAIT_MS = 10_000;

const HELP = `
Each line: eight in ten futures that were played through start the job between EARLIEST and LATEST. Where nothing stands
the job had not started as far as was looked ahead. Jobs that are held, or not to start yet, are not listed.

Examples:
  stint starts
  stint starts --json | jq '.jobs[] | {jobId, p50: .start.p50Ms}'`;

/** `stint starts`: when what waits will start, and how good such estimates were. */
export function registerStarts(program: Command, context: Context): void {
  const command = clientCommand(
    program,
    'starts',
    'Says when waiting jobs will start, and how often it was right about that.',
  ).addHelpText('after', HELP);
  watched(
    command,
    context,
    { after: ['event', 'decision'], json: 'all of it as JSON' },
    async (to, client, flags: Flags) => {
      const starts = await client.scheduler.expectedStarts({ waitMs: WAIT_MS });
      if (flags.json) return to.out(JSON.stringify(starts));
      const { jobs, policy, samples, calibration, atMs } = starts;
      if (policy === null)
        to.out('Nothing starts by itself now: `stint policy mode` and `stint status` say why.');
      else if (atMs === null) to.out('It is being worked out; ask again in some seconds.');
      else if (jobs.length === 0) to.out('No job waits for its turn.');
      else {
        for (const line of renderTable(COLUMNS, jobs, to.width)) to.out(line);
        to.out(`from ${samples} futures under ${policy}, as of ${formatTime(atMs)}`);
      }
      const tried = calibration.filter(({ estimates }) => estimates > 0);
      if (tried.length === 0) return;
      to.out('');
      for (const line of renderTable(CALIBRATION, tried, to.width)) to.out(line);
    },
  );
}

const moment = (of: (spread: SpreadMs) => number | null) => (job: ExpectedStart) => {
  const atMs = of(job.start);
  return atMs === null ? '' : formatTime(atMs);
};

const COLUMNS: readonly Column<ExpectedStart>[] = [
  { title: 'ID', right: true, cell: ({ jobId }) => String(jobId) },
  { title: 'EARLIEST', cell: moment(({ p10Ms }) => p10Ms) },
  { title: 'EXPECTED', cell: moment(({ p50Ms }) => p50Ms) },
  { title: 'LATEST', cell: moment(({ p90Ms }) => p90Ms) },
  { title: 'ENDS', cell: ({ end }) => (end.p50Ms === null ? '' : formatTime(end.p50Ms)), expendable: true },
  { title: 'ON', least: 9, cell: ({ deviceIds }) => deviceIds.join(',') },
];

const CALIBRATION: readonly Column<StartCalibration>[] = [
  { title: 'LOOKED AHEAD', cell: ({ horizon }) => horizon },
  { title: 'ESTIMATES', right: true, cell: ({ estimates }) => String(estimates) },
  {
    title: 'HELD',
    right: true,
    cell: ({ within }) => (within === null ? '' : `${Math.round(100 * within)} % (80 % would be right)`),
  },
];
