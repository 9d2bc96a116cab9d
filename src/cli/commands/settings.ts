import type { Command } from 'commander';
import type { Yield } from '../../domain/deviceRules.ts';
import { FieldError } from '../../domain/errors.ts';
import { AGENTS_MAY, type MachineRules, type QuietHours, WHEN_STOPPED } from '../../domain/machineRules.ts';
import type { PauseBy, ThrottleBy } from '../../domain/rungSchemas.ts';
import { PAUSE_RUNGS, THROTTLE_RUNGS } from '../../domain/rungs.ts';
import { formatMib, parseMemoryMib } from '../../domain/units.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { integer, oneOf, YIELD_HELP, YIELDS } from '../flags.ts';
import { renderPairs } from '../table.ts';

interface SettingsFlags {
  readonly diskFloor?: number | null;
  readonly quiet?: QuietHours[];
  readonly quietOff?: true;
  readonly quietExcept?: number;
  readonly quietRunning?: Yield;
  readonly pauseBy?: PauseBy;
  readonly throttleBy?: ThrottleBy;
  readonly whenStopped?: MachineRules['whenStopped'];
  readonly secretNames?: string[];
  readonly keepSecrets?: number;
  readonly keepSnapshots?: number;
  readonly logCap?: number | null;
  readonly logsTotal?: number | null;
  readonly capOutput?: string;
  readonly agents?: MachineRules['agents'];
  readonly traces?: string;
  readonly json?: true;
  readonly data?: string;
}

const SETTINGS_HELP = `
Quiet hours are DAYS FROM-TO by the clock on the wall: "22:00-07:00" every day, "mon-fri 09:00-18:00",
"sat,sun 00:00-23:59". Given again, they are added to each other; all that were there before are replaced.

Examples:
  stint settings --quiet 22:00-07:00 --quiet-except 100 --quiet-running throttle
  stint settings --disk-floor 20GiB
  stint settings --secret-names "MY_LICENCE,LDAP_*,*_PIN"`;

/** The command for what the owner wants of the machine as a whole. */
export function registerSettings(program: Command, context: Context): void {
  clientCommand(program, 'settings', 'Shows or changes what you want of the machine as a whole.')
    .option(
      '--disk-floor <SIZE>',
      'start nothing while less is free where jobs write: 20GiB, 0 for never, or auto',
      diskFloor,
    )
    .option('--quiet <HOURS>', 'quiet hours; may be given often', quietHours)
    .option('--quiet-off', 'no quiet hours')
    .option(
      '--quiet-except <P>',
      'with --quiet: jobs of this priority and above start all the same',
      integer('--quiet-except', -1000, 1000),
    )
    .option(
      '--quiet-running <WHAT>',
      `with --quiet: what jobs that run do: ${YIELD_HELP} (default: off)`,
      oneOf('--quiet-running', YIELDS),
    )
    .option(
      '--pause-by <RUNG>',
      `how \`stint pause\` pauses where you do not say: auto, ${PAUSE_RUNGS.join(', ')} (default: signals)`,
      oneOf('--pause-by', ['auto', ...PAUSE_RUNGS]),
    )
    .option(
      '--throttle-by <RUNG>',
      `how \`stint throttle\` does it: auto, ${THROTTLE_RUNGS.join(', ')} (default: duty-cycle)`,
      oneOf('--throttle-by', ['auto', ...THROTTLE_RUNGS]),
    )
    .option(
      '--when-stopped <WHAT>',
      "while no Stint runs: undo throttles and rules' pauses (default), or keep them where that needs no engine",
      oneOf('--when-stopped', WHEN_STOPPED),
    )
    .option(
      '--secret-names <LIST>',
      'variables and options whose values are secrets, beside those with TOKEN, PASSWORD, KEY and the like;\n* at an end stands for anything; none takes all back',
      secretNames,
    )
    .option(
      '--keep-secrets <DAYS>',
      'how long after its end a job can be tried again with its secrets (default: 30)',
      integer('--keep-secrets', 0, 3650),
    )
    .option(
      '--keep-snapshots <DAYS>',
      'how long after its end a job can be tried again in the copy that --snapshot made (default: 30)',
      integer('--keep-snapshots', 0, 3650),
    )
    .option(
      '--log-cap <SIZE>',
      'how much of the disk the log of an attempt may take: its beginning and its latest part stay (default: 1GiB; none)',
      sizeOrNone('--log-cap'),
    )
    .option(
      '--logs-total <SIZE>',
      'how much all logs may take: those of jobs that ended first are removed (default: none)',
      sizeOrNone('--logs-total'),
    )
    .option(
      '--cap-output <WHAT>',
      'whether both also hold for logs that lie where --output says: yes or no (default)',
      oneOf('--cap-output', ['yes', 'no']),
    )
    .option(
      '--agents <WHAT>',
      'what agents over `stint mcp` may do: look (default), or act, which is to run programs as you',
      oneOf('--agents', AGENTS_MAY),
    )
    .option(
      '--traces <URL>',
      'send the life of each job that is over to this collector of OpenTelemetry, such as http://127.0.0.1:4318;\nnone: nowhere (default)',
    )
    .option('--json', 'print the settings as JSON')
    .addHelpText('after', SETTINGS_HELP)
    .action((flags: SettingsFlags) =>
      withEngine(context, flags, async (client) => {
        const wanted = wantedSettings(flags);
        const rules =
          Object.keys(wanted).length === 0
            ? await client.settings.get()
            : await client.settings.set({ rules: wanted });
        if (flags.json) return context.out(JSON.stringify(rules));
        for (const line of renderPairs(settingPairs(rules))) context.out(line);
      }),
    );
}

