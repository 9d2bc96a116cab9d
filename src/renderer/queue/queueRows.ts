import type { JobView } from '../../contract/messages.ts';
import type { Board } from '../store/state.ts';
import { statusWord } from '../text/statusWord.ts';

export type Section = 'live' | 'waiting' | 'over';

/** One line of the board. */
export type Row =
  | { readonly kind: 'heading'; readonly section: Section; readonly count: number; readonly shown: number }
  | { readonly kind: 'job'; readonly section: Section; readonly job: JobView };

/** True if every word of `filter` occurs in what a row shows: `#12`, name, user, project, status, why it died,
 * command. */
export function matches(job: JobView, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = [
    `#${job.id}`,
    job.name,
    job.user,
    job.project,
    statusWord(job.status),
    job.status,
    job.diagnosis?.code ?? '',
    job.diagnosis?.summary ?? '',
    ...job.command,
  ]
    .join('\n')
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

/** The board from top to bottom: what runs, what waits, what is over (its jobs only when `showOver`). */
export function boardRows(board: Board, filter: string, showOver: boolean): Row[] {
  const rows: Row[] = [];
  for (const section of ['live', 'waiting', 'over'] as const) {
    const jobs = board[section].filter((job) => matches(job, filter));
    if (section === 'over' && board.over.length === 0) continue;
    rows.push({ kind: 'heading', section, count: board[section].length, shown: jobs.length });
    if (section === 'over' && !showOver) continue;
    for (const job of jobs) rows.push({ kind: 'job', section, job });
  }
  return rows;
}

/**
 * Before which job `active` must be put so that it takes the place of `over`: below it when it comes from
 * above, above it when it comes from below. null: at the end.
 */
export function beforeIdFor(waiting: readonly JobView[], activeId: number, overId: number): number | null {
  const from = waiting.findIndex((job) => job.id === activeId);
  const to = waiting.findIndex((job) => job.id === overId);
  return to > from ? (waiting[to + 1]?.id ?? null) : overId;
}
