import { CloseButton, TextInput } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { t } from '../i18n/t.ts';
import { type Due, useForecast } from '../store/forecast.ts';
import { boardOf } from '../store/state.ts';
import { useMachine } from '../store/store.ts';
import classes from './Board.module.css';
import { BoardGrid, type BoardGridHandle } from './BoardGrid.tsx';
import { BulkBar } from './BulkBar.tsx';
import { EmptyQueue } from './EmptyQueue.tsx';
import { boardRows, jobsOf, keyOf } from './queueRows.ts';
import { useBoardKeys } from './useBoardKeys.ts';
import { useTicks } from './useTicks.ts';

const NOBODY_KNOWS: ReadonlyMap<number, Due> = new Map();
/** How the board was left, so that who comes back from a job finds it so. */
const left = {
  filter: '',
  showOver: true,
  openArrays: new Set<number>() as ReadonlySet<number>,
  cursorKey: null as string | null,
  scrollTop: 0,
};

/** No room for columns: as in a window of 1280 pixels at 200 %. */
const SMALL = '(max-width: 767px)';

/**
 * The departure board: what runs, what waits in which order and why, and what is over.
 * @param props.narrow it stands beside something: nothing of what is over, and two lines a job, as everywhere where there is no room.
 */
export function Board({ onSubmit, narrow = false }: { onSubmit(): void; narrow?: boolean }) {
  const jobs = useMachine((machine) => machine.jobs);
  const [filter, setFilter] = useState(left.filter);
  const [showOver, setShowOver] = useState(left.showOver);
  const [openArrays, setOpenArrays] = useState(left.openArrays);
  const [cursorKey, setCursorKey] = useState(left.cursorKey);
  const folded = useMediaQuery(SMALL, false, { getInitialValueInEffect: false }) || narrow;
  const filterRef = useRef<HTMLInputElement>(null);
  const scrollRef = useRef<HTMLDivElement>(null);
  const grid = useRef<BoardGridHandle>(null);

  useEffect(() => {
    Object.assign(left, { filter, showOver, openArrays, cursorKey });
  }, [filter, showOver, openArrays, cursorKey]);

  const forecast = useForecast();
  const due = narrow ? forecast.due : NOBODY_KNOWS;
  const board = useMemo(() => {
    const inQueue = boardOf(jobs);
    return narrow ? { ...inQueue, waiting: asExpected(inQueue.waiting, due), over: [] } : inQueue;
  }, [jobs, narrow, due]);
  const rows = useMemo(
    () => boardRows(board, filter, showOver, openArrays),
    [board, filter, showOver, openArrays],
  );
  /** The rows that can be gone to. */
  const stops = useMemo(() => rows.filter((row) => row.kind !== 'heading'), [rows]);
  const listed = useMemo(
    () => stops.flatMap((row) => (row.kind === 'array' && row.open ? [] : jobsOf(row))),
    [stops],
  );
  const stopAt = useMemo(() => new Map(stops.map((row) => [keyOf(row), row])), [stops]);
  const cursor = (cursorKey === null ? undefined : stopAt.get(cursorKey)) ?? stops[0];
  const { heldWith, ticked, isTicked, tick, untickAll } = useTicks(listed);
  /** What a command is about: the ticked jobs, else those of the row under the cursor. */
  const subjects = ticked.length > 0 ? ticked : cursor ? jobsOf(cursor) : [];
  /** The array that it is about as a whole. */
  const arrayId = ticked.length === 0 && cursor?.kind === 'array' ? cursor.id : undefined;
  const toggle = useCallback((id: number) => {
    setOpenArrays((old) => {
      const next = new Set(old);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  }, []);

  useBoardKeys({
    rows,
    stops,
    listed,
    waiting: board.waiting,
    cursor,
    subjects,
    arrayId,
    isTicked,
    tick,
    untickAll,
    toggle,
    setFilter,
    goTo: (row) => {
      setCursorKey(keyOf(row));
      grid.current?.show(rows.indexOf(row));
    },
    filterRef,
    scrollRef,
  });

  const toggleOver = useCallback(() => setShowOver((open) => !open), []);
  if (jobs.size === 0) return <EmptyQueue onSubmit={onSubmit} />;

  return (
    <div className={classes.page} data-narrow={folded || undefined}>
      <div className={classes.tools}>
        <TextInput
          ref={filterRef}
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') {
              setFilter('');
              event.currentTarget.blur();
            }
          }}
          placeholder={t('Filter by name, user, project, tag, status')}
          aria-label={t('Filter the queue')}
          leftSection={<IconSearch size={16} />}
          rightSection={
            filter === '' ? null : (
              <CloseButton size="sm" aria-label={t('Clear the filter')} onClick={() => setFilter('')} />
            )
          }
          w={folded ? undefined : 320}
          flex={folded ? 1 : undefined}
        />
        {ticked.length > 0 && <BulkBar ticked={ticked} onUntick={untickAll} />}
      </div>
      <BoardGrid
        ref={grid}
        rows={rows}
        folded={folded}
        left={narrow ? null : left}
        cursor={cursor}
        showOver={showOver}
        scrollRef={scrollRef}
        heldWith={heldWith}
        isTicked={isTicked}
        onTick={tick}
        onCursor={setCursorKey}
        onToggleArray={toggle}
        onToggleOver={toggleOver}
      />
    </div>
  );
}

/** In the order in which they are expected to start; those of which nobody knows come last, as they stand in the queue. */
function asExpected(waiting: readonly JobView[], due: ReadonlyMap<number, Due>): readonly JobView[] {
  if (due.size === 0) return waiting;
  const at = (job: JobView): number => due.get(job.id)?.start.p50Ms ?? Number.POSITIVE_INFINITY;
  // Subtracting infinities gives NaN.
  return waiting.toSorted((a, b) => (at(a) === at(b) ? 0 : at(a) - at(b)));
}
