import { type StintClient, watchForever } from '../contract/client.ts';
import type { SearchCursor } from '../contract/contract.ts';
import type { JobView, Overview, WatchMessage } from '../contract/messages.ts';
import { isLive, isTerminal, JOB_STATUSES } from '../domain/job.ts';
import { t } from './i18n/t.ts';
import { type Line, type Look, look } from './line.ts';
import { hasToken } from './session.ts';
import { latestOf } from './store/latestOf.ts';
import {
  ALLOCATION_WINDOW_MS,
  type History,
  SAMPLE_WINDOW_MS,
  withHistory,
  withMessage,
  withMoreJobs,
  withOverview,
} from './store/state.ts';
import { store } from './store/store.ts';
import { isCutOff } from './text/troubleText.ts';

/** So few that neither the engine nor the page is kept from anything else for long: longer texts cost several times as much a letter. */
const JOBS_A_PAGE = 100;
/** They are shown in pieces of so many: each has the whole queue put in order again. */
const SHOWN_AT_ONCE = 1000;
const WAITING = JOB_STATUSES.filter((status) => !isLive(status) && !isTerminal(status));

const show = (message: WatchMessage): void => store.update((state) => withMessage(state, message));
/** Of devices in focus readings come ten times a second, and nobody reads figures that change so often. */
const showReadings = latestOf(500, show);

/** There is no line; trying again may help. */
class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

let line: Line | null = null;

/** The client in use. Calls made while the connection is lost fail at once with a sentence for people. */
export function client(): StintClient {
  if (line === null) throw new UnreachableError(t('not connected to the engine; it is being tried again'));
  return line.client;
}

/**
 * Connects, fills the store, and keeps it up to date until `signal` is aborted. When the engine refuses this
 * browser, it waits for a fresh link in the address.
 * @param first the first look, which was begun already.
 */
export async function runConnection(first: Promise<Look>, signal: AbortSignal): Promise<void> {
  let delayMs = 250;
  let begun: Promise<Look> | null = first;
  while (!signal.aborted) {
    const generation = new AbortController();
    try {
      const asked = begun ?? look(store.get().machine !== null);
      begun = null;
      const seq = await load(asked);
      delayMs = 250;
      let again = false;
      await watchForever(
        async () => {
          if (again) {
            const known = store.get().machine?.seq ?? 0;
            const now = await load(look(true));
            // Another history answers (a different data directory): what was seen of this one does not count.
            if (now < known) generation.abort();
          }
          again = true;
          return client();
        },
        {
          since: seq,
          signal: AbortSignal.any([signal, generation.signal]),
          onMessage: (message) => (message.type === 'devices' ? showReadings : show)(message),
          onConnection: (connected) => {
            if (!connected) lost();
          },
          sleep,
        },
      );
    } catch (error) {
      if (isRefusal(error)) {
        store.update((state) => ({ ...state, phase: 'refused' }));
        await freshLink(signal);
        store.update((state) => ({ ...state, phase: 'connecting' }));
        continue;
      }
      lost();
      await sleep(delayMs, signal);
      delayMs = Math.min(5000, delayMs * 2);
    }
  }
  line?.close();
}

function lost(): void {
  line?.close();
  line = null;
  store.update((state) =>
    state.machine === null || state.phase === 'lost'
      ? state
      : { ...state, phase: 'lost', lostAtMs: Date.now() },
  );
}

/**
 * Shows how things stand. Of a long queue, what is seen first comes first, and the rest while it is looked at, as does what was
 * before; where something is shown already, it stays until all of what replaces it is there.
 * @returns the sequence number from which to go on.
 */
async function load(looking: Promise<Look>): Promise<number> {
  line?.close();
  line = null;
  const opened = await looking;
  const { overview, client: api } = opened;
  try {
    const anew = store.get().machine === null;
    const past = loadHistory(api, overview);
    const history = anew ? null : await past;
    line = opened;
    store.update((state) => withOverview(state, overview, Date.now()));
    if (history === null) void fill(opened, past);
    else store.update((state) => withHistory(state, history));
    if (overview.left > 0) void loadRest(opened, lastWaiting(overview.jobs));
    return overview.seq;
  } catch (error) {
    opened.close();
    throw error;
  }
}

async function fill(opened: Line, past: Promise<History>): Promise<void> {
  try {
    const history = await past;
    if (line === opened) store.update((state) => withHistory(state, history));
  } catch (error) {
    // What is wrong with the line is told above; a page without its past is no page, so it is opened anew.
    if (line === opened && !isCutOff(error)) opened.close();
  }
}

/** Brings the jobs that wait behind this one, page by page, until the line is another. */
async function loadRest(opened: Line, last: JobView | undefined): Promise<void> {
  let after: SearchCursor | null =
    last === undefined ? null : { part: 'waiting', at: last.rank, id: last.id };
  let more: JobView[] = [];
  while (after?.part === 'waiting' && line === opened) {
    try {
      const { jobs, next }: { jobs: JobView[]; next: SearchCursor | null } = await opened.client.jobs.search({
        statuses: WAITING,
        limit: JOBS_A_PAGE,
        after,
      });
      after = next;
      more.push(...jobs);
      if (more.length < SHOWN_AT_ONCE && after?.part === 'waiting') continue;
      const those = more;
      more = [];
      store.update((state) => withMoreJobs(state, those));
    } catch (error) {
      // A line that was lost is opened anew, and then all is read. On one that stands, it was too much at once.
      if (line === opened && !isCutOff(error)) await sleep(1000, new AbortController().signal);
      else return;
    }
  }
}

const lastWaiting = (jobs: readonly JobView[]): JobView | undefined =>
  jobs.findLast(({ status }) => WAITING.includes(status));

async function loadHistory(api: StintClient, { nowMs }: Overview): Promise<History> {
  const [samples, allocations, decisions, episodes] = await Promise.all([
    api.devices.samples({ sinceMs: nowMs - SAMPLE_WINDOW_MS }),
    api.devices.allocations({ sinceMs: nowMs - ALLOCATION_WINDOW_MS }),
    api.scheduler.decisions({ limit: 100 }),
    api.scheduler.episodes({ limit: 100 }),
  ]);
  return { samples, allocations, decisions, episodes };
}

/** Waits until the address carries a token, as when a fresh link is opened in this tab. */
function freshLink(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!hasToken() && !signal.aborted) return;
      window.removeEventListener('hashchange', look);
      signal.removeEventListener('abort', look);
      resolve();
    };
    window.addEventListener('hashchange', look);
    signal.addEventListener('abort', look);
  });
}

function isRefusal(error: unknown): boolean {
  const status = (error as { status?: unknown }).status;
  return status === 401 || status === 403;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
