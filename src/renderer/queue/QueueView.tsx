import {
  closestCenter,
  DndContext,
  type DragEndEvent,
  KeyboardSensor,
  type Modifier,
  PointerSensor,
  useSensor,
  useSensors,
} from '@dnd-kit/core';
import { SortableContext, sortableKeyboardCoordinates, verticalListSortingStrategy } from '@dnd-kit/sortable';
import { Button, CloseButton, TextInput, VisuallyHidden } from '@mantine/core';
import { IconChevronDown, IconChevronRight, IconSearch } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ComponentProps, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { isTerminal } from '../../domain/job.ts';
import { act, isMovable, isPossible, type JobAction, move, raise } from '../actions.ts';
import { goTo } from '../route.ts';
import { useKeys } from '../shell/useKeys.ts';
import { boardOf } from '../store/state.ts';
import { useMachine } from '../store/store.ts';
import classes from './Board.module.css';
import { Grid, GridCell, GridHeader, GridRow, GridRows } from './Grid.tsx';
import { JobRow } from './JobRow.tsx';
import { beforeIdFor, boardRows, type Row, type Section } from './queueRows.ts';

const ROW_PX = 52;
const HEADING_PX = 44;
/** Up to so many rows all are in the page; beyond, only those in sight. */
const ALL_IN_PAGE = 100;
const TITLES: Readonly<Record<Section, string>> = {
  live: 'Running',
  waiting: 'Waiting',
  over: 'Finished lately',
};
const NOTHING: Readonly<Record<Section, string>> = {
  live: 'Nothing runs.',
  waiting: 'Nothing waits.',
  over: '',
};
const BULK: readonly (readonly [JobAction, string])[] = [
  ['pause', 'Pause'],
  ['resume', 'Resume'],
  ['hold', 'Hold back'],
  ['release', 'Release'],
  ['cancel', 'Cancel'],
];

/** How the board was left, so that who comes back from a job finds it so. */
const left = { filter: '', showOver: true, cursorId: null as number | null, scrollTop: 0 };

const alongTheQueue: Modifier = ({ transform }) => ({ ...transform, x: 0 });

/** What a screen reader says of a job that is being moved. */
const SPOKEN: NonNullable<ComponentProps<typeof DndContext>['accessibility']> = {
  screenReaderInstructions: {
    draggable:
      'Press Space to pick the job up, the arrow keys to move it, Space to drop it, Escape to leave it.',
  },
  announcements: {
    onDragStart: ({ active }) => `Picked up #${active.id}.`,
    onDragOver: ({ active, over }) =>
      over === null
        ? undefined
        : over.id === active.id
          ? `#${active.id} is where it was.`
          : `#${active.id} is at the place of #${over.id}.`,
    onDragEnd: ({ active }) => `Dropped #${active.id}.`,
    onDragCancel: ({ active }) => `#${active.id} stays where it was.`,
  },
};

