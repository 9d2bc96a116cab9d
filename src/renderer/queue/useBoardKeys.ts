import type { RefObject } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { isTerminal } from '../../domain/job.ts';
import { openMore } from '../control/moreStore.ts';
import { t } from '../i18n/t.ts';
import {
  act,
  isMovable,
  isPossible,
  type JobAction,
  moveAll,
  moveToEdge,
  prioritiseAll,
  raise,
} from '../jobActions.ts';
import { goTo } from '../route.ts';
import { useKeys } from '../shell/useKeys.ts';
import { formatCount } from '../text/formatCount.ts';
import { visibleText } from '../text/visibleText.ts';
import { beforeIdForAll, jobsOf, keyOf, movableIn, type Row } from './queueRows.ts';

export interface BoardKeys {
  readonly rows: readonly Row[];
  /** The rows that can be gone to. */
  readonly stops: readonly Row[];
  readonly listed: readonly JobView[];
  readonly waiting: readonly JobView[];
  readonly cursor: Row | undefined;
  /** What a command is about. */
  readonly subjects: readonly JobView[];
  /** The array that it is about as a whole. */
  readonly arrayId: number | undefined;
  isTicked(job: JobView): boolean;
  tick(jobs: readonly JobView[], on: boolean): void;
  untickAll(): void;
  toggle(arrayId: number): void;
  setFilter(text: string): void;
  /** Puts the cursor on a row and brings it into sight. */
  goTo(row: Row): void;
  readonly filterRef: RefObject<HTMLInputElement | null>;
  readonly scrollRef: RefObject<HTMLElement | null>;
}

/** The commands of the board by their keys. */
export function useBoardKeys(board: BoardKeys): void {
  const { rows, stops, listed, waiting, cursor, subjects, arrayId, isTicked, tick, toggle, scrollRef } =
    board;
  const cursorJob = cursor?.kind === 'job' ? cursor.job : undefined;

  const step = (by: number): void => {
    if (cursor === undefined) return;
    const next = stops[Math.max(0, Math.min(stops.length - 1, stops.indexOf(cursor) + by))]!;
    board.goTo(next);
    // The row may only be drawn after the scroll.
    requestAnimationFrame(() =>
      scrollRef.current
        ?.querySelector<HTMLElement>(`[data-row="${keyOf(next)}"]`)
        ?.focus({ preventScroll: true }),
    );
  };

  const shift = (by: -1 | 1): void => {
    // Past the next one in sight: a step past a job that the filter hides would change nothing to see.
    const inSight = movableIn(rows);
    const ids = new Set(subjects.filter(({ status }) => isMovable(status)).map(({ id }) => id));
    const those = inSight.filter(({ id }) => ids.has(id));
    const edge = by < 0 ? those[0] : those.at(-1);
    const neighbour = edge && inSight[inSight.indexOf(edge) + by];
    if (edge === undefined || neighbour === undefined) return;
    void moveAll(those, beforeIdForAll(waiting, ids, edge.id, neighbour.id));
    requestAnimationFrame(() =>
      scrollRef.current?.querySelector(`[data-job="${edge.id}"]`)?.scrollIntoView({ block: 'nearest' }),
    );
  };
  const raiseAll = (by: number): void => {
    if (arrayId !== undefined) void prioritiseAll(subjects, (subjects[0]?.priority ?? 0) + by, arrayId);
    else for (const job of subjects) raise(job, by);
  };
  const doTo = (action: JobAction): void => act(action, subjects, arrayId);
  const either = (first: JobAction, second: JobAction): void =>
    doTo(subjects.some((job) => isPossible(first, job)) ? first : second);
  const enter = (): void => {
    if (cursor?.kind === 'array') toggle(cursor.id);
    else if (cursorJob) goTo({ view: 'job', id: cursorJob.id });
  };
  const openMenu = (): void => {
    const row = cursor && scrollRef.current?.querySelector(`[data-row="${keyOf(cursor)}"]`);
    if (!row) return;
    const [only] = subjects.length === 1 ? subjects : [];
    const title = only
      ? `#${only.id} ${visibleText(only.name)}`
      : t('{{length}} jobs', { length: formatCount(subjects.length) });
    openMore(
      {
        title: arrayId === undefined ? title : t('Array #{{arrayId}}, {{title}}', { arrayId, title }),
        ids: subjects.map(({ id }) => id),
        arrayId,
      },
      row.querySelector('[aria-label^="More for"]') ?? row,
    );
  };
  const unfold = (open: boolean): void => {
    if (cursor?.kind === 'array' && cursor.open !== open) toggle(cursor.id);
  };

  useKeys({
    j: () => step(1),
    k: () => step(-1),
    arrowdown: () => step(1),
    arrowup: () => step(-1),
    arrowright: () => unfold(true),
    arrowleft: () => unfold(false),
    enter,
    x: () => cursor && tick(jobsOf(cursor), !jobsOf(cursor).every(isTicked)),
    a: () =>
      tick(
        listed.filter(({ status }) => !isTerminal(status)),
        true,
      ),
    p: () => either('pause', 'resume'),
    h: () => either('hold', 'release'),
    c: () => doTo('cancel'),
    r: () => doTo('retry'),
    m: openMenu,
    'alt+arrowup': () => shift(-1),
    'alt+arrowdown': () => shift(1),
    'alt+home': () => void moveToEdge(subjects, 'first'),
    'alt+end': () => void moveToEdge(subjects, 'last'),
    '+': () => raiseAll(1),
    '-': () => raiseAll(-1),
    '/': () => board.filterRef.current?.focus(),
    escape: () => {
      board.untickAll();
      board.setFilter('');
    },
  });
}
