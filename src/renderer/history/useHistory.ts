import { useEffect, useState } from 'react';
import type { SearchCursor } from '../../contract/contract.ts';
import type { JobView } from '../../contract/messages.ts';
import type { JobFilter } from '../../domain/jobFilter.ts';
import type { Energy } from '../../domain/usage.ts';
import { client } from '../connection.ts';
import { useStint } from '../store/store.ts';
import { troubleText } from '../text/troubleText.ts';

const PAGE = 500;
/** So many jobs are looked at; who wants more narrows the search, or asks the command line. */
export const MOST_FOUND = 10_000;
/** While somebody types. */
const PAUSE_MS = 200;

export interface Found {
  readonly jobs: readonly JobView[];
  /** Of those of which power was measured, by their ids. */
  readonly energy: ReadonlyMap<number, Energy>;
  /** There are more than are looked at. */
  readonly more: boolean;
  readonly reading: boolean;
  readonly trouble: string | null;
}

/** The jobs that are wanted, page by page; null: the search cannot be read, and what was found before stays. */
export function useHistory(filter: JobFilter | null): Found {
  const live = useStint((state) => state.phase === 'live');
  const [found, setFound] = useState<Found>({
    jobs: [],
    energy: new Map(),
    more: false,
    reading: true,
    trouble: null,
  });
  const asked = filter === null ? null : JSON.stringify(filter);
  useEffect(() => {
    if (asked === null || !live) return;
    const left = new AbortController();
    const timer = setTimeout(() => void readAll(JSON.parse(asked), left.signal, setFound), PAUSE_MS);
    setFound((old) => ({ ...old, reading: true }));
    return () => {
      clearTimeout(timer);
      left.abort();
    };
  }, [asked, live]);
  return found;
}

async function readAll(filter: JobFilter, left: AbortSignal, show: (found: Found) => void): Promise<void> {
  const jobs = new Map<number, JobView>();
  let energy: ReadonlyMap<number, Energy> = new Map();
  let after: SearchCursor | null = null;
  try {
    do {
      const page: { jobs: JobView[]; next: SearchCursor | null } = await client().jobs.search({
        ...filter,
        limit: PAGE,
        after,
      });
      if (left.aborted) return;
      const drawn = await client().history.energy({ ids: page.jobs.map(({ id }) => id) });
      if (left.aborted) return;
      if (drawn.length > 0) energy = new Map([...energy, ...drawn.map((one) => [one.id, one] as const)]);
      // A job that moved on between two pages is met again, and once is enough.
      for (const job of page.jobs) if (!jobs.has(job.id)) jobs.set(job.id, job);
      after = page.next;
      const reading = after !== null && jobs.size < MOST_FOUND;
      show({ jobs: [...jobs.values()], energy, more: after !== null && !reading, reading, trouble: null });
    } while (after !== null && jobs.size < MOST_FOUND);
  } catch (error) {
    if (!left.aborted) {
      show({ jobs: [...jobs.values()], energy, more: false, reading: false, trouble: troubleText(error) });
    }
  }
}
