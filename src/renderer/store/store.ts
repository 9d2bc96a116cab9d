import { useSyncExternalStore } from 'react';
import { INITIAL, type Machine, type State } from './state.ts';

/** A value that is replaced as a whole, and those who want to know when. */
export interface Store<T> {
  get(): T;
  update(change: (value: T) => T): void;
  subscribe(listener: () => void): () => void;
}

export function makeStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    update(change) {
      const next = change(value);
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** What this console knows. */
export const store: Store<State> = makeStore(INITIAL);

/** A part of the state. `select` must give the same object while nothing that it reads has changed. */
export function useStint<T>(select: (state: State) => T): T {
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}

/** A part of the machine; for components that are only shown once it is known. */
export function useMachine<T>(select: (machine: Machine) => T): T {
  return useStint(({ machine }) => {
    if (machine === null)
      throw new TypeError('this part of the console is drawn before the machine is known');
    return select(machine);
  });
}

/** The second of the engine's clock, ticking: one timer for everybody who shows a running time. */
const second = makeStore(Math.floor(Date.now() / 1000));
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

function watchSecond(listener: () => void): () => void {
  const leave = second.subscribe(listener);
  watchers += 1;
  timer ??= setInterval(() => second.update(() => Math.floor(Date.now() / 1000)), 250);
  return () => {
    leave();
    watchers -= 1;
    if (watchers === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

const nowOnEngine = (): number => second.get() * 1000 + (store.get().machine?.clockOffsetMs ?? 0);

/** What `select` makes of now on the engine's clock, ms: drawn again only when that changes. */
export function useClock<T extends string | number>(select: (nowMs: number) => T): T {
  return useSyncExternalStore(watchSecond, () => select(nowOnEngine()));
}

/** Now on the engine's clock, ms, renewed every second. */
export const useNow = (): number => useSyncExternalStore(watchSecond, nowOnEngine);
