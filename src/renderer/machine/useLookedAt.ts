import { type FocusEvent, useEffect, useMemo, useState } from 'react';

/** A pointer that only passes looks at nothing. */
const DWELL_MS = 200;

/** Whether the pointer rests on something or the keyboard is in it, and the handlers that find out. */
export function useLookedAt() {
  const [pointed, setPointed] = useState(false);
  const [dwells, setDwells] = useState(false);
  const [focused, setFocused] = useState(false);
  useEffect(() => {
    if (!pointed) return;
    const timer = setTimeout(() => setDwells(true), DWELL_MS);
    return () => {
      clearTimeout(timer);
      setDwells(false);
    };
  }, [pointed]);
  const handlers = useMemo(
    () => ({
      onPointerEnter: () => setPointed(true),
      onPointerLeave: () => setPointed(false),
      onFocus: () => setFocused(true),
      onBlur: ({ currentTarget, relatedTarget }: FocusEvent<HTMLElement>) =>
        setFocused(currentTarget.contains(relatedTarget)),
    }),
    [],
  );
  return { lookedAt: dwells || focused, handlers };
}
