import type { Command } from 'commander';
import type { StintClient } from '../../contract/client.ts';
import { formatMetric, type MetricSeries } from '../../domain/metrics.ts';
import { clientCommand } from '../clientCommand.ts';
import type { Context } from '../context.ts';
import { jobId } from '../flags.ts';
import { type Column, renderTable } from '../table.ts';
import { watched } from '../watched.ts';

interface MetricFlags {
  readonly json?: true;
  readonly data?: string;
}

const CURVE_COLUMNS = 24;
const LEVELS = '▁▂▃▄▅▆▇█';

const HELP = `
Losses, accuracies and their like are read from what the job prints: tqdm, epoch i/n, Keras, Lightning, Hugging
Face's Trainer, and lines such as
  STINT_PROGRESS={"step": 30, "total": 100, "loss": 0.42}

Examples:
  stint metrics 12
  stint metrics 12 --json | jq '.series[] | select(.name == "loss") | .values[-1]'`;

export function registerMetrics(program: Command, context: Context): void {
  const command = clientCommand(
    program,
    'metrics',
    'Shows what a job reports of its training: losses and other figures.',
  )
    .argument('<ID>', 'number of the job', jobId)
    .addHelpText('after', HELP);
  watched(command, context, { after: ['event', 'devices'], json: 'all points as JSON' }, show);
}

async function show(context: Context, client: StintClient, id: number, flags: MetricFlags): Promise<void> {
  const metrics = await client.jobs.metrics({ id });
  if (flags.json) return context.out(JSON.stringify(metrics));
  if (metrics.series.length === 0) {
    return context.out(
      'It has reported none. A line such as STINT_PROGRESS={"step": 30, "total": 100, "loss": 0.42} is enough.',
    );
  }
  for (const line of renderTable(COLUMNS, metrics.series, context.width)) context.out(line);
}

const numbers = ({ values }: MetricSeries): number[] => values.filter((value) => value !== null);
const extreme = (pick: (...values: number[]) => number) => (series: MetricSeries) => {
  const known = numbers(series);
  return known.length === 0 ? '' : formatMetric(pick(...known));
};

const COLUMNS: readonly Column<MetricSeries>[] = [
  { title: 'METRIC', least: 12, cell: ({ name }) => name },
  { title: 'LAST', right: true, cell: ({ values }) => formatMetric(values.at(-1) ?? null) },
  { title: 'AT', cell: ({ unit, at }) => `${unit} ${at.at(-1)}` },
  { title: 'LEAST', right: true, expendable: true, cell: extreme(Math.min) },
  { title: 'MOST', right: true, expendable: true, cell: extreme(Math.max) },
  { title: 'CURVE', expendable: true, cell: curve },
];

/** The series in a few columns, from its least to its most; a gap where it was not a number. */
function curve(series: MetricSeries): string {
  const known = numbers(series);
  const { at, values } = series;
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const [from, to] = [at[0] ?? 0, at.at(-1) ?? 0];
  const columns = Math.min(CURVE_COLUMNS, at.length);
  const sums = Array.from({ length: columns }, () => ({ sum: 0, count: 0 }));
  for (const [index, value] of values.entries()) {
    if (value === null) continue;
    const column = to === from ? 0 : Math.floor(((at[index]! - from) / (to - from)) * (columns - 1) + 0.5);
    sums[column]!.sum += value;
    sums[column]!.count += 1;
  }
  return sums
    .map(({ sum, count }) => {
      if (count === 0) return ' ';
      const level = most === least ? 0 : (sum / count - least) / (most - least);
      return LEVELS[Math.min(LEVELS.length - 1, Math.floor(level * LEVELS.length))]!;
    })
    .join('');
}
