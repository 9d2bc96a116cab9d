import { createORPCClient } from '@orpc/client';
import { RPCLink as MessagePortLink } from '@orpc/client/message-port';
import { RPCLink as WebSocketLink } from '@orpc/client/websocket';
import { type StintClient, watchForever } from '../contract/client.ts';
import type { SearchCursor } from '../contract/contract.ts';
import { CONNECT_MESSAGE, HOST_KEY, type StintHost } from '../contract/host.ts';
import type { JobView, Overview, WatchMessage } from '../contract/messages.ts';
import { isLive, isTerminal, JOB_STATUSES } from '../domain/job.ts';
import { t } from './i18n/t.ts';
import { askSession, hasToken, openSession } from './session.ts';
import { latestOf } from './store/latestOf.ts';
import {
  ALLOCATION_WINDOW_MS,
  type History,
  SAMPLE_WINDOW_MS,
  withMessage,
  withMoreJobs,
  withOverview,
} from './store/state.ts';
import { store } from './store/store.ts';
import { isCutOff } from './text/troubleText.ts';

/** As many jobs as are seen at first, in any window. */
const FIRST_JOBS = 200;
/** So few that neither the engine nor the page is kept from anything else for long. */
const JOBS_A_PAGE = 500;
const WAITING = JOB_STATUSES.filter((status) => !isLive(status) && !isTerminal(status));

declare global {
  interface Window {
    readonly [HOST_KEY]?: StintHost;
  }
}

const show = (message: WatchMessage): void => store.update((state) => withMessage(state, message));
/** Of devices in focus readings come ten times a second, and nobody reads figures that change so often. */
const showReadings = latestOf(500, show);

/** A transport in use: a client, and a promise that is fulfilled when it can carry no more. */
interface Line {
  readonly client: StintClient;
  close(): void;
}

/** The engine does not let this browser in; only a fresh link helps. */
class RefusedError extends Error {
  override readonly name = 'RefusedError';
  /** As HTTP says it; `watchForever` does not try again on it. */
  readonly status = 401;
}

/** The line could not be opened; trying again may help. */
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
 */
export async function runConnection(signal: AbortSignal): Promise<void> {
  let delayMs = 250;
  while (!signal.aborted) {
    const generation = new AbortController();
    try {
      const seq = await openAndLoad();
      delayMs = 250;
      let first = true;
      await watchForever(
        async () => {
          if (!first) {
            const known = store.get().machine?.seq ?? 0;
            const now = await openAndLoad();
            // Another history answers (a different data directory): what was seen of this one does not count.
            if (now < known) generation.abort();
          }
          first = false;
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
      if (error instanceof RefusedError || isRefusal(error)) {
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
 * Opens a line and reads how things stand. Of a long queue, what is seen first comes first, and the rest while it is looked
 * at; where something is shown already, it stays until all of what replaces it is there.
 * @returns the sequence number from which to go on.
 */
async function openAndLoad(): Promise<number> {
  line?.close();
  line = null;
  const opened = window[HOST_KEY] ? openPort(window[HOST_KEY]) : await openSocket();
  try {
    const { client: api } = opened;
    const anew = store.get().machine === null;
    const overview = await api.system.overview(anew ? { waiting: FIRST_JOBS } : {});
    const history = await loadHistory(api, overview);
    line = opened;
    store.update((state) => withOverview(state, overview, history, Date.now()));
    if (overview.left > 0) void loadRest(opened, lastWaiting(overview.jobs));
    return overview.seq;
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** Brings the jobs that wait behind this one, page by page, until the line is another. */
async function loadRest(opened: Line, last: JobView | undefined): Promise<void> {
  let after: SearchCursor | null =
    last === undefined ? null : { part: 'waiting', at: last.rank, id: last.id };
  while (after?.part === 'waiting' && line === opened) {
    try {
      const { jobs, next }: { jobs: JobView[]; next: SearchCursor | null } = await opened.client.jobs.search({
        statuses: WAITING,
        limit: JOBS_A_PAGE,
        after,
      });
      store.update((state) => withMoreJobs(state, jobs));
      after = next;
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

/** In the desktop: one port of a channel goes through the preload to the main process. */
function openPort(host: StintHost): Line {
  const { port1, port2 } = new MessageChannel();
  host.connect();
  window.postMessage({ type: CONNECT_MESSAGE }, location.origin, [port2]);
  port1.start();
  return { client: createORPCClient(new MessagePortLink({ port: port1 })), close: () => port1.close() };
}

/** In a browser: a WebSocket beside the page, opened by the session's cookie. */
async function openSocket(): Promise<Line> {
  if (hasToken() && (await openSession()) === 'refused') {
    throw new RefusedError(t('the link was used up or is out of date'));
  }
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const socket = new WebSocket(`${scheme}://${location.host}/rpc`);
  const opened = await new Promise<boolean>((resolve) => {
    socket.addEventListener('open', () => resolve(true), { once: true });
    socket.addEventListener('close', () => resolve(false), { once: true });
  });
  if (!opened) {
    // A browser does not say why a WebSocket was refused; the session does.
    if ((await askSession()) === 'refused') throw new RefusedError(t('this browser has no session'));
    throw new UnreachableError(t('nothing answers at this address'));
  }
  return { client: createORPCClient(new WebSocketLink({ websocket: socket })), close: () => socket.close() };
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
