import { useDndMonitor } from '@dnd-kit/core';
import { SortableContext, useSortable, verticalListSortingStrategy } from '@dnd-kit/sortable';
import { CSS } from '@dnd-kit/utilities';
import { type RefObject, useLayoutEffect, useRef } from 'react';
import type { HeldWith } from './QueueDrag.tsx';

/** What the handle of a row hands on. */
type Grip = ReturnType<typeof useSortable>['listeners'];

/** By the number of its job. */
export type Grips = Map<number, Grip>;

interface Within {
  readonly heldWith: HeldWith;
  /** What the rows stand in. */
  readonly board: RefObject<HTMLElement | null>;
  readonly grips: Grips;
}

/**
 * Lets the rows in sight be dragged, and moved aside by others, for as long as somebody holds one by its handle. They are told of
 * each other at each step, and of each row that comes into sight, and whoever only scrolls need not pay for that.
 * @param props.ids the jobs in sight that can be moved, from top to bottom.
 * @param props.onDone it was let go.
 */
export function Sortings(props: Within & { ids: readonly number[]; onDone(): void }) {
  const { ids, onDone, ...within } = props;
  useDndMonitor({ onDragEnd: onDone, onDragCancel: onDone, onDragAbort: onDone });
  return (
    <SortableContext items={ids as number[]} strategy={verticalListSortingStrategy}>
      {ids.map((id) => (
        <Sorting key={id} id={id} {...within} />
      ))}
    </SortableContext>
  );
}

/** One of them. It draws nothing: the rows themselves need not be drawn again for what is dragged. */
function Sorting({ id, heldWith, board, grips }: Within & { id: number }): null {
  const { listeners, setNodeRef, setActivatorNodeRef, transform, transition, isDragging } = useSortable({
    id,
    data: { heldWith },
  });
  const row = useRef<HTMLElement>(null);

  useLayoutEffect(() => {
    const element = board.current?.querySelector<HTMLElement>(`[data-job="${id}"]`) ?? null;
    row.current = element;
    setNodeRef(element);
    setActivatorNodeRef(element?.querySelector<HTMLElement>('[data-handle]') ?? null);
    return () => {
      setNodeRef(null);
      setActivatorNodeRef(null);
      // It stands where it belongs again.
      element?.removeAttribute('data-dragging');
      element?.style.removeProperty('transform');
      element?.style.removeProperty('transition');
      element?.querySelector('[data-handle]')?.removeAttribute('aria-pressed');
    };
  }, [id, board, setNodeRef, setActivatorNodeRef]);

  useLayoutEffect(() => {
    grips.set(id, listeners);
    return () => void grips.delete(id);
  }, [grips, id, listeners]);

  const moved = CSS.Translate.toString(transform) ?? '';
  useLayoutEffect(() => {
    const element = row.current;
    if (element === null) return;
    element.style.transform = moved;
    element.style.transition = transition ?? '';
    element.toggleAttribute('data-dragging', isDragging);
    const handle = element.querySelector('[data-handle]');
    if (isDragging) handle?.setAttribute('aria-pressed', 'true');
    else handle?.removeAttribute('aria-pressed');
  }, [moved, transition, isDragging]);
  return null;
}
