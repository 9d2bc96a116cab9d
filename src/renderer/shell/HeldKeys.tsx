import { useEffect } from 'react';

/** A field that is focused within this time gets what was typed for it. */
const PATIENCE_MS = 15_000;

/**
 * Stands where a view or a dialog is about to be, whose code is still on its way, and keeps what is pressed meanwhile: it is
 * for that view, and is pressed again once it is there. What another part of the console takes (a key that leads
 * elsewhere) is that part's.
 * @param props.typed it is text for the first field of a dialog, and no command of what lies below.
 */
export function HeldKeys({ typed = false }: { typed?: boolean }) {
  useEffect(() => {
    const here = location.hash;
    const held: KeyboardEvent[] = [];
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey) return;
      if (typed) {
        event.stopImmediatePropagation();
        event.preventDefault();
        held.push(event);
      } else if (!event.defaultPrevented && !(event.target as Element).closest('input, textarea, select'))
        held.push(event);
    };
    // Before the commands of what lies below, or after them.
    document.addEventListener('keydown', onKey, { capture: typed });
    return () => {
      document.removeEventListener('keydown', onKey, { capture: typed });
      // Somebody has gone elsewhere meanwhile.
      if (held.length === 0 || (!typed && location.hash !== here)) return;
      if (typed)
        void typeInto(
          held
            .map(({ key }) => key)
            .filter((key) => key.length === 1)
            .join(''),
        );
      // The view listens once its own effects have run.
      else
        setTimeout(() => {
          for (const { key, altKey, shiftKey } of held) {
            const again = { key, altKey, shiftKey, bubbles: true, cancelable: true };
            (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent('keydown', again));
          }
        });
    };
  }, [typed]);
  return null;
}

/** Puts text before what stands in the field that has the focus, as soon as one has. */
async function typeInto(text: string): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (performance.now() < deadlineMs) {
    const field = document.activeElement;
    if (field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement) {
      const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value')!;
      // As React hears of it.
      set!.call(field, text + field.value);
      field.dispatchEvent(new Event('input', { bubbles: true }));
      field.setSelectionRange(text.length, text.length);
      return;
    }
    await new Promise((next) => requestAnimationFrame(next));
  }
}
