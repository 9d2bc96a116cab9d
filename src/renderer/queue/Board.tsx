import { SortableContext, verticalListSortingStrategy } from '@dnd-kit/sortable';
import { CloseButton, TextInput, VisuallyHidden } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type { JobView } from '../../contract/messages.ts';
import { isTerminal } from '../../domain/job.ts';
import { density, rowPx } from '../appearance.ts';
import { t } from '../i18n/t.ts';
import { isMovable } from '../jobActions.ts';
import { type Due, useForecast } from '../store/forecast.ts';
import { boardOf } from '../store/state.ts';
import { useMachine } from '../store/store.ts';
import { ArrayRow } from './ArrayRow.tsx';
import classes from './Board.module.css';
import { BoardHeading, isBare } from './BoardHeading.tsx';
import { BulkBar } from './BulkBar.tsx';
import { EmptyQueue } from './EmptyQueue.tsx';
import { Grid, GridHeader, GridRow, GridRows } from './Grid.tsx';
import { JobRow } from './JobRow.tsx';
import { boardRows, jobsOf, keyOf, movableIn, type Row } from './queueRows.ts';
import { useBoardKeys } from './useBoardKeys.ts';
import { useTicks } from './useTicks.ts';

const HEADING_PX = 44;
const BARE_PX = 52;
/** The names of the columns. */
const HEAD_PX = 28;
/** Up to so many rows all are in the page; beyond, only those in sight. */
const ALL_IN_PAGE = 100;
/** How the board was left, so that who comes back from a job finds it so. */
const left = {
  filter: '',
  showOver: true,
  openArrays: new Set<number>() as ReadonlySet<number>,
  cursorKey: null as string | null,
  scrollTop: 0,
};

/**
 * The departure board: what runs, what waits in which order and why, and what is over.
 * @param props.narrow it stands beside something: two lines a job, and nothing of what is over.
 */
