import { useSyncExternalStore } from 'react';

/** Views that are about no one thing. */
export const VIEWS = ['queue', 'machine', 'scheduler', 'settings'] as const;
export type View = (typeof VIEWS)[number];

export type Route = { readonly view: View } | { readonly view: 'job'; readonly jobId: number };

/** Reads `#/queue` and the other views, `#/job/12`; anything else is the queue. */
export function parseRoute(hash: string): Route {
  const job = /^#\/job\/([1-9]\d{0,15})$/.exec(hash);
  if (job) return { view: 'job', jobId: Number(job[1]) };
  return { view: VIEWS.find((view) => hash === `#/${view}`) ?? 'queue' };
}

/** The address of a view, for links and for `goTo`. */
export const hrefOf = (route: Route): string =>
  route.view === 'job' ? `#/job/${route.jobId}` : `#/${route.view}`;

export function goTo(route: Route): void {
  location.hash = hrefOf(route);
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
