import { createORPCClient } from '@orpc/client';
import { RPCLink as MessagePortLink } from '@orpc/client/message-port';
import { RPCLink as WebSocketLink } from '@orpc/client/websocket';
import { type StintClient, watchForever } from '../contract/client.ts';
import { CONNECT_MESSAGE, HOST_KEY, type StintHost } from '../contract/host.ts';
import type { Overview } from '../contract/messages.ts';
import { t } from './i18n/t.ts';
import { askSession, hasToken, openSession } from './session.ts';
import {
  ALLOCATION_WINDOW_MS,
  type History,
  SAMPLE_WINDOW_MS,
  withMessage,
  withOverview,
} from './store/state.ts';
import { store } from './store/store.ts';

declare global {
  interface Window {
    readonly [HOST_KEY]?: StintHost;
  }
}

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
          onMessage: (message) => store.update((state) => withMessage(state, message)),
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

/** Opens a line and reads how things stand. Gives the sequence number from which to go on. */
async function openAndLoad(): Promise<number> {
  line?.close();
  line = null;
  const opened = window[HOST_KEY] ? openPort(window[HOST_KEY]) : await openSocket();
  try {
    const { client: api } = opened;
    const overview = await api.system.overview();
    const history = await loadHistory(api, overview);
    line = opened;
    store.update((state) => withOverview(state, overview, history, Date.now()));
    return overview.seq;
  } catch (error) {
    opened.close();
    throw error;
  }
}

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
