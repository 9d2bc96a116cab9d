import type { Command } from 'commander';
import type { Kept, Space } from '../../domain/keeping.ts';
import { bytesText } from '../../domain/logGap.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { duration } from '../flags.ts';
import { renderPairs } from '../table.ts';

interface CleanupFlags {
  readonly older?: number;
  readonly keepLogs?: true;
  readonly checkpoints?: true;
  readonly yes?: true;
  readonly json?: true;
  readonly data?: string;
}

const OLDER_S = 30 * 86_400;

const HELP = `
Without --yes it says what would go, and removes nothing. Of jobs that ended longer ago than --older go their logs and the
copies that --snapshot made (what they wrote there stays), and with --checkpoints what they would go on from; in any case
what belongs to no job. Jobs stay in the history, with their metrics and
what their code was. A log that lies where --output says stays there.

Examples:
  stint cleanup
  stint cleanup --older 7d --yes
  stint cleanup --older 90d --keep-logs --checkpoints --yes`;

const NAMES: Readonly<Record<Kept, string>> = {
  database: 'database',
  logs: 'logs',
  checkpoints: 'checkpoints',
  snapshots: 'snapshots',
  orphans: 'of no job',
  rest: 'the rest',
};

const COUNTED: Readonly<Partial<Record<Kept, string>>> = {
  logs: 'job',
  checkpoints: 'job',
  snapshots: 'submission',
  orphans: 'folder',
};

/** `1.2 GiB of 12 jobs`. */
function amountText({ what, bytes, count }: Space['parts'][number]): string {
  const noun = COUNTED[what];
  return `${bytesText(bytes)}${noun === undefined ? '' : ` of ${count} ${noun}${count === 1 ? '' : 's'}`}`;
}

/** The commands for what takes space in the data directory. */
export function registerKeeping(program: Command, context: Context): void {
  clientCommand(program, 'df', 'Shows what takes how much space in the data directory.')
    .option('--json', 'print it as JSON')
    .action((flags: { readonly json?: true; readonly data?: string }) =>
      withEngine(context, flags, async (client) => {
        const usage = await client.storage.usage();
        if (flags.json) return context.out(JSON.stringify(usage));
        for (const line of renderPairs(usagePairs(usage))) context.out(line);
      }),
    );

  clientCommand(program, 'cleanup', 'Removes what jobs that ended long ago have left.')
    .option(
      '--older <T>',
      'of jobs that ended longer ago than this, such as 7d (default: 30d)',
      duration('--older'),
    )
    .option('--keep-logs', 'leave logs alone')
    .option('--checkpoints', 'also what restartable jobs go on from')
    .option('--yes', 'do it')
    .option('--json', 'print what goes as JSON')
    .addHelpText('after', HELP)
    .action((flags: CleanupFlags) =>
      withEngine(context, flags, async (client) => {
        const cleaned = await client.storage.clean({
          endedBeforeMs: context.nowMs() - (flags.older ?? OLDER_S) * 1000,
          logs: flags.keepLogs !== true,
          checkpoints: flags.checkpoints === true,
          dryRun: flags.yes !== true,
        });
        if (flags.json) return context.out(JSON.stringify(cleaned));
        const { parts, bytes, dryRun } = cleaned;
        if (parts.length === 0) return context.out('There is nothing to remove.');
        const pairs = parts.map((part): [string, string] => [NAMES[part.what], amountText(part)]);
        for (const line of renderPairs(pairs)) context.out(line);
        context.out(`${bytesText(bytes)} ${dryRun ? 'would be freed; --yes does it' : 'freed'}`);
      }),
    );
}

function usagePairs({
  parts,
  largest,
  freeBytes,
  totalBytes,
  floorBytes,
  capWorks,
}: Space): [string, string][] {
  return [
    ...parts
      .filter(({ count }) => count > 0)
      .map((part): [string, string] => [NAMES[part.what], amountText(part)]),
    [
      'free',
      `${bytesText(freeBytes)} of ${bytesText(totalBytes)}; nothing starts below ${bytesText(floorBytes)}`,
    ],
    ...(capWorks === false
      ? [['log cap', 'has no effect: this file system cannot give back a part of a file'] as [string, string]]
      : []),
    ...largest
      .filter(({ bytes }) => bytes > 0)
      .map(({ jobId, name, bytes }): [string, string] => [`job ${jobId}`, `${bytesText(bytes)}  ${name}`]),
  ];
}
