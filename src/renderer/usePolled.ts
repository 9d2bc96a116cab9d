import { useEffect, useState } from 'react';
import { messageOf } from '../domain/errors.ts';
import { useStint } from './store/store.ts';
import { isCutOff } from './text/troubleText.ts';

export interface Polled<T> {
  /** null: not known yet. */
  readonly value: T | null;
  readonly trouble: string | null;
}

/** What is read again and again. Make it with `useMemo`: another one starts anew. */
export interface Poll<T> {
  readonly everyMs: number;
  readonly read: (signal: AbortSignal) => Promise<T>;
  /** Changes with every news: what is the same is not drawn again. */
  readonly newsOf: (value: T) => string | number;
  /** False: this was the last that there is to know. */
  readonly goesOn: (value: T) => boolean;
}

/** Reads something while the console is connected, and again after it was not. */
export function usePolled<T>(poll: Poll<T>): Polled<T> {
  const live = useStint((state) => state.phase === 'live');
  const [polled, setPolled] = useState<Polled<T>>({ value: null, trouble: null });

  useEffect(() => {
    if (!live) return;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async (): Promise<void> => {
      try {
        const value = await poll.read(controller.signal);
        setPolled((old) =>
          old.trouble === null && old.value !== null && poll.newsOf(old.value) === poll.newsOf(value)
            ? old
            : { value, trouble: null },
        );
        if (poll.goesOn(value) && !controller.signal.aborted)
          timer = setTimeout(() => void load(), poll.everyMs);
      } catch (error) {
        // A lost connection is told above, and it is read again after it.
        if (controller.signal.aborted || isCutOff(error)) return;
        setPolled((old) => ({ ...old, trouble: messageOf(error) }));
      }
    };
    void load();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [poll, live]);

  return polled;
}
