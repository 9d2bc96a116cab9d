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
import { CloseButton, TextInput, VisuallyHidden } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import {
  type ComponentProps,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type { JobView } from '../../contract/messages.ts';
import { isTerminal } from '../../domain/job.ts';
import { density, rowPx } from '../appearance.ts';
import { openMore } from '../control/moreStore.ts';
import { t } from '../i18n/t.ts';
import {
  act,
  isMovable,
  isPossible,
  type JobAction,
  move,
  moveToEdge,
  prioritiseAll,
  raise,
} from '../jobActions.ts';
import { goTo } from '../route.ts';
import { useKeys } from '../shell/useKeys.ts';
import { boardOf } from '../store/state.ts';
import { useMachine } from '../store/store.ts';
import { visibleText } from '../text/visibleText.ts';
import { ArrayRow } from './ArrayRow.tsx';
import classes from './Board.module.css';
import { BoardHeading, isBare } from './BoardHeading.tsx';
import { BulkBar } from './BulkBar.tsx';
import { EmptyQueue } from './EmptyQueue.tsx';
import { Grid, GridHeader, GridRow, GridRows } from './Grid.tsx';
import { JobRow } from './JobRow.tsx';
import { beforeIdFor, boardRows, jobsOf, keyOf, movableIn, type Row } from './queueRows.ts';
import { useTicks } from './useTicks.ts';

const HEADING_PX = 44;
const BARE_PX = 52;
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

const alongTheQueue: Modifier = ({ transform }) => ({ ...transform, x: 0 });

/** What a screen reader says of a job that is being moved. */
const SPOKEN: NonNullable<ComponentProps<typeof DndContext>['accessibility']> = {
  screenReaderInstructions: {
    draggable: t(
      'Press Space to pick the job up, the arrow keys to move it, Space to drop it, Escape to leave it.',
    ),
  },
  announcements: {
    onDragStart: ({ active }) => t('Picked up #{{id}}.', { id: active.id }),
    onDragOver: ({ active, over }) =>
      over === null
        ? undefined
        : over.id === active.id
          ? t('#{{id}} is where it was.', { id: active.id })
          : t('#{{id}} is at the place of #{{id2}}.', { id: active.id, id2: over.id }),
    onDragEnd: ({ active }) => t('Dropped #{{id}}.', { id: active.id }),
    onDragCancel: ({ active }) => t('#{{id}} stays where it was.', { id: active.id }),
  },
};

/** The departure board: what runs, what waits in which order and why, and what is over. */
export function QueueView({ onSubmit }: { onSubmit(): void }) {
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

  const board = useMemo(() => boardOf(jobs), [jobs]);
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
  const cursor = stops.find((row) => keyOf(row) === cursorKey) ?? stops[0];
  const cursorJob = cursor?.kind === 'job' ? cursor.job : undefined;
  const { ticked, isTicked, tick, untickAll } = useTicks(listed);
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
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: (index) =>
      rows[index]?.kind === 'heading' ? headingPx(rows[index], rows[index + 1]) : height,
    getItemKey: (index) => keyOf(rows[index]!),
    overscan: rows.length <= ALL_IN_PAGE ? ALL_IN_PAGE : 12,
    scrollMargin: 28,
    initialOffset: () => left.scrollTop,
  });

  const step = (by: number): void => {
    if (cursor === undefined) return;
    const next = keyOf(stops[Math.max(0, Math.min(stops.length - 1, stops.indexOf(cursor) + by))]!);
    setCursorKey(next);
    virtual.scrollToIndex(rows.findIndex((row) => keyOf(row) === next));
    // The row may only be drawn after the scroll.
    requestAnimationFrame(() =>
      scrollRef.current?.querySelector<HTMLElement>(`[data-row="${next}"]`)?.focus({ preventScroll: true }),
    );
  };

  const shift = (by: -1 | 1): void => {
    if (cursorJob === undefined || !isMovable(cursorJob.status)) return;
    // Past the next one in sight: a step past a job that the filter hides would change nothing to see.
    const inSight = movableIn(rows);
    const neighbour = inSight[inSight.findIndex((job) => job.id === cursorJob.id) + by];
    if (neighbour === undefined) return;
    void move(cursorJob, beforeIdFor(board.waiting, cursorJob.id, neighbour.id));
    requestAnimationFrame(() =>
      scrollRef.current?.querySelector(`[data-job="${cursorJob.id}"]`)?.scrollIntoView({ block: 'nearest' }),
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
      : t('{{length}} jobs', { length: subjects.length });
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
    '/': () => filterRef.current?.focus(),
    escape: () => {
      untickAll();
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

  if (jobs.size === 0) return <EmptyQueue onSubmit={onSubmit} />;
  const waitingIds = movableIn(rows).map((job) => job.id);
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
          placeholder={t('Filter by name, user, project, status')}
          aria-label={t('Filter the queue')}
          leftSection={<IconSearch size={16} />}
          rightSection={
            filter === '' ? null : (
              <CloseButton size="sm" aria-label={t('Clear the filter')} onClick={() => setFilter('')} />
            )
          }
          w={320}
        />
        {ticked.length > 0 && <BulkBar ticked={ticked} onUntick={untickAll} />}
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
          <Grid aria-label={t('Jobs')} aria-rowcount={rows.length + 1} className={classes.board}>
            <GridRows>
              <GridRow aria-rowindex={1} className={classes.columns}>
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
                      style={{ top: item.start - 28, height: item.size }}
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
        </DndContext>
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
