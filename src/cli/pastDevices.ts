import type { StintClient } from '../contract/client.ts';
import type { Allocation } from '../contract/messages.ts';
import type { Device, Measured } from '../domain/device.ts';
import { FieldError } from '../domain/errors.ts';
import { parseMoment } from '../domain/moment.ts';
import { formatMib } from '../domain/units.ts';
import type { Context } from './context.ts';
import { formatTime } from './formatTime.ts';
import { offsetMinAt } from './period.ts';
import { type Column, renderTable } from './table.ts';

interface Past {
  readonly device: Device;
  readonly readings: readonly Measured[];
}
type Figure = (reading: Measured) => number | null;

/** Prints how busy the devices have been, and which jobs were on them. @throws {FieldError} for a moment to come. */
export async function pastDevices(
  context: Context,
  client: StintClient,
  from: string,
  flags: { readonly json?: true },
): Promise<void> {
  const nowMs = context.nowMs();
  const sinceMs = Math.max(0, parseMoment(from, '--from', { nowMs, offsetMinAt, edge: 'start' }));
  if (sinceMs > nowMs) throw new FieldError('--from', from, 'give a moment that has been');
  const [devices, series, allocations] = await Promise.all([
    client.devices.list(),
    client.devices.samples({ sinceMs }),
    client.devices.allocations({ sinceMs }),
  ]);
  if (flags.json) return context.out(JSON.stringify({ readings: series, allocations }));
  const past = devices.map((device) => ({
    device,
    readings: series.find(({ deviceId }) => deviceId === device.id)?.readings ?? [],
  }));
  for (const line of renderTable(PAST_COLUMNS, past, context.width)) context.out(line);
  if (allocations.length === 0) return;
  context.out('');
  const indexOf = new Map(devices.map(({ id, index }) => [id, index]));
  for (const line of renderTable(allocationColumns(indexOf), allocations, context.width)) context.out(line);
}

/** null: nobody could read it. */
function known(readings: readonly Measured[], figure: Figure): number[] | null {
  const values = readings.map(figure).filter((value) => value !== null);
  return values.length === 0 ? null : values;
}
const mean =
  (figure: Figure, show: (value: number) => string) =>
  ({ readings }: Past): string => {
    const values = known(readings, figure);
    return values === null ? '?' : show(values.reduce((sum, value) => sum + value, 0) / values.length);
  };
const most =
  (figure: Figure, show: (value: number) => string) =>
  ({ readings }: Past): string => {
    const values = known(readings, figure);
    return values === null ? '?' : show(values.reduce((a, b) => Math.max(a, b)));
  };

const PAST_COLUMNS: readonly Column<Past>[] = [
  { title: '#', right: true, cell: ({ device }) => String(device.index) },
  { title: 'NAME', least: 10, expendable: true, cell: ({ device }) => device.name },
  { title: 'READINGS', right: true, expendable: true, cell: ({ readings }) => String(readings.length) },
  {
    title: 'MEAN USE',
    right: true,
    cell: mean(
      ({ utilisation }) => utilisation,
      (share) => `${Math.round(100 * share)} %`,
    ),
  },
  { title: 'MOST MEMORY', right: true, cell: most(({ memoryUsedMib }) => memoryUsedMib, formatMib) },
  {
    title: 'HOTTEST',
    right: true,
    cell: most(
      ({ temperatureC }) => temperatureC,
      (celsius) => `${Math.round(celsius)} °C`,
    ),
  },
  {
    title: 'MEAN POWER',
    right: true,
    cell: mean(
      ({ powerW }) => powerW,
      (watts) => `${Math.round(watts)} W`,
    ),
  },
];

const allocationColumns = (indexOf: ReadonlyMap<string, number>): readonly Column<Allocation>[] => [
  { title: '#', right: true, cell: ({ deviceId }) => String(indexOf.get(deviceId) ?? '–') },
  { title: 'JOB', right: true, cell: ({ jobId }) => String(jobId) },
  { title: 'NAME', least: 8, cell: ({ name }) => name },
  { title: 'USER', least: 6, expendable: true, cell: ({ user }) => user },
  { title: 'FROM', cell: ({ startMs }) => formatTime(startMs) },
  { title: 'TO', cell: ({ endMs }) => (endMs === null ? 'now' : formatTime(endMs)) },
  { title: 'STATUS', cell: ({ status }) => status },
];
