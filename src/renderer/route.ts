import { useSyncExternalStore } from 'react';

/** Views that are about no one thing. */
export const VIEWS = ['queue', 'machine', 'scheduler', 'history', 'settings'] as const;
export type View = (typeof VIEWS)[number];
/** Views of one thing, by its number. */
const THINGS = ['job', 'decision', 'episode'] as const;
export type Thing = (typeof THINGS)[number];

/** `query`: what a view is asked to show, as after the ? of an address; empty: nothing in particular. */
export type Route =
  | { readonly view: View; readonly query?: string }
  | { readonly view: Thing; readonly id: number };

/** Reads `#/queue` and the other views, `#/history?user=ana`, `#/job/12`, `#/decision/7`; anything else is the queue. */
export function parseRoute(hash: string): Route {
  const thing = /^#\/(\w+)\/([1-9]\d{0,15})$/.exec(hash);
  const about = THINGS.find((one) => one === thing?.[1]);
  if (about !== undefined) return { view: about, id: Number(thing![2]) };
  const [path, query] = hash.split(/\?(.*)/s);
  const view = VIEWS.find((one) => path === `#/${one}`) ?? 'queue';
  return query === undefined || view === 'queue' ? { view } : { view, query };
}

/** The address of a view, for links and for `goTo`. */
export const hrefOf = (route: Route): string => {
  if ('id' in route) return `#/${route.view}/${route.id}`;
  return route.query ? `#/${route.view}?${route.query}` : `#/${route.view}`;
};

export function goTo(route: Route): void {
  location.hash = hrefOf(route);
  // The browser says so a moment later, and the next key is for the new view.
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

/** The view that the address names, followed as it changes. */
export function useRoute(): Route {
  const hash = useSyncExternalStore(
    (changed) => {
      window.addEventListener('hashchange', changed);
      return () => window.removeEventListener('hashchange', changed);
    },
    () => location.hash,
  );
  return parseRoute(hash);
}
