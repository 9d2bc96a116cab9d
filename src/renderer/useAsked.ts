import { useEffect, useState } from 'react';
import { useStint } from './store/store.ts';
import { troubleText } from './text/troubleText.ts';

/** What the engine answered; null: not yet. */
export interface Asked<T> {
  readonly value: T | null;
  readonly trouble: string | null;
  set(value: T): void;
}

/** Asks the engine once, and again after each lost connection. @param ask the same function every time. */
export function useAsked<T>(ask: () => Promise<T>): Asked<T> {
  const live = useStint((state) => state.phase === 'live');
  const [value, set] = useState<T | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    if (!live) return;
    let left = false;
    ask().then(
      (answer) => {
        if (left) return;
        set(answer);
        setTrouble(null);
      },
      (error: unknown) => {
        if (!left) setTrouble(troubleText(error));
      },
    );
    return () => {
      left = true;
    };
  }, [ask, live]);
  return { value, trouble, set };
}
