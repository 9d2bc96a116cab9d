import type { JobView } from '../contract/messages.ts';
import type { ExpectedStart } from '../domain/expectedStart.ts';
import { gpuNeedText } from '../domain/gpuNeed.ts';
import { runSeconds } from '../domain/runSeconds.ts';
import { throttleText } from '../domain/throttleText.ts';
import { formatDuration } from '../domain/units.ts';
import { shortStart } from './expectedStartText.ts';
import type { Column } from './table.ts';

/** A job, or the jobs of an array in one line. */
export type ListRow = JobView & { readonly members?: readonly JobView[] };

/**
 * A job in a line.
 * @param starts when those that wait will start, by job; where none is known there is no such column.
 */
export function jobColumns(
  nowMs: number,
  starts: ReadonlyMap<number, ExpectedStart> = new Map(),
): Column<ListRow>[] {
  const time = (job: JobView) => {
    if (job.startedAtMs !== null) return `ran ${formatDuration(runSeconds(job, nowMs) * 1000)}`;
    return job.finishedAtMs === null ? `waits ${formatDuration(Math.max(0, nowMs - job.submittedAtMs))}` : '';
  };
  const startsIn = (job: ListRow): string => {
    // Of an array, the one that is next.
    const next = (job.members ?? [job]).find(({ id }) => starts.has(id));
    return next === undefined ? '' : shortStart(starts.get(next.id)!, nowMs);
  };
  return [
    {
      title: 'ID',
      right: true,
      cell: (job) => (job.members ? `${job.id}[${job.array?.size}]` : String(job.id)),
    },
    { title: 'STATUS', cell: statusOf },
    { title: 'PRIO', right: true, expendable: true, cell: (job) => String(job.priority) },
    { title: 'GPUS', right: true, expendable: true, cell: (job) => gpuNeedText(job) },
    { title: 'ON', least: 9, cell: placeOf },
    { title: 'USER', least: 6, expendable: true, cell: (job) => job.user },
    { title: 'TIME', cell: time },
    ...(starts.size === 0 ? [] : [{ title: 'STARTS', expendable: true, cell: startsIn } as const]),
    { title: 'NAME', least: 12, cell: (job) => job.name },
    { title: 'NOTE', least: 24, cell: noteOf },
  ];
}

/** Its devices here, or who has it elsewhere and where that runs it. */
const placeOf = ({ devices, executor, remote }: ListRow): string =>
  executor === null ? devices.join(',') : [executor, remote?.nodes.join(',') ?? ''].filter(Boolean).join(' ');

/** Why it waits, why it ended, or how far it is. */
const noteOf = (job: ListRow): string =>
  (job.members && arrayNote(job)) ??
  job.waitingReason ??
  job.diagnosis?.summary ??
  job.cause ??
  [throttleText(job).slice(2), job.progress?.label ?? ''].filter((part) => part !== '').join(', ');

/** How many of its jobs stand how: `2 running, 5 queued, 3 succeeded`. */
const arrayNote = (job: ListRow): string =>
  [...Map.groupBy(job.members!, ({ status }) => status)]
    .map(([status, those]) => `${those.length} ${status}`)
    .join(', ');

const statusOf = (job: ListRow): string =>
  job.exitCode !== null && job.status === 'failed' ? `failed (${job.exitCode})` : job.status;
