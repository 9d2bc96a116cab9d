import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { StintClient } from '../../contract/client.ts';
import { parseBegin } from '../../domain/begin.ts';
import type { Device, ForeignProcess } from '../../domain/device.ts';
import type { DeviceRules, Reservation, Yield } from '../../domain/deviceRules.ts';
import { FieldError } from '../../domain/errors.ts';
import { AGENTS_MAY, type MachineRules, type QuietHours, WHEN_STOPPED } from '../../domain/machineRules.ts';
import { PAUSE_RUNGS, type PauseBy, THROTTLE_RUNGS, type ThrottleBy } from '../../domain/rungs.ts';
import { formatDuration, formatMib, parseMemoryMib } from '../../domain/units.ts';
import { xidText } from '../../domain/xid.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { integer, oneOf } from '../flags.ts';
import { formatTime } from '../formatTime.ts';
import { offsetMinAt } from '../period.ts';
import { type Column, renderPairs, renderTable } from '../table.ts';
import { watchDevice } from '../watchDevice.ts';

interface DeviceFlags {
  readonly foreign?: DeviceRules['foreign'];
  readonly ignore?: number;
  readonly mind?: number;
  readonly presence?: Yield;
  readonly idle?: number;
  readonly maxTemp?: number | null;
  readonly maxPower?: number | null;
  readonly overCap?: Yield;
  readonly throttleTo?: number;
  readonly watch?: true;
  readonly json?: true;
  readonly data?: string;
}

interface ReserveFlags {
  readonly device: number;
  readonly from?: string;
  readonly to: string;
  readonly for?: string;
  readonly others?: Yield;
  readonly json?: true;
  readonly data?: string;
}

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
  readonly agents?: MachineRules['agents'];
  readonly json?: true;
  readonly data?: string;
}

const YIELD_HELP = 'off, throttle or pause';
const YIELDS: readonly string[] = ['off', 'throttle', 'pause'];

const DEVICE_HELP = `
Without options it shows the GPU: who is on it, what its owner wants of it, and what follows now.

Examples:
  stint device 0 --foreign avoid          start nothing beside others' processes
  stint device 1 --ignore 4242            do not mind that process (--mind takes it back)
  stint device 0 --presence pause         jobs stand still while you sit at the desk or run something on it
  stint device 0 --max-temp 85            start nothing above, and pause what runs if it stays there`;

const SETTINGS_HELP = `
Quiet hours are DAYS FROM-TO by the clock on the wall: "22:00-07:00" every day, "mon-fri 09:00-18:00",
"sat,sun 00:00-23:59". Given again, they are added to each other; all that were there before are replaced.

Examples:
  stint settings --quiet 22:00-07:00 --quiet-except 100 --quiet-running throttle
  stint settings --disk-floor 20GiB
  stint settings --secret-names "MY_LICENCE,LDAP_*,*_PIN"`;

