import { resolve } from 'node:path';
import type { Command } from 'commander';
import { formatMib } from '../../domain/units.ts';
import { type Context, homeOf } from '../context.ts';
import { formatTime } from '../formatTime.ts';

interface Flags {
  readonly data?: string;
  readonly checkpoints: boolean;
  readonly json?: true;
}

const DATA = "data directory (default: $STINT_HOME, else the platform's)";

const BACKUP_HELP = `
Everything: jobs and what happened to them, output, decisions, what was learned, settings, tokens (as digests), rules of notify
with their secrets, secrets and checkpoints of jobs. So keep it as you keep a password. An engine may run meanwhile. The file is
read again to its end before it gets its name.`;

const RESTORE_HELP = `
Into a data directory that is not there yet, or empty. A backup of an older Stint is brought up to date by the next start; one of a
newer is refused. Jobs that ran then, elsewhere or before the machine was started anew, count as lost.`;

export function registerBackup(program: Command, context: Context): void {
  program
    .command('backup')
    .description('Writes everything in the data directory into one file, and verifies that. Needs no engine.')
    .argument('<FILE>', 'where to; must not be there yet')
    .option('--no-checkpoints', 'leave out what restartable jobs go on from, which may be large')
    .option('--json', 'print what was written as JSON')
    .option('--data <DIR>', DATA)
    .addHelpText('after', BACKUP_HELP)
    .action(async (given: string, flags: Flags) => {
      const { writeBackup } = await import('../../headless/main.ts');
      const file = resolve(context.callerDir, given);
      const { jobs, files, bytes } = await writeBackup(homeOf(context, flags.data), file, flags);
      if (flags.json) return context.out(JSON.stringify({ file, jobs, files, bytes }));
      const size = bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KiB` : formatMib(bytes / 2 ** 20);
      context.out(`wrote ${file}: ${jobs} jobs, ${files} files, ${size}, verified`);
    });

  program
    .command('restore')
    .description('Makes a data directory of a backup. Needs no engine.')
    .argument('<FILE>', 'as `stint backup` wrote it')
    .option('--json', 'print what was restored as JSON')
    .option('--data <DIR>', DATA)
    .addHelpText('after', RESTORE_HELP)
    .action(async (given: string, flags: Flags) => {
      const { restoreBackup } = await import('../../headless/main.ts');
      const home = homeOf(context, flags.data);
      const { jobs, version, createdAtMs } = await restoreBackup(resolve(context.callerDir, given), home);
      if (flags.json) return context.out(JSON.stringify({ home, jobs, version, createdAtMs }));
      context.out(`restored ${jobs} jobs into ${home}, as of ${formatTime(createdAtMs)} (Stint ${version})`);
    });
}
