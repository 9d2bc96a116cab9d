import { resolve } from 'node:path';
import type { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import { formatDuration } from '../../domain/units.ts';
import type { Replay } from '../../lab/main.ts';
import { CliError, STATUS } from '../cliError.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { integer } from '../flags.ts';
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
import { ProgressBar } from '../progressBar.ts';
import { SHIPPED_WEIGHTS } from '../shippedWeights.ts';
import { type Column, printable, renderTable } from '../table.ts';

interface Flags extends PeriodFlags {
  readonly policy?: string;
  readonly gpus?: number;
  readonly seed: number;
  readonly html?: string;
  readonly json?: true;
  readonly data?: string;
}

type Client = Parameters<Parameters<typeof withEngine>[2]>[0];
type Lab = typeof import('../../lab/main.ts');

const HELP = `${PERIOD_HELP}

The first row is what happened. The others are what would have, as far as a replay can tell; what it cannot is said below
the table. First it replays what was really done: how far that is from what happened is how far the rest can be
trusted. More in docs/replay.md.

Examples:
  stint replay --from 7d
  stint replay --from 2026-11-16 --to 2026-11-22 --policy first-fit,tiresias,srtf --html week.html
  stint replay --from 30d --gpus 4 --json                       what two GPUs more would have done`;

export function registerReplay(program: Command, context: Context): void {
  withPeriod(
    clientCommand(
      program,
      'replay',
      'Replays the jobs of the record under other policies, on simulated GPUs.',
    ),
  )
    .option('--policy <NAMES>', 'which, with commas between them (default: all heuristics, and srtf)')
    .option('--gpus <N>', "on so many GPUs (default: as many as this machine's)", integer('--gpus', 1, 64))
    .option('--seed <S>', 'seed of what is left to chance', integer('--seed', 0, 2 ** 32 - 1), 1)
    .option('--html <FILE>', 'write a report: what happened beside the best replay')
    .option('--json', 'print all results as one JSON object')
    .addHelpText('after', HELP)
    .action((flags: Flags) => withEngine(context, flags, (client) => run(context, client, flags)));
}

async function run(context: Context, client: Client, flags: Flags): Promise<void> {
  if (flags.html === '') throw new FieldError('--html', flags.html, 'give a file');
  const period = periodOf(context, flags);
  const when = describePeriod(period, flags);
  const lab = await import('../../lab/main.ts');
  const history = await pastJobs(client, period);
  const arrived = arrivedWithin(period);
  if (!history.some(arrived)) throw await emptyPeriod(client, when);
  const bar = new ProgressBar({
    what: 'replaying',
    lines: false,
    nowMs: () => context.nowMs(),
    stream: process.stderr,
  });
  const devices = await client.devices.list();
  const replay = await lab
    .replay({
      history,
      arrived,
      notOver: await notOver(client, period),
      devices: devices.filter(({ health }) => health !== 'gone'),
      policies: flags.policy?.split(',').map((name) => name.trim()) ?? lab.DEFAULT_CONTESTANTS,
      weightsPath: SHIPPED_WEIGHTS,
      seed: flags.seed,
      onProgress: (progress) => bar.update(progress),
      ...(flags.gpus === undefined ? {} : { gpus: flags.gpus }),
    })
    .finally(() => bar.end());
  if (replay === null) {
    const problem = `none of the jobs that arrived ${when} ran on a GPU`;
    throw new CliError(STATUS.failed, problem, 'there is nothing to replay');
  }
  if (flags.html !== undefined) {
    lab.writeWhole('--html', resolve(context.callerDir, flags.html), [lab.replayReport(replay, when)]);
  }
  if (flags.json) return context.out(JSON.stringify(asJson(replay, period)));
  for (const line of paragraphs(replay, lab, when, context.width)) context.out(line);
}

const asJson = (
  { jobs, rejected, gpus, inCharge, trust, happened, runs, limits }: Replay,
  period: object,
) => ({
  ...period,
  jobs: jobs.length,
  rejected,
  gpus,
  inCharge,
  trust,
  rows: [happened.row, ...runs.map(({ row }) => row)],
  limits,
});

function paragraphs(replay: Replay, lab: Lab, when: string, width: number): string[] {
  const { jobs, gpus, limits } = replay;
  const best = lab.bestOf(replay)?.row;
  const headline =
    best &&
    `under ${best.policy}: mean JCT ${lab.signed(best.mean_jct_change)}, p99 ${lab.signed(best.p99_jct_change)}`;
  return [
    `${countOf(jobs.length, 'job')} that arrived ${when}, on ${countOf(gpus, 'GPU')}`,
    '',
    ...table(replay, lab, width),
    '',
    ...(headline ? [headline] : []),
    trustSentence(replay, lab),
    '',
    'What a replay cannot know, and what this one assumes:',
    ...limits.map((limit) => `- ${limit}`),
  ];
}

/** The policies that know durations stand apart, below the others. */
function table(replay: Replay, lab: Lab, width: number): string[] {
  const columns = lab.REPLAY_TITLES.map((title, i): Column<readonly string[]> => {
    const column = { title, cell: (cells: readonly string[]) => cells[i]! };
    if (i === 0) return column;
    return { ...column, right: true, ...(i > 2 ? { expendable: true as const } : {}) };
  });
  const { open, clairvoyant } = lab.replayRows(replay);
  const [head, ...lines] = renderTable(columns, [...open, ...clairvoyant].map(lab.replayCells), width);
  const apart = clairvoyant.length > 0 ? ['', 'knowing true durations, which nobody does:'] : [];
  return [head!, ...lines.slice(0, open.length), ...apart, ...lines.slice(open.length)];
}

function trustSentence({ trust, inCharge }: Replay, lab: Lab): string {
  if (trust === null)
    return 'This machine could run none of these jobs, so that what was done cannot be replayed.';
  const who = Object.entries(inCharge)
    .map(([policy, count]) => `${policy} (${countOf(count, 'job')})`)
    .join(', ');
  const off = `mean JCT ${lab.signed(trust.mean_jct_change)}, p99 ${lab.signed(trust.p99_jct_change)} from what happened`;
  const starts = `half of the jobs start within ${formatDuration(1000 * trust.median_start_error_s)} of when they did`;
  const what =
    trust.policy in inCharge
      ? `the replay of ${trust.policy}`
      : 'which cannot be asked again; the replay of the recorded order of starts';
  return printable(`in charge was ${who}; ${what}: ${off}, ${starts}`);
}
