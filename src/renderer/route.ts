import { useSyncExternalStore } from 'react';

export type Route =
  | { readonly view: 'queue' | 'machine' | 'scheduler' }
  | { readonly view: 'job'; readonly jobId: number };

/** Reads `#/queue`, `#/machine`, `#/scheduler`, `#/job/12`; anything else is the queue. */
export function parseRoute(hash: string): Route {
  const job = /^#\/job\/([1-9]\d{0,15})$/.exec(hash);
  if (job) return { view: 'job', jobId: Number(job[1]) };
  const view = /^#\/(machine|scheduler)$/.exec(hash)?.[1];
  return { view: view === 'machine' || view === 'scheduler' ? view : 'queue' };
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
