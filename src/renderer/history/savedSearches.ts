import { z } from 'zod';
import { makeStore } from '../store/store.ts';

/** A search of the history under a name, as it stands in the address. */
const savedSchema = z.object({ name: z.string().min(1).max(60), query: z.string().max(2000) });
export type SavedSearch = z.output<typeof savedSchema>;

const STORED_AS = 'stint.searches';
const MOST = 30;

/** What this browser keeps. What it cannot read any more is none. */
function read(): readonly SavedSearch[] {
  try {
    return z.array(savedSchema).parse(JSON.parse(localStorage.getItem(STORED_AS) ?? '[]'));
  } catch {
    return [];
  }
}

export const savedSearches = makeStore<readonly SavedSearch[]>(read());

/** Keeps a search; one of that name gives way. The oldest goes when there are too many. */
export function saveSearch(search: SavedSearch): void {
  put([...savedSearches.get().filter(({ name }) => name !== search.name), search].slice(-MOST));
}

export function forgetSearch(name: string): void {
  put(savedSearches.get().filter((one) => one.name !== name));
}

function put(searches: readonly SavedSearch[]): void {
  localStorage.setItem(STORED_AS, JSON.stringify(searches));
  savedSearches.update(() => searches);
}
