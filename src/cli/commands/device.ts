import type { Command } from 'commander';
import type { StintClient } from '../../contract/client.ts';
import type { Device, ForeignProcess } from '../../domain/device.ts';
import type { DeviceRules, Yield } from '../../domain/deviceRules.ts';
import { formatDuration, formatMib } from '../../domain/units.ts';
import { xidText } from '../../domain/xid.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { deviceAt } from '../deviceAt.ts';
import { integer, number, oneOf, YIELD_HELP, YIELDS } from '../flags.ts';
import { formatTime } from '../formatTime.ts';
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
  readonly reopen?: true;
  readonly watch?: true;
  readonly json?: true;
  readonly data?: string;
}

const DEVICE_HELP = `
Without options it shows the GPU: who is on it, what its owner wants of it, and what follows now.

Examples:
  stint device 0 --foreign avoid          start nothing beside others' processes
  stint device 1 --ignore 4242            do not mind that process (--mind takes it back)
  stint device 0 --presence pause         jobs stand still while you sit at the desk or run something on it
  stint device 0 --max-temp 85            start nothing above, and pause what runs if it stays there`;

/** The command for what the owner wants of one GPU. */
export function registerDevice(program: Command, context: Context): void {
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
    .option('--idle <MIN>', 'minutes without input after which you have left (default: 10)', number('--idle'))
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
    .option('--reopen', 'start jobs on it again after a fault closed it: it was reset, or is to be tried')
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
  if (flags.reopen) after = await client.devices.reopen({ id });
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

const capOf =
  (flag: string) =>
  (text: string): number | null =>
    text === 'off' ? null : number(flag)(text);
