import type { JobView } from '../../contract/messages.ts';
import type { Device } from '../../domain/device.ts';
import { formatMib } from '../../domain/units.ts';
import { DEVICE_COLUMNS } from '../deviceColumns.ts';
import type { ListRow } from '../jobColumns.ts';
import { type Column, cut, renderTable } from '../table.ts';
import { type TopState, topJobs } from './topState.ts';

export interface TopView {
  readonly width: number;
  readonly height: number;
  /** The first job that is shown. */
  readonly from: number;
  /** What is wrong with the connection; null: all is well. */
  readonly trouble: string | null;
}

const BAR_CELLS = 10;

/** A share as a bar, `████░░░░░░`; spaces where it is not known. */
export function bar(share: number | null): string {
  if (share === null) return ' '.repeat(BAR_CELLS);
  const full = Math.round(Math.min(1, Math.max(0, share)) * BAR_CELLS);
  return '█'.repeat(full) + '░'.repeat(BAR_CELLS - full);
}

const BARS: Readonly<Record<string, Column<Device>>> = {
  MEMORY: {
    title: '',
    least: 0,
    expendable: true,
    cell: ({ reading, memoryTotalMib }) =>
      bar(reading?.memoryUsedMib == null ? null : reading.memoryUsedMib / memoryTotalMib),
  },
  USE: {
    title: '',
    least: 0,
    expendable: true,
    cell: ({ reading }) => bar(reading?.utilisation ?? null),
  },
};
/** The columns of `stint devices`, with bars, and without what only scripts need. */
const COLUMNS = DEVICE_COLUMNS.filter(({ title }) => title !== 'ID').flatMap((column) => [
  column,
  ...(BARS[column.title] ? [BARS[column.title]!] : []),
]);

/**
 * The screen, at most `height` lines of at most `width` columns.
 * @param columns of the jobs.
 * @returns the lines, and how many jobs are below those shown.
 */
export function topScreen(
  state: TopState,
  columns: readonly Column<ListRow>[],
  { width, height, from, trouble }: TopView,
): { readonly lines: string[]; readonly below: number } {
  const jobs = topJobs(state);
  const devices = renderTable(COLUMNS, state.devices, width);
  // On a small terminal the jobs keep half of it.
  const room = Math.max(2, Math.floor((height - 3) / 2));
  const top = [cut(headline(state), width), '', ...devices.slice(0, room + 1), ''];
  if (devices.length > room + 1) top[top.length - 1] = `  and ${devices.length - room - 1} more devices`;
  const space = Math.max(0, height - top.length - 2);
  const shown = jobs.slice(from, from + space);
  const below = Math.max(0, jobs.length - from - shown.length);
  const table = jobs.length === 0 ? ['No jobs yet.'] : renderTable(columns, shown, width);
  const foot = trouble ?? `q quits, ↑ ↓ scroll${below > 0 ? `; ${below} more below` : ''}`;
  const body = [...top, ...table];
  while (body.length < height - 1) body.push('');
  return { lines: [...body.slice(0, height - 1), cut(foot, width)], below };
}

function headline({ hostname, host, scheduler, jobs }: TopState): string {
  const count = (statuses: readonly JobView['status'][]): number =>
    [...jobs.values()].filter(({ status }) => statuses.includes(status)).length;
  const parts = [
    hostname,
    `${count(['starting', 'running', 'stopping'])} running`,
    `${count(['paused'])} paused`,
    `${count(['queued', 'held'])} waiting`,
    scheduler.drainedSinceMs === null ? `policy ${scheduler.policy}` : 'drained: nothing is started',
  ];
  if (host?.cpu != null) parts.push(`CPU ${Math.round(host.cpu * 100)} %`);
  if (host?.memoryUsedMib != null) parts.push(`memory ${formatMib(host.memoryUsedMib)}`);
  return parts.filter((part) => !part.startsWith('0 paused')).join(' · ');
}