function wantedSettings(flags: SettingsFlags): Partial<MachineRules> {
  const { quiet, quietOff, quietExcept, quietRunning } = flags;
  if (quiet === undefined && (quietExcept !== undefined || quietRunning !== undefined)) {
    const flag = quietExcept === undefined ? '--quiet-running' : '--quiet-except';
    throw new FieldError(flag, quietExcept ?? quietRunning, 'say when, such as --quiet 22:00-07:00');
  }
  if (quiet !== undefined && quietOff)
    throw new FieldError('--quiet-off', true, 'give either that or --quiet');
  const hours = quiet?.map((one) => ({
    ...one,
    ...(quietExcept === undefined ? {} : { exceptPriority: quietExcept }),
    ...(quietRunning === undefined ? {} : { running: quietRunning }),
  }));
  return {
    ...(flags.diskFloor === undefined ? {} : { diskFloorMib: flags.diskFloor }),
    ...(hours === undefined ? {} : { quietHours: hours }),
    ...(quietOff ? { quietHours: [] } : {}),
    ...(flags.pauseBy === undefined ? {} : { pauseBy: flags.pauseBy }),
    ...(flags.throttleBy === undefined ? {} : { throttleBy: flags.throttleBy }),
    ...(flags.whenStopped === undefined ? {} : { whenStopped: flags.whenStopped }),
    ...(flags.secretNames === undefined ? {} : { secretNames: flags.secretNames }),
    ...(flags.keepSecrets === undefined ? {} : { secretDays: flags.keepSecrets }),
    ...(flags.keepSnapshots === undefined ? {} : { snapshotDays: flags.keepSnapshots }),
    ...(flags.logCap === undefined ? {} : { logCapMib: flags.logCap }),
    ...(flags.logsTotal === undefined ? {} : { logTotalMib: flags.logsTotal }),
    ...(flags.capOutput === undefined ? {} : { capOutput: flags.capOutput === 'yes' }),
    ...(flags.agents === undefined ? {} : { agents: flags.agents }),
    ...(flags.traces === undefined ? {} : { tracesUrl: flags.traces === 'none' ? null : flags.traces }),
  };
}

function settingPairs({
  diskFloorMib,
  quietHours: hours,
  secretNames: names,
  secretDays,
  ...ways
}: MachineRules): [string, string][] {
  const floor =
    diskFloorMib === null
      ? 'auto: 1 GiB, at most 5 % of it'
      : diskFloorMib === 0
        ? 'none'
        : formatMib(diskFloorMib);
  const quiet = hours.map(({ days, from, to, exceptPriority, running }): [string, string] => [
    'quiet hours',
    `${days.length === 7 ? 'every day' : days.join(', ')} ${from}–${to}` +
      `${exceptPriority === null ? '' : `, except priority ${exceptPriority} and above`}` +
      `${running === 'off' ? '' : `; running jobs ${running}`}`,
  ]);
  return [
    ['disk floor', floor],
    ...(quiet.length === 0 ? [['quiet hours', 'none'] as [string, string]] : quiet),
    ['pause by', ways.pauseBy],
    ['throttle by', ways.throttleBy],
    ['when stopped', `${ways.whenStopped} what slows jobs down, and what rules and policies paused`],
    ['secrets', `TOKEN, PASSWORD, KEY and the like${names.map((name) => `, ${name}`).join('')}`],
    ['kept', `${secretDays} days after a job has ended`],
    ['snapshots', `${ways.snapshotDays} days after a job has ended`],
    [
      'log cap',
      `${sizeText(ways.logCapMib)} each, ${sizeText(ways.logTotalMib)} together${ways.capOutput ? ', --output too' : ''}`,
    ],
    ['agents', ways.agents === 'act' ? 'may look and act' : 'may look'],
    ['traces', ways.tracesUrl === null ? 'sent nowhere' : `sent to ${ways.tracesUrl}`],
  ];
}

const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** `22:00-07:00`, `mon-fri 09:00-18:00`, `sat,sun 00:00-23:59`. */
function quietHours(text: string, before: QuietHours[] = []): QuietHours[] {
  const refused = new FieldError('--quiet', text, 'give hours, such as 22:00-07:00 or "mon-fri 09:00-18:00"');
  const match = /^(?:([a-z,-]+)\s+)?(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})$/.exec(text.trim().toLowerCase());
  if (match === null) throw refused;
  const days = (match[1] ?? 'mon-sun').split(',').flatMap((part) => {
    const [first, last] = part.split('-').map((name) => WEEK.indexOf(name as (typeof WEEK)[number]));
    if (first === undefined || first < 0 || (last !== undefined && last < 0)) throw refused;
    const count = last === undefined ? 1 : ((last - first + 7) % 7) + 1;
    return Array.from({ length: count }, (_, i) => WEEK[(first + i) % 7]!);
  });
  const padded = (clock: string): string => clock.padStart(5, '0');
  return [
    ...before,
    {
      days: WEEK.filter((day) => days.includes(day)),
      from: padded(match[2]!),
      to: padded(match[3]!),
      exceptPriority: null,
      running: 'off',
      throttlePercent: 30,
    },
  ];
}

const diskFloor = (text: string): number | null =>
  text === 'auto' ? null : text === '0' ? 0 : parseMemoryMib(text, '--disk-floor');

const sizeOrNone =
  (flag: string) =>
  (text: string): number | null =>
    text === 'none' ? null : parseMemoryMib(text, flag);

const sizeText = (mib: number | null): string => (mib === null ? 'no cap' : formatMib(mib));

const secretNames = (text: string): string[] =>
  text === 'none'
    ? []
    : text
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');