/** Commands for what the owner wants of devices and machine. */
export function registerOwner(program: Command, context: Context): void {
  clientCommand(
    program,
    'device',
    'Shows one GPU with everybody on it, or changes what its owner wants of it.',
  )
    .argument('<N>', 'number of the GPU, as `stint devices` counts', integer('device', 0, 4095))
    .option(
      '--foreign <RULE>',
      "jobs beside others' processes: share (where they fit) or avoid",
      oneOf('--foreign', ['share', 'avoid']),
    )
    .option('--ignore <PID>', "do not mind that process of somebody else's", integer('--ignore', 1, 2 ** 31))
    .option('--mind <PID>', 'mind it again', integer('--mind', 1, 2 ** 31))
    .option(
      '--presence <WHAT>',
      `what jobs do while you sit at the desk or use it by hand: ${YIELD_HELP}`,
      oneOf('--presence', YIELDS),
    )
    .option(
      '--idle <MIN>',
      'minutes without input after which you have left (default: 10)',
      numeric('--idle'),
    )
    .option('--max-temp <C>', 'start nothing from this temperature on, or off', capOf('--max-temp'))
    .option('--max-power <W>', 'start nothing from this power on, or off', capOf('--max-power'))
    .option(
      '--over-cap <WHAT>',
      `what jobs do once it stays over a cap: ${YIELD_HELP}`,
      oneOf('--over-cap', YIELDS),
    )
    .option(
      '--throttle-to <PERCENT>',
      'speed that throttled jobs keep (default: 30)',
      integer('--throttle-to', 5, 95),
    )
    .option('--watch', 'measure it ten times a second, a line each, until Ctrl+C')
    .option('--json', 'print the device as JSON; with --watch a reading a line')
    .addHelpText('after', DEVICE_HELP)
    .action((index: number, flags: DeviceFlags) =>
      withEngine(context, flags, async (client) => {
        const device = await change(client, await deviceAt(client, index), flags);
        if (flags.watch) return watchDevice(context, client, device, flags.json === true);
        if (flags.json) return context.out(JSON.stringify(device));
        describe(context, device);
      }),
    );

  clientCommand(program, 'reserve', "Keeps a GPU for one user's jobs for some time.")
    .requiredOption('--device <N>', 'number of the GPU', integer('--device', 0, 4095))
    .option('--from <T>', 'when it begins: 14:00, "tomorrow 09:00", +2h (default: now)')
    .requiredOption('--to <T>', 'when it ends')
    .option('--for <USER>', 'whose jobs may run there then (default: you)')
    .option(
      '--others <WHAT>',
      `what others' jobs on it do in that time: ${YIELD_HELP} (default: pause)`,
      oneOf('--others', YIELDS),
    )
    .option('--json', 'print the reservation as JSON')
    .addHelpText('after', '\nJobs that would probably not have ended before are not started there.')
    .action((flags: ReserveFlags) =>
      withEngine(context, flags, async (client) => {
        const nowMs = context.nowMs();
        const moment = (text: string, field: string) => parseBegin(text, field, { nowMs, offsetMinAt });
        const device = await deviceAt(client, flags.device);
        const made = await client.devices.reserve({
          id: device.id,
          fromMs: flags.from === undefined ? nowMs : moment(flags.from, '--from'),
          toMs: moment(flags.to, '--to'),
          user: flags.for ?? userInfo().username,
          ...(flags.others === undefined ? {} : { others: flags.others }),
        });
        if (flags.json) return context.out(JSON.stringify(made));
        context.out(
          `reservation ${made.id}: GPU ${device.index} is ${made.user}'s from ${formatTime(made.fromMs)} to ${formatTime(made.toMs)}`,
        );
      }),
    );

  clientCommand(program, 'reservations', 'Lists for whom GPUs are kept, and when.')
    .option('--json', 'print them as a JSON array')
    .action((flags: { readonly json?: true; readonly data?: string }) =>
      withEngine(context, flags, async (client) => {
        const reservations = await client.devices.reservations();
        if (flags.json) return context.out(JSON.stringify(reservations));
        if (reservations.length === 0)
          return context.out('No GPU is reserved. Reserve one with `stint reserve`.');
        const indexOf = new Map((await client.devices.list()).map(({ id, index }) => [id, index]));
        for (const line of renderTable(reservationColumns(indexOf), reservations, context.width))
          context.out(line);
      }),
    );

  clientCommand(program, 'unreserve', 'Removes a reservation.')
    .argument('<ID>', 'its number, as `stint reservations` shows it', integer('reservation', 1, 2 ** 31))
    .option('--json', 'print its number as JSON')
    .action((id: number, flags: { readonly json?: true; readonly data?: string }) =>
      withEngine(context, flags, async (client) => {
        const removed = await client.devices.unreserve({ id });
        context.out(flags.json ? JSON.stringify(removed) : `reservation ${id} is removed`);
      }),
    );

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
      '--agents <WHAT>',
      'what agents over `stint mcp` may do: look (default), or act, which is to run programs as you',
      oneOf('--agents', AGENTS_MAY),
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

async function deviceAt(client: StintClient, index: number): Promise<Device> {
  const devices = await client.devices.list();
  const device = devices.find((one) => one.index === index);
  if (device !== undefined) return device;
  const there = devices.map((one) => one.index).join(', ');
  throw new FieldError(
    'device',
    index,
    there === '' ? 'this machine has none' : `choose from ${there}, see \`stint devices\``,
  );
}

async function change(client: StintClient, device: Device, flags: DeviceFlags): Promise<Device> {
  const { id } = device;
  const rules: Partial<DeviceRules> = {
    ...(flags.foreign === undefined ? {} : { foreign: flags.foreign }),
    ...(flags.presence === undefined ? {} : { presence: flags.presence }),
    ...(flags.idle === undefined ? {} : { idleMin: flags.idle }),
    ...(flags.maxTemp === undefined ? {} : { maxTemperatureC: flags.maxTemp }),
    ...(flags.maxPower === undefined ? {} : { maxPowerW: flags.maxPower }),
    ...(flags.overCap === undefined ? {} : { overCap: flags.overCap }),
    ...(flags.throttleTo === undefined ? {} : { throttlePercent: flags.throttleTo }),
  };
  let after = device;
  if (Object.keys(rules).length > 0) after = await client.devices.setRules({ id, rules });
  if (flags.ignore !== undefined) after = await client.devices.ignore({ id, pid: flags.ignore });
  if (flags.mind !== undefined) after = await client.devices.ignore({ id, pid: flags.mind, on: false });
  return after;
}

function describe(context: Context, device: Device): void {
  const { rules, reading, closed, yields, foreign, holders, fault } = device;
  const figure = (value: number | null | undefined, show: (value: number) => string) =>
    value == null ? 'unknown' : show(value);
  const caps = [
    rules.maxTemperatureC === null ? '' : `${rules.maxTemperatureC} °C`,
    rules.maxPowerW === null ? '' : `${rules.maxPowerW} W`,
  ].filter(Boolean);
  const pairs: readonly (readonly [string, string])[] = [
    ['gpu', `${device.index}  ${device.name}, ${formatMib(device.memoryTotalMib)}`],
    ['id', device.id],
    ['state', device.trouble === null ? device.health : `${device.health}: ${device.trouble}`],
    ['fault', fault === undefined ? '' : `${xidText(fault.code)}, ${formatTime(fault.atMs)}`],
    ['memory', `${figure(reading?.memoryUsedMib, formatMib)} used`],
    [
      'now',
      `${figure(reading?.utilisation, (v) => `${Math.round(v * 100)} %`)}, ${figure(reading?.temperatureC, (v) => `${Math.round(v)} °C`)}, ${figure(reading?.powerW, (v) => `${Math.round(v)} W`)}`,
    ],
    ['closed', closed?.reason ?? ''],
    ['jobs now', yields === null ? '' : `${yields.kind}: ${yields.reason}`],
    [
      'others',
      rules.foreign === 'share' ? 'jobs share it with others where they fit' : 'no jobs beside others',
    ],
    [
      'presence',
      rules.presence === 'off'
        ? 'off: jobs go on while you are there'
        : `jobs ${rules.presence} while you are there, until ${rules.idleMin} min without input`,
    ],
    ['caps', caps.length === 0 ? 'none' : `${caps.join(', ')}; over it jobs ${rules.overCap}`],
  ];
  for (const line of renderPairs(pairs.filter(([, value]) => value !== ''))) context.out(line);
  if (holders.length + foreign.length === 0) return;
  context.out('');
  const rows: readonly (Device['holders'][number] | ForeignProcess)[] = [...holders, ...foreign];
  for (const line of renderTable(holderColumns(context.nowMs()), rows, context.width)) context.out(line);
}

const holderColumns = (nowMs: number): readonly Column<Device['holders'][number] | ForeignProcess>[] => [
  {
    title: 'WHO',
    cell: (one) =>
      'reservedMib' in one ? `job ${one.jobId}` : `${one.user ?? 'unknown'}, process ${one.pid}`,
  },
  {
    title: 'MEMORY',
    right: true,
    cell: (one) => {
      const used = 'reservedMib' in one ? one.usedMib : one.memoryMib;
      return used === null ? '?' : formatMib(used);
    },
  },
  {
    title: 'RESERVED',
    right: true,
    cell: (one) => ('reservedMib' in one ? formatMib(one.reservedMib) : ''),
  },
  {
    title: 'AGE',
    right: true,
    cell: (one) =>
      'reservedMib' in one || one.startedAtMs === null ? '' : formatDuration(nowMs - one.startedAtMs),
  },
  {
    title: 'NOTE',
    cell: (one) => {
      if ('reservedMib' in one) return '';
      const idle = one.idleSinceMs === null ? '' : `idle for ${formatDuration(nowMs - one.idleSinceMs)}`;
      const stray = one.jobId === null ? '' : `of job ${one.jobId}, which was not given this GPU`;
      return [one.ignored ? 'ignored' : '', stray, idle].filter(Boolean).join(', ');
    },
  },
  { title: 'COMMAND', least: 12, cell: (one) => ('reservedMib' in one ? '' : (one.command ?? '')) },
];

const reservationColumns = (indexOf: ReadonlyMap<string, number>): readonly Column<Reservation>[] => [
  { title: 'ID', right: true, cell: (one) => String(one.id) },
  { title: 'GPU', right: true, cell: (one) => String(indexOf.get(one.deviceId) ?? one.deviceId) },
  { title: 'FOR', cell: (one) => one.user },
  { title: 'FROM', cell: (one) => formatTime(one.fromMs) },
  { title: 'TO', cell: (one) => formatTime(one.toMs) },
  { title: 'OTHERS', cell: (one) => (one.others === 'off' ? 'go on' : one.others) },
];

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
    ...(flags.agents === undefined ? {} : { agents: flags.agents }),
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
    ['agents', ways.agents === 'act' ? 'may look and act' : 'may look'],
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

const secretNames = (text: string): string[] =>
  text === 'none'
    ? []
    : text
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');

const numeric =
  (flag: string) =>
  (text: string): number => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(value)) throw new FieldError(flag, text, 'give a number');
    return value;
  };

const capOf =
  (flag: string) =>
  (text: string): number | null =>
    text === 'off' ? null : numeric(flag)(text);