/** The departure board: what runs, what waits in which order and why, and what is over. */
export function QueueView({ onSubmit }: { onSubmit(): void }) {
  const jobs = useMachine((machine) => machine.jobs);
  const [filter, setFilter] = useState(left.filter);
  const [showOver, setShowOver] = useState(left.showOver);
  const [cursorId, setCursorId] = useState(left.cursorId);
  const [ticks, setTicks] = useState<ReadonlySet<number>>(new Set());
  const filterRef = useRef<HTMLInputElement>(null);
  const scrollRef = useRef<HTMLDivElement>(null);

  useEffect(() => {
    Object.assign(left, { filter, showOver, cursorId });
  }, [filter, showOver, cursorId]);

  const board = useMemo(() => boardOf(jobs), [jobs]);
  const rows = useMemo(() => boardRows(board, filter, showOver), [board, filter, showOver]);
  const listed = useMemo(() => rows.flatMap((row) => (row.kind === 'job' ? [row.job] : [])), [rows]);
  const cursor = listed.find((job) => job.id === cursorId) ?? listed[0];
  const ticked = useMemo(
    () => listed.filter((job) => ticks.has(job.id) && !isTerminal(job.status)),
    [listed, ticks],
  );
  /** What a command is about: the ticked jobs, else the one under the cursor. */
  const subjects = ticked.length > 0 ? ticked : cursor ? [cursor] : [];

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: (index) =>
      rows[index]?.kind === 'heading' ? headingPx(rows[index], rows[index + 1]) : ROW_PX,
    getItemKey: (index) => keyOf(rows[index]!),
    overscan: rows.length <= ALL_IN_PAGE ? ALL_IN_PAGE : 12,
    scrollMargin: 28,
    initialOffset: () => left.scrollTop,
  });

  const tick = useCallback((id: number) => {
    setTicks((old) => {
      const next = new Set(old);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  }, []);

  const step = (by: number): void => {
    if (cursor === undefined) return;
    const next = listed[Math.max(0, Math.min(listed.length - 1, listed.indexOf(cursor) + by))]!;
    setCursorId(next.id);
    virtual.scrollToIndex(rows.findIndex((row) => row.kind === 'job' && row.job.id === next.id));
    // The row may only be drawn after the scroll.
    requestAnimationFrame(() =>
      scrollRef.current
        ?.querySelector<HTMLElement>(`[data-job="${next.id}"]`)
        ?.focus({ preventScroll: true }),
    );
  };

  const shift = (by: -1 | 1): void => {
    if (cursor === undefined || !isMovable(cursor.status)) return;
    // Past the next one in sight: a step past a job that the filter hides would change nothing to see.
    const inSight = listed.filter((job) => isMovable(job.status));
    const neighbour = inSight[inSight.findIndex((job) => job.id === cursor.id) + by];
    if (neighbour === undefined) return;
    void move(cursor, beforeIdFor(board.waiting, cursor.id, neighbour.id));
    requestAnimationFrame(() =>
      scrollRef.current?.querySelector(`[data-job="${cursor.id}"]`)?.scrollIntoView({ block: 'nearest' }),
    );
  };
  const raiseAll = (by: number): void => {
    for (const job of subjects) raise(job, by);
  };
  const either = (first: JobAction, second: JobAction): void =>
    act(subjects.some((job) => isPossible(first, job.status)) ? first : second, subjects);

  useKeys({
    j: () => step(1),
    k: () => step(-1),
    arrowdown: () => step(1),
    arrowup: () => step(-1),
    enter: () => cursor && goTo({ view: 'job', jobId: cursor.id }),
    x: () => cursor && !isTerminal(cursor.status) && tick(cursor.id),
    p: () => either('pause', 'resume'),
    h: () => either('hold', 'release'),
    c: () => act('cancel', subjects),
    r: () => act('retry', subjects),
    'alt+arrowup': () => shift(-1),
    'alt+arrowdown': () => shift(1),
    '+': () => raiseAll(1),
    '-': () => raiseAll(-1),
    '/': () => filterRef.current?.focus(),
    escape: () => {
      setTicks(new Set());
      setFilter('');
    },
  });

  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const onDragEnd = ({ active, over }: DragEndEvent): void => {
    const job = jobs.get(Number(active.id));
    if (!job || !over || active.id === over.id) return;
    void move(job, beforeIdFor(board.waiting, job.id, Number(over.id)));
  };

  if (jobs.size === 0) return <Empty onSubmit={onSubmit} />;
  const waitingIds = listed.filter((job) => isMovable(job.status)).map((job) => job.id);
  return (
    <div className={classes.page}>
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
          placeholder="Filter by name, user, project, status"
          aria-label="Filter the queue"
          leftSection={<IconSearch size={16} />}
          rightSection={
            filter === '' ? null : (
              <CloseButton size="sm" aria-label="Clear the filter" onClick={() => setFilter('')} />
            )
          }
          w={320}
        />
        {ticked.length > 0 && (
          <fieldset
            className={classes.bulk}
            style={{ border: 0, margin: 0, padding: 0 }}
            aria-label="With the ticked jobs"
          >
            <b>{ticked.length} ticked</b>
            {BULK.filter(([action]) => ticked.some((job) => isPossible(action, job.status))).map(
              ([action, label]) => (
                <Button key={action} size="compact-sm" variant="default" onClick={() => act(action, ticked)}>
                  {label}
                </Button>
              ),
            )}
            <Button size="compact-sm" variant="subtle" onClick={() => setTicks(new Set())}>
              Untick
            </Button>
          </fieldset>
        )}
      </div>
      <div
        className={classes.scroll}
        ref={scrollRef}
        onScroll={(event) => {
          left.scrollTop = event.currentTarget.scrollTop;
        }}
      >
        <DndContext
          sensors={sensors}
          collisionDetection={closestCenter}
          modifiers={[alongTheQueue]}
          onDragEnd={onDragEnd}
          accessibility={SPOKEN}
        >
          <Grid aria-label="Jobs" aria-rowcount={rows.length + 1} className={classes.board}>
            <GridRows>
              <GridRow aria-rowindex={1} className={classes.columns}>
                <GridHeader>
                  <VisuallyHidden>Tick</VisuallyHidden>
                </GridHeader>
                <GridHeader>
                  <VisuallyHidden>Move</VisuallyHidden>
                </GridHeader>
                <GridHeader>Job</GridHeader>
                <GridHeader>Name</GridHeader>
                <GridHeader>Track</GridHeader>
                <GridHeader>State</GridHeader>
                <GridHeader style={{ textAlign: 'right' }}>Priority</GridHeader>
                <GridHeader style={{ textAlign: 'right' }}>Time</GridHeader>
                <GridHeader>
                  <VisuallyHidden>Actions</VisuallyHidden>
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
                      style={{ top: item.start - 28, height: item.size }}
                    >
                      {row.kind === 'heading' ? (
                        <Heading
                          row={row}
                          next={rows[item.index + 1]}
                          rowIndex={item.index + 2}
                          open={showOver}
                          onToggle={() => setShowOver((open) => !open)}
                        />
                      ) : (
                        <JobRow
                          job={row.job}
                          rowIndex={item.index + 2}
                          cursor={row.job.id === cursor?.id}
                          ticked={ticks.has(row.job.id)}
                          movable={isMovable(row.job.status)}
                          onTick={tick}
                          onCursor={setCursorId}
                        />
                      )}
                    </div>
                  );
                })}
              </GridRows>
            </SortableContext>
          </Grid>
        </DndContext>
      </div>
    </div>
  );
}

