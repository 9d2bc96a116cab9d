import type { JobView } from '../../contract/messages.ts';
import { isMovable } from '../jobActions.ts';
import type { Board } from '../store/state.ts';
import { statusWord } from '../text/statusWord.ts';

const TAG = 'tag:';

export type Section = 'live' | 'waiting' | 'over';

/** One line of the board. */
export type Row =
  | { readonly kind: 'heading'; readonly section: Section; readonly count: number; readonly shown: number }
  | {
      readonly kind: 'array';
      readonly section: Section;
      readonly id: number;
      /** Those of its jobs that the console knows: all that are not over, and some that are. */
      readonly jobs: readonly JobView[];
      readonly open: boolean;
    }
  /** `within`: it stands below the row of its array. */
  | { readonly kind: 'job'; readonly section: Section; readonly job: JobView; readonly within: boolean };

/**
 * True if every word of `filter` occurs in what is told of the job: `#12`, name, user, project, tags, status, why it died, command.
 * `tag:x` is about tags alone: one of them is that word.
 */
export function matches(job: JobView, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = [
    `#${job.id}`,
    job.name,
    job.user,
    job.project,
    ...job.tags,
    statusWord(job.status),
    job.status,
    job.diagnosis?.code ?? '',
    job.diagnosis?.summary ?? '',
    ...job.command,
  ]
    .join('\n')
    .toLowerCase();
  return words.every((word) =>
    word.startsWith(TAG)
      ? job.tags.some((tag) => tag.toLowerCase() === word.slice(TAG.length))
      : text.includes(word),
  );
}

/**
 * The board from top to bottom: what runs, what waits, what is over (its jobs only when `showOver`). An array is one row,
 * where its first job would stand, with its jobs below it while it is open; a filter looks for single jobs.
 */
export function boardRows(
  board: Board,
  filter: string,
  showOver: boolean,
  openArrays: ReadonlySet<number> = new Set(),
): Row[] {
  const rows: Row[] = [];
  const arrays = filter.trim() === '' ? arraysOf(board) : new Map<number, readonly JobView[]>();
  const seen = new Set<number>();
  for (const section of ['live', 'waiting', 'over'] as const) {
    const jobs = board[section].filter((job) => matches(job, filter));
    if (section === 'over' && board.over.length === 0) continue;
    rows.push({ kind: 'heading', section, count: board[section].length, shown: jobs.length });
    if (section === 'over' && !showOver) continue;
    for (const job of jobs) {
      const id = job.array?.id ?? 0;
      const members = arrays.get(id);
      if (members === undefined) rows.push({ kind: 'job', section, job, within: false });
      else if (!seen.has(id)) {
        seen.add(id);
        const open = openArrays.has(id);
        rows.push({ kind: 'array', section, id, jobs: members, open });
        if (open) for (const one of members) rows.push({ kind: 'job', section, job: one, within: true });
      }
    }
  }
  return rows;
}

/** The jobs of each array in the order of the board. An array of one job is none to look at. */
function arraysOf(board: Board): ReadonlyMap<number, readonly JobView[]> {
  const arrays = new Map<number, JobView[]>();
  for (const job of [...board.live, ...board.waiting, ...board.over]) {
    if (job.array === null || job.array.size < 2) continue;
    const members = arrays.get(job.array.id);
    if (members === undefined) arrays.set(job.array.id, [job]);
    else members.push(job);
  }
  return arrays;
}

/** A name for the row that stays its own while the board changes. */
export const keyOf = (row: Row): string => {
  if (row.kind === 'heading') return row.section;
  return row.kind === 'array' ? `array ${row.id}` : `#${row.job.id}`;
};

/** The jobs that a row is about. */
export const jobsOf = (row: Row): readonly JobView[] => {
  if (row.kind === 'heading') return [];
  return row.kind === 'array' ? row.jobs : [row.job];
};

/**
 * Before which job `active` must be put so that it takes the place of `over`: below it when it comes from
 * above, above it when it comes from below. null: at the end.
 */
export function beforeIdFor(waiting: readonly JobView[], activeId: number, overId: number): number | null {
  const from = waiting.findIndex((job) => job.id === activeId);
  const to = waiting.findIndex((job) => job.id === overId);
  return to > from ? (waiting[to + 1]?.id ?? null) : overId;
}

/**
 * Before which job several must be put so that they stand together where `over` is, in the order that they have.
 * @param activeId of them the one that was moved there. null: at the end.
 */
export function beforeIdForAll(
  waiting: readonly JobView[],
  ids: ReadonlySet<number>,
  activeId: number,
  overId: number,
): number | null {
  const first = beforeIdFor(waiting, activeId, overId);
  const from = first === null ? waiting.length : waiting.findIndex(({ id }) => id === first);
  return waiting.slice(from).find(({ id }) => !ids.has(id))?.id ?? null;
}

/** The waiting jobs in sight, as they can be moved past each other. */
export const movableIn = (rows: readonly Row[]): readonly JobView[] =>
  rows.flatMap((row) => (row.kind === 'job' && isMovable(row.job.status) ? [row.job] : []));
