import type { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import { USAGE_BY, type Usage } from '../../domain/usage.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { PERIOD_HELP, type PeriodFlags, periodOf } from '../period.ts';
import { type Column, renderTable } from '../table.ts';

interface Flags extends PeriodFlags {
  readonly by: string;
  readonly json?: true;
  readonly data?: string;
}

const HELP = `${PERIOD_HELP}

Energy is what GPUs drew while jobs had them, as far as their power was measured; see docs/devices.md.

Examples:
  stint usage --from 30d
  stint usage --by project --json`;

/** `stint usage`: who took how much of the machine. */
export function registerUsage(program: Command, context: Context): void {
  clientCommand(program, 'usage', 'Adds up GPU-hours and energy by user or project.')
    .option('--by <WHAT>', `add up by ${USAGE_BY.join(' or ')}`, 'user')
    .option('--from <T>', 'jobs that ended from this moment on, such as 30d (default: the first)')
    .option('--to <T>', 'and before this one; a day counts whole (default: now, with those that run)')
    .option('--json', 'print it as JSON')
    .addHelpText('after', HELP)
    .action((flags: Flags) => {
      const by = USAGE_BY.find((one) => one === flags.by);
      if (by === undefined) throw new FieldError('--by', flags.by, `choose from ${USAGE_BY.join(', ')}`);
      const { fromMs, toMs } = periodOf(context, flags);
      return withEngine(context, flags, async (client) => {
        const until = flags.to === undefined ? {} : { toMs };
        const rows = await client.history.usage({ by, fromMs, ...until });
        if (flags.json) return context.out(JSON.stringify(rows));
        if (rows.length === 0) return context.out('No job took anything in that time.');
        for (const line of renderTable(columnsOf(by), rows, context.width)) context.out(line);
      });
    });
}

const columnsOf = (by: string): readonly Column<Usage>[] => [
  { title: by.toUpperCase(), least: 8, cell: ({ name }) => name },
  { title: 'JOBS', right: true, cell: ({ jobs }) => String(jobs) },
  { title: 'GPU HOURS', right: true, cell: ({ gpuHours }) => gpuHours.toFixed(2) },
  {
    title: 'ENERGY',
    right: true,
    cell: ({ energyKwh }) => (energyKwh === null ? '' : `${energyKwh.toFixed(3)} kWh`),
  },
  {
    title: 'MEASURED',
    right: true,
    expendable: true,
    cell: ({ gpuHours, measuredGpuHours }) =>
      gpuHours === 0 ? '' : `${Math.round(100 * Math.min(1, measuredGpuHours / gpuHours))} %`,
  },
];