export function Board({ onSubmit, narrow = false }: { onSubmit(): void; narrow?: boolean }) {
  const jobs = useMachine((machine) => machine.jobs);
  const [filter, setFilter] = useState(left.filter);
  const [showOver, setShowOver] = useState(left.showOver);
  const [openArrays, setOpenArrays] = useState(left.openArrays);
  const [cursorKey, setCursorKey] = useState(left.cursorKey);
  const filterRef = useRef<HTMLInputElement>(null);
  const scrollRef = useRef<HTMLDivElement>(null);

  useEffect(() => {
    Object.assign(left, { filter, showOver, openArrays, cursorKey });
  }, [filter, showOver, openArrays, cursorKey]);

  const { due } = useForecast();
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
  const cursor = useMemo(() => stops.find((row) => keyOf(row) === cursorKey) ?? stops[0], [stops, cursorKey]);
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

  const height = rowPx(useSyncExternalStore(density.subscribe, density.get));
  const headPx = narrow ? 0 : HEAD_PX;
  // The same functions while the rows are the same: with others all places are worked out anew, at each step of a scroll.
  const sizeAt = useCallback(
    (index: number) => (rows[index]?.kind === 'heading' ? headingPx(rows[index], rows[index + 1]) : height),
    [rows, height],
  );
  const keyAt = useCallback((index: number) => keyOf(rows[index]!), [rows]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: sizeAt,
    getItemKey: keyAt,
    overscan: rows.length <= ALL_IN_PAGE ? ALL_IN_PAGE : 12,
    scrollMargin: headPx,
    initialOffset: () => (narrow ? 0 : left.scrollTop),
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the height that changes what was worked out.
  useLayoutEffect(() => virtual.measure(), [height]);

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
      virtual.scrollToIndex(rows.indexOf(row));
    },
    filterRef,
    scrollRef,
  });

  const waitingIds = useMemo(() => movableIn(rows).map((job) => job.id), [rows]);
  if (jobs.size === 0) return <EmptyQueue onSubmit={onSubmit} />;

  return (
    <div className={classes.page} data-narrow={narrow || undefined}>
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
          placeholder={t('Filter by name, user, project, status')}
          aria-label={t('Filter the queue')}
          leftSection={<IconSearch size={16} />}
          rightSection={
            filter === '' ? null : (
              <CloseButton size="sm" aria-label={t('Clear the filter')} onClick={() => setFilter('')} />
            )
          }
          w={narrow ? undefined : 320}
          flex={narrow ? 1 : undefined}
        />
        {ticked.length > 0 && <BulkBar ticked={ticked} onUntick={untickAll} />}
      </div>
      <div
        className={classes.scroll}
        ref={scrollRef}
        onScroll={(event) => {
          if (!narrow) left.scrollTop = event.currentTarget.scrollTop;
        }}
      >
        <Grid aria-label={t('Jobs')} aria-rowcount={rows.length + 1} className={classes.board}>
          <GridRows>
            <GridRow aria-rowindex={1} className={classes.columns} hidden={narrow}>
              <GridHeader>
                <VisuallyHidden>{t('Tick')}</VisuallyHidden>
              </GridHeader>
              <GridHeader>
                <VisuallyHidden>{t('Move')}</VisuallyHidden>
              </GridHeader>
              <GridHeader>{t('Job')}</GridHeader>
              <GridHeader>{t('Name')}</GridHeader>
              <GridHeader>{t('Track')}</GridHeader>
              <GridHeader>{t('State')}</GridHeader>
              <GridHeader style={{ textAlign: 'right' }}>{t('Priority')}</GridHeader>
              <GridHeader style={{ textAlign: 'right' }}>{t('Time')}</GridHeader>
              <GridHeader>
                <VisuallyHidden>{t('Actions')}</VisuallyHidden>
              </GridHeader>
            </GridRow>
          </GridRows>
          <SortableContext items={waitingIds} strategy={verticalListSortingStrategy}>
            <GridRows className={classes.rows} style={{ height: virtual.getTotalSize() }}>
              {virtual.getVirtualItems().map((item) => {
                const row = rows[item.index]!;
                return (
                  <div
                    key={item.key}
                    role="presentation"
                    className={classes.place}
                    style={{ top: item.start - headPx, height: item.size }}
                  >
                    {row.kind === 'heading' ? (
                      <BoardHeading
                        row={row}
                        next={rows[item.index + 1]}
                        rowIndex={item.index + 2}
                        open={showOver}
                        onToggle={() => setShowOver((open) => !open)}
                      />
                    ) : row.kind === 'array' ? (
                      <ArrayRow
                        id={row.id}
                        jobs={row.jobs}
                        rowIndex={item.index + 2}
                        cursor={row === cursor}
                        ticked={tickedOf(row.jobs, isTicked)}
                        open={row.open}
                        onTick={tick}
                        onCursor={setCursorKey}
                        onToggle={toggle}
                      />
                    ) : (
                      <JobRow
                        job={row.job}
                        rowIndex={item.index + 2}
                        cursor={row === cursor}
                        ticked={isTicked(row.job)}
                        movable={isMovable(row.job.status)}
                        within={row.within}
                        heldWith={heldWith}
                        onTick={tick}
                        onCursor={setCursorKey}
                      />
                    )}
                  </div>
                );
              })}
            </GridRows>
          </SortableContext>
        </Grid>
      </div>
    </div>
  );
}

const headingPx = (row: Row, next: Row | undefined): number =>
  isBare(row, next) ? HEADING_PX + BARE_PX : HEADING_PX;

/** Whether the jobs of an array that are not over are ticked; null: some are. */
function tickedOf(jobs: readonly JobView[], isTicked: (job: JobView) => boolean): boolean | null {
  const current = jobs.filter(({ status }) => !isTerminal(status));
  const those = current.length > 0 ? current : jobs;
  const count = those.filter(isTicked).length;
  return count === 0 ? false : count === those.length ? true : null;
}

/** In the order in which they are expected to start; those of which nobody knows come last, as they stand in the queue. */
function asExpected(waiting: readonly JobView[], due: ReadonlyMap<number, Due>): readonly JobView[] {
  if (due.size === 0) return waiting;
  const at = (job: JobView): number => due.get(job.id)?.start.p50Ms ?? Number.POSITIVE_INFINITY;
  // Subtracting infinities gives NaN.
  return waiting.toSorted((a, b) => (at(a) === at(b) ? 0 : at(a) - at(b)));
}
