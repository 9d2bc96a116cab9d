import { useSortable } from '@dnd-kit/sortable';
import { CSS } from '@dnd-kit/utilities';
import { type RefObject, useLayoutEffect } from 'react';
import type { HeldWith } from './QueueDrag.tsx';

/** What the handle of a row hands on. */
export type Grip = ReturnType<typeof useSortable>['listeners'];

/**
 * Lets the row around the handle be dragged, and moved aside by others. It draws nothing: whatever is dragged, and whichever row
 * comes into sight, tells every one of these, and the rows themselves need not be drawn again for it.
 * @param props.grip takes what the handle's events go to.
 */
export function Sorting(props: {
  id: number;
  heldWith: HeldWith;
  handle: RefObject<HTMLElement | null>;
  grip: RefObject<Grip>;
}): null {
  const { id, heldWith, handle, grip } = props;
  const { attributes, listeners, setNodeRef, setActivatorNodeRef, transform, transition, isDragging } =
    useSortable({ id, data: { heldWith } });
  const { 'aria-describedby': describedBy, 'aria-roledescription': kind } = attributes;

  useLayoutEffect(() => {
    setNodeRef(rowOf(handle));
    setActivatorNodeRef(handle.current);
    return () => {
      setNodeRef(null);
      setActivatorNodeRef(null);
    };
  }, [handle, setNodeRef, setActivatorNodeRef]);

  useLayoutEffect(() => {
    grip.current = listeners;
  });

  useLayoutEffect(() => {
    handle.current?.setAttribute('aria-describedby', describedBy);
    handle.current?.setAttribute('aria-roledescription', kind);
  }, [handle, describedBy, kind]);

  const moved = CSS.Translate.toString(transform) ?? '';
  useLayoutEffect(() => {
    const row = rowOf(handle);
    if (row === null) return;
    row.style.transform = moved;
    row.style.transition = transition ?? '';
    row.toggleAttribute('data-dragging', isDragging);
    if (isDragging) handle.current?.setAttribute('aria-pressed', 'true');
    else handle.current?.removeAttribute('aria-pressed');
  }, [handle, moved, transition, isDragging]);

  // A row that can no longer be moved stands where it belongs.
  useLayoutEffect(() => {
    const row = rowOf(handle);
    return () => {
      row?.removeAttribute('data-dragging');
      row?.style.removeProperty('transform');
      row?.style.removeProperty('transition');
    };
  }, [handle]);
  return null;
}

const rowOf = (handle: RefObject<HTMLElement | null>): HTMLElement | null =>
  handle.current?.closest<HTMLElement>('[role="row"]') ?? null;
