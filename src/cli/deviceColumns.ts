import type { Device, ForeignProcess } from '../domain/device.ts';
import { formatMib } from '../domain/units.ts';
import type { Column } from './table.ts';

const unknown = '?';
const known = (value: number | null | undefined, show: (value: number) => string): string =>
  value === null || value === undefined ? unknown : show(value);

/** What a person should know first: trouble, what a rule does, then who else is on it. */
function deviceNote({ trouble, closed, yields, foreign }: Device): string {
  if (trouble !== null) return trouble;
  const rule = yields === null ? closed?.reason : `jobs ${yields.kind}: ${yields.reason}`;
  const most = foreign.reduce<ForeignProcess | null>(
    (a, b) => (a === null || (b.memoryMib ?? 0) > (a.memoryMib ?? 0) ? b : a),
    null,
  );
  if (most === null) return rule ?? '';
  const others = foreign.length === 1 ? '' : ` and ${foreign.length - 1} more`;
  const holds = `${known(most.memoryMib, formatMib)} held by ${most.user ?? 'somebody'} (${most.pid})${others}`;
  return rule === undefined ? holds : `${rule}; ${holds}`;
}

/** A device in a line. */
export const DEVICE_COLUMNS: readonly Column<Device>[] = [
  { title: '#', right: true, cell: (d) => String(d.index) },
  { title: 'ID', least: 10, cell: (d) => d.id },
  { title: 'NAME', least: 10, expendable: true, cell: (d) => d.name },
  { title: 'STATE', cell: (d) => d.health },
  {
    title: 'MEMORY',
    right: true,
    cell: (d) => `${known(d.reading?.memoryUsedMib, formatMib)} of ${formatMib(d.memoryTotalMib)}`,
  },
  {
    title: 'RESERVED',
    expendable: true,
    right: true,
    cell: (d) => formatMib(d.holders.reduce((sum, h) => sum + h.reservedMib, 0)),
  },
  {
    title: 'USE',
    right: true,
    cell: (d) => known(d.reading?.utilisation, (v) => `${Math.round(v * 100)} %`),
  },
  {
    title: 'TEMP',
    expendable: true,
    right: true,
    cell: (d) => known(d.reading?.temperatureC, (v) => `${Math.round(v)} °C`),
  },
  {
    title: 'POWER',
    expendable: true,
    right: true,
    cell: (d) => known(d.reading?.powerW, (v) => `${Math.round(v)} W`),
  },
  { title: 'JOBS', least: 6, cell: (d) => d.holders.map((h) => h.jobId).join(',') },
  {
    title: 'NOTE',
    least: 8,
    cell: deviceNote,
  },
];
