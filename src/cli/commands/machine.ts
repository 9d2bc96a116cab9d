import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { StintClient } from '../../contract/client.ts';
import type { Overview, SchedulerStatus } from '../../contract/messages.ts';
import { FieldError } from '../../domain/errors.ts';
import { formatDuration, formatMib } from '../../domain/units.ts';
import { CliError, STATUS } from '../cliError.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { DEVICE_COLUMNS } from '../deviceColumns.ts';
import { formatTime } from '../formatTime.ts';
import { pastDevices } from '../pastDevices.ts';
import { renderPairs, renderTable } from '../table.ts';
import { watched } from '../watched.ts';

interface Flags {
  readonly json?: true;
  readonly data?: string;
}

interface DevicesFlags extends Flags {
  readonly watch?: true;
  readonly from?: string;
}

const DEVICES_HELP = `
With --from and --json: what was measured (\`readings\`) and which jobs were there (\`allocations\`), a JSON object.

Examples:
  stint devices --watch
  stint devices --from 1h`;

export function registerMachine(program: Command, context: Context): void {
  const devices = clientCommand(
    program,
    'devices',
    'Lists the GPUs, how busy they are, and whose jobs are on them.',
  )
    .option('--from <T>', 'how busy they have been since then, and with whose jobs, such as 1h')
    .addHelpText('after', DEVICES_HELP);
  watched(
    devices,
    context,
    { after: ['devices'], json: 'the devices as a JSON array' },
    (to, client, flags: DevicesFlags) => {
      if (flags.from === undefined) return nowDevices(to, client, flags);
      if (flags.watch) throw new FieldError('--from', flags.from, 'give it without --watch');
      return pastDevices(to, client, flags.from, flags);
    },
  );

  watched(
    clientCommand(
      program,
      'status',
      'Says how the engine is: where it runs, who decides, how many jobs there are.',
    ),
    context,
    { after: ['event', 'scheduler', 'devices'], json: 'it as JSON' },
    status,
  );

  clientCommand(program, 'console', "Prints the address of the console's page.")
    .addHelpText('after', '\nThe address carries a token: whoever has it may do everything.')
    .action((flags: Flags) =>
      withEngine(context, flags, async (client, home) => {
        if (home === null) {
          throw new CliError(
            STATUS.failed,
            'the token of that page is known there alone',
            'ask for it there',
          );
        }
        const { pid } = await client.system.info();
        context.out(consoleUrl(home, pid));
      }),
    );
}

async function nowDevices(context: Context, client: StintClient, flags: Flags): Promise<void> {
  const devices = await client.devices.list();
  if (flags.json) return context.out(JSON.stringify(devices));
  if (devices.length === 0) return context.out('No devices. `stint status` says why.');
  for (const line of renderTable(DEVICE_COLUMNS, devices, context.width)) context.out(line);
}

const LEARNER: Readonly<Record<SchedulerStatus['learner']['state'], string>> = {
  off: 'off',
  waiting: 'waiting for something to learn from',
  starting: 'starting',
  learning: 'learning',
  asleep: 'asleep until there is something new',
  restarting: 'starting again',
};

async function status(context: Context, client: StintClient, flags: Flags): Promise<void> {
  const overview = await client.system.overview();
  const jobs = countJobs(overview);
  const { system, scheduler, devices } = overview;
  if (flags.json) return context.out(JSON.stringify({ system, scheduler, devices, jobs }));
  const { learner } = scheduler;
  const { drainedSinceMs } = scheduler;
  const drained: [string, string][] =
    drainedSinceMs === null
      ? []
      : [['drained', `since ${formatTime(drainedSinceMs)}: nothing is started until \`stint drain --off\``]];
  const counts = Object.entries(jobs).map(([name, count]) => `${count} ${name}`);
  const pairs: readonly (readonly [string, string])[] = [
    [
      'engine',
      `Stint ${system.version}, process ${system.pid}, up ${formatDuration(overview.nowMs - system.startedAtMs)}`,
    ],
    ['data', system.home],
    [
      'machine',
      `${system.hostname}: ${system.cpu}, ${system.cpuCores} cores, ${formatMib(system.memoryMib)}`,
    ],
    ['devices', `${devices.length} (${system.probe})${system.probeNote ? `; ${system.probeNote}` : ''}`],
    ['jobs', counts.join(', ') || 'none'],
    ...drained,
    ['policy', `${scheduler.policy} ${scheduler.policyVersion}, beside it ${scheduler.heuristic}`],
    [
      'decisions',
      `${scheduler.decisions}, of them ${scheduler.fallbacks} by ${scheduler.heuristic} after a failure`,
    ],
    [
      'learner',
      `${LEARNER[learner.state]}, ${learner.trainSteps} steps${learner.trouble ? `; ${learner.trouble}` : ''}`,
    ],
  ];
  for (const line of renderPairs(pairs)) context.out(line);
}

/** How many jobs have each status, of those that the overview carries: all that are not over, and recent ones. */
function countJobs(overview: Overview): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of overview.jobs) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** The headless host leaves the address in the data directory, where only its owner can read it. */
function consoleUrl(home: string, enginePid: number): string {
  try {
    const { url, pid } = JSON.parse(readFileSync(join(home, 'console.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    // One that an engine left when it was killed leads nowhere.
    if (typeof url === 'string' && pid === enginePid) return url;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  throw new CliError(STATUS.failed, 'this engine serves no page', 'it runs in the desktop window; open that');
}
