import { VisuallyHidden } from '@mantine/core';
import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual';
import {
  type CSSProperties,
  type KeyboardEvent,
  memo,
  type PointerEvent,
  type Ref,
  type RefObject,
  useCallback,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { flushSync } from 'react-dom';
import type { JobView } from '../../contract/messages.ts';
import { isTerminal } from '../../domain/job.ts';
import { density, rowPx } from '../appearance.ts';
import { t } from '../i18n/t.ts';
import { isMovable } from '../jobActions.ts';
import { ArrayRow } from './ArrayRow.tsx';
import classes from './Board.module.css';
import { BoardHeading, isBare } from './BoardHeading.tsx';
import { Grid, GridHeader, GridRow, GridRows } from './Grid.tsx';
import { JobRow } from './JobRow.tsx';
import type { HeldWith } from './QueueDrag.tsx';
import { keyOf, type Row } from './queueRows.ts';
import { type Grips, Sortings } from './Sorting.tsx';
import { placeRows, type Slot } from './slots.ts';

const HEADING_PX = 44;
const BARE_PX = 52;
/** The names of the columns. */
const HEAD_PX = 28;
/** Up to so many rows all are in the page; beyond, only those in sight and some around. */
const ALL_IN_PAGE = 100;
const AROUND = 8;
/** The keys that take what the focus is on. */
const TAKES: ReadonlySet<string> = new Set(['Space', 'Enter']);

export interface BoardGridHandle {
  /** Brings the row into sight. */
  show(index: number): void;
}

interface BoardGridProps {
  readonly ref: Ref<BoardGridHandle>;
  readonly rows: readonly Row[];
  /** Two lines a job, without columns. */
  readonly folded: boolean;
  readonly cursor: Row | undefined;
  readonly showOver: boolean;
  /** Where it was scrolled to, and is; null: it is not kept. */
  readonly left: { scrollTop: number } | null;
  readonly scrollRef: RefObject<HTMLDivElement | null>;
  readonly heldWith: HeldWith;
  isTicked(job: JobView): boolean;
  onTick(jobs: readonly JobView[], on: boolean, through?: boolean): void;
  onCursor(key: string): void;
  onToggleArray(id: number): void;
  onToggleOver(): void;
}

/** The rows of the board, of which those in sight are in the page. What scrolls draws this again and nothing around it. */
export const BoardGrid = memo(function BoardGrid(props: BoardGridProps) {
  const { rows, folded, cursor, left, scrollRef } = props;
  const height = rowPx(useSyncExternalStore(density.subscribe, density.get));
  const headPx = folded ? 0 : HEAD_PX;
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
    overscan: rows.length <= ALL_IN_PAGE ? ALL_IN_PAGE : AROUND,
    rangeExtractor: useSteadyRange(),
    scrollMargin: headPx,
    initialOffset: () => left?.scrollTop ?? 0,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the height that changes what was worked out.
  useLayoutEffect(() => virtual.measure(), [height]);
  useImperativeHandle(props.ref, () => ({ show: (index) => virtual.scrollToIndex(index) }), [virtual]);

  const items = virtual.getVirtualItems();
  const byKey = new Map(items.map((item) => [item.key as string, item]));
  const slots = useRef<readonly Slot[]>([]);
  slots.current = placeRows(
    slots.current,
    [...byKey.keys()],
    cursor === undefined ? null : keyOf(cursor),
    !virtual.isScrolling,
  );

  const { grips, onGrip, held, letGo } = useGrips();
  const ids = items.flatMap(({ index }) => {
    const row = rows[index]!;
    return row.kind === 'job' && isMovable(row.job.status) ? [row.job.id] : [];
  });
  const inSight = useSame(ids);
  const digits = useMemo(() => digitsIn(rows), [rows]);

  return (
    <div
      className={classes.scroll}
      ref={scrollRef}
      onScroll={(event) => {
        if (left !== null) left.scrollTop = event.currentTarget.scrollTop;
      }}
    >
      <Grid
        aria-label={t('Jobs')}
        aria-rowcount={rows.length + 1}
        className={classes.board}
        style={{ '--digits': digits } as CSSProperties}
      >
        <GridRows>
          <Columns hidden={folded} />
        </GridRows>
        <GridRows className={classes.rows} style={{ height: virtual.getTotalSize() }}>
          {slots.current.map(({ place, key }) => {
            const { index, start, size } = byKey.get(key)!;
            return (
              <div
                key={place}
                role="presentation"
                className={classes.place}
                style={{ top: start - headPx, height: size }}
              >
                <RowOf {...props} row={rows[index]!} next={rows[index + 1]} index={index} onGrip={onGrip} />
              </div>
            );
          })}
        </GridRows>
      </Grid>
      {held && (
        <Sortings ids={inSight} heldWith={props.heldWith} board={scrollRef} grips={grips} onDone={letGo} />
      )}
    </div>
  );
});

function RowOf(
  props: BoardGridProps & {
    row: Row;
    next: Row | undefined;
    index: number;
    onGrip(id: number, event: PointerEvent | KeyboardEvent): void;
  },
) {
  const { row, next, cursor, isTicked, onTick, onCursor } = props;
  const rowIndex = props.index + 2;
  switch (row.kind) {
    case 'heading':
      return (
        <BoardHeading
          row={row}
          next={next}
          rowIndex={rowIndex}
          open={props.showOver}
          onToggle={props.onToggleOver}
        />
      );
    case 'array':
      return (
        <ArrayRow
          id={row.id}
          jobs={row.jobs}
          rowIndex={rowIndex}
          cursor={row === cursor}
          ticked={tickedOf(row.jobs, isTicked)}
          open={row.open}
          onTick={onTick}
          onCursor={onCursor}
          onToggle={props.onToggleArray}
        />
      );
    case 'job':
      return (
        <JobRow
          job={row.job}
          rowIndex={rowIndex}
          cursor={row === cursor}
          ticked={isTicked(row.job)}
          movable={isMovable(row.job.status)}
          within={row.within}
          onGrip={props.onGrip}
          onTick={onTick}
          onCursor={onCursor}
        />
      );
  }
}

const Columns = memo(function Columns({ hidden }: { hidden: boolean }) {
  return (
    <GridRow aria-rowindex={1} className={classes.columns} hidden={hidden}>
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
  );
});

/** As many rows at each step of a scroll, although now one more and now one less is in sight: so none has to be made or removed. */
function useSteadyRange(): (range: Range) => number[] {
  const most = useRef(0);
  return useCallback((range: Range) => {
    most.current = Math.max(most.current, range.endIndex - range.startIndex);
    return defaultRangeExtractor({ ...range, endIndex: range.startIndex + most.current });
  }, []);
}

/** The handles of rows. Only once one is taken there is anything that lets rows be moved. */
function useGrips() {
  const [held, setHeld] = useState(false);
  const grips = useRef<Grips>(new Map()).current;
  const onGrip = useCallback(
    (id: number, event: PointerEvent | KeyboardEvent): void => {
      if ('code' in event && !TAKES.has(event.code)) return;
      // It has to be there for this very event.
      flushSync(() => setHeld(true));
      const grip = grips.get(id);
      if (event.type === 'pointerdown') grip?.onPointerDown?.(event);
      else grip?.onKeyDown?.(event);
    },
    [grips],
  );
  const letGo = useCallback(() => setHeld(false), []);
  return { grips, onGrip, held, letGo };
}

/** The same array for as long as the same numbers are in it. */
function useSame(ids: readonly number[]): readonly number[] {
  const text = ids.join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text says it all.
  return useMemo(() => ids, [text]);
}

/** Of the longest number of a job, with its `#`. */
function digitsIn(rows: readonly Row[]): number {
  const ids = rows.map((row) => (row.kind === 'job' ? row.job.id : row.kind === 'array' ? row.id : 0));
  return 1 + String(ids.reduce((a, b) => Math.max(a, b), 0)).length;
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
