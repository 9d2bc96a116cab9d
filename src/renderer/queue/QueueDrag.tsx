import {
  type Active,
  type CollisionDetection,
  closestCenter,
  DndContext,
  type DragEndEvent,
  DragOverlay,
  type DroppableContainer,
  KeyboardSensor,
  type Modifier,
  PointerSensor,
  pointerWithin,
  useDndContext,
  useSensor,
  useSensors,
} from '@dnd-kit/core';
import { sortableKeyboardCoordinates } from '@dnd-kit/sortable';
import type { ComponentProps, ReactNode } from 'react';
import type { JobView } from '../../contract/messages.ts';
import { t } from '../i18n/t.ts';
import { moveAll, pin } from '../jobActions.ts';
import { ProjectBar } from '../shell/ProjectBar.tsx';
import { boardOf } from '../store/state.ts';
import { store, useMachine } from '../store/store.ts';
import { formatCount } from '../text/formatCount.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './Board.module.css';
import { beforeIdForAll } from './queueRows.ts';

/** The element that says how a job is moved by keys. */
export const DRAG_HELP = 'queue-drag-help';

const alongTheQueue: Modifier = ({ transform }) => ({ ...transform, x: 0 });

const isDevice = ({ data }: DroppableContainer): boolean => data.current?.deviceId !== undefined;

/** A device under the pointer, else the place in the queue that is nearest. */
const deviceOrPlace: CollisionDetection = (args) => {
  const devices = args.droppableContainers.filter(isDevice);
  const over = pointerWithin({ ...args, droppableContainers: devices });
  if (over.length > 0) return over;
  return closestCenter({
    ...args,
    droppableContainers: args.droppableContainers.filter((container) => !isDevice(container)),
  });
};

/** What goes with a job that is dragged: all that are ticked where it is one of them, else it alone. */
export type HeldWith = (job: JobView) => readonly JobView[];

function heldWith(active: Active | null, job: JobView): readonly JobView[] {
  const others = active?.data.current?.heldWith as HeldWith | undefined;
  return others?.(job) ?? [job];
}

/** How many are held by the one that is dragged. */
function countOf(active: Active): number {
  const job = store.get().machine?.jobs.get(Number(active.id));
  return job === undefined ? 1 : heldWith(active, job).length;
}

/** What a screen reader says of a job that is being moved. */
const SPOKEN: NonNullable<ComponentProps<typeof DndContext>['accessibility']> = {
  screenReaderInstructions: {
    draggable: t(
      'Press Space to pick the job up, the arrow keys to move it, Space to drop it, Escape to leave it.',
    ),
  },
  announcements: {
    onDragStart: ({ active }) =>
      countOf(active) === 1
        ? t('Picked up #{{id}}.', { id: active.id })
        : t('Picked up #{{id}} and what is ticked with it: {{n}} jobs.', {
            id: active.id,
            n: formatCount(countOf(active)),
          }),
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

const devicesOf = () => store.get().machine?.devices ?? [];

/**
 * Lets the jobs of the board in it be dragged to another place in the queue, and with one that is ticked all that are.
 * @param props.free and onto a device as well, to keep them to it; then what is dragged follows the pointer.
 */
export function QueueDrag({ children, free = false }: { children: ReactNode; free?: boolean }) {
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const onDragEnd = ({ active, over }: DragEndEvent): void => {
    const { machine } = store.get();
    const job = machine?.jobs.get(Number(active.id));
    if (!machine || !job || !over || active.id === over.id) return;
    const device = devicesOf().find(({ id }) => id === over.id);
    const jobs = heldWith(active, job);
    if (device !== undefined) return void pin(jobs, [device]);
    const ids = new Set(jobs.map(({ id }) => id));
    const { waiting } = boardOf(machine.jobs);
    // In the order of the queue, which what is in sight may be sorted out of.
    void moveAll(
      waiting.filter(({ id }) => ids.has(id)),
      beforeIdForAll(waiting, ids, job.id, Number(over.id)),
    );
  };
  return (
    <DndContext
      id={DRAG_HELP}
      sensors={sensors}
      collisionDetection={deviceOrPlace}
      modifiers={free ? [] : [alongTheQueue]}
      onDragEnd={onDragEnd}
      accessibility={SPOKEN}
    >
      {children}
      {free && (
        <DragOverlay dropAnimation={null}>
          <Held />
        </DragOverlay>
      )}
    </DndContext>
  );
}

/** What is held. */
function Held() {
  const { active } = useDndContext();
  const job = useMachine((machine) => machine.jobs.get(Number(active?.id)));
  if (job === undefined) return null;
  const others = heldWith(active, job).length - 1;
  return (
    <div className={classes.held}>
      <ProjectBar project={job.project} />
      <span className="cut">
        #{job.id} {visibleText(job.name)}
      </span>
      {others > 0 && <b>+{others}</b>}
    </div>
  );
}
