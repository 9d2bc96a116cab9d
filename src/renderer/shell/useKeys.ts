import { useEffect, useRef } from 'react';

/** What each key does; a key is written as `KeyboardEvent.key` in lower case, after `alt+` where Alt is held. */
export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/**
 * Single-key commands for as long as the component is shown. They rest while somebody types, while a dialog
 * is open, while keys carry something (a job in the queue), and where Enter or Space already mean something.
 */
export function useKeys(keys: Keys): void {
  const current = useRef(keys);
  useEffect(() => {
    current.current = keys;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || rests(event)) return;
      const command = current.current[`${event.altKey ? 'alt+' : ''}${event.key.toLowerCase()}`];
      if (command === undefined) return;
      event.preventDefault();
      command(event);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

function rests(event: KeyboardEvent): boolean {
  // A closed list may stay in the page, out of sight.
  const open = document.querySelectorAll('[role="dialog"], [role="listbox"], [role="menu"]');
  if ([...open].some((element) => element.checkVisibility())) return true;
  if (!(event.target instanceof Element)) return false;
  if (event.target.closest('[aria-pressed="true"]') !== null) return true;
  if (
    event.target.closest(
      'input:not([type="checkbox"], [type="radio"], [readonly]), textarea, select, [contenteditable="true"]',
    )
  )
    return true;
  const pressesControl = event.key === 'Enter' || event.key === ' ';
  return pressesControl && event.target.closest('a, button, input, summary') !== null;
}