const keyOf = (row: Row): string => (row.kind === 'heading' ? row.section : `#${row.job.id}`);

/** A section without rows says so in a line of its own. */
const isBare = (row: Row, next: Row | undefined): boolean =>
  row.section !== 'over' && (next === undefined || next.kind === 'heading');
const headingPx = (row: Row, next: Row | undefined): number =>
  isBare(row, next) ? HEADING_PX + ROW_PX : HEADING_PX;

function Heading(props: {
  row: Extract<Row, { kind: 'heading' }>;
  next: Row | undefined;
  rowIndex: number;
  open: boolean;
  onToggle(): void;
}) {
  const { row, next, open } = props;
  const count = row.shown === row.count ? row.count : `${row.shown} of ${row.count}`;
  const Chevron = open ? IconChevronDown : IconChevronRight;
  return (
    <GridRow aria-rowindex={props.rowIndex} tabIndex={-1}>
      <GridCell tabIndex={-1} aria-colspan={9}>
        <div className={classes.heading}>
          {row.section === 'over' ? (
            <button type="button" className={classes.toggle} onClick={props.onToggle} aria-expanded={open}>
              <Chevron size={16} aria-hidden="true" />
              {TITLES.over} <span className={classes.count}>{count}</span>
            </button>
          ) : (
            <>
              {TITLES[row.section]} <span className={classes.count}>{count}</span>
            </>
          )}
        </div>
        {isBare(row, next) && (
          <div className={classes.none}>
            {row.count === 0 ? NOTHING[row.section] : 'The filter hides them all.'}
          </div>
        )}
      </GridCell>
    </GridRow>
  );
}

/** Before the first job. */
function Empty({ onSubmit }: { onSubmit(): void }) {
  return (
    <section className={classes.empty}>
      <h2>No jobs yet</h2>
      <p>
        Give Stint a command and what it needs. It starts when a GPU has room, and says why while it waits.
      </p>
      <code className={`${classes.command} mono`}>stint submit --vram 4GiB -- python train.py</code>
      <p>or from here:</p>
      <Button onClick={onSubmit}>Submit a job</Button>
    </section>
  );
}
