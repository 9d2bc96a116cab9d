import { createORPCClient } from '@orpc/client';
import { RPCLink as MessagePortLink } from '@orpc/client/message-port';
import { RPCLink as WebSocketLink } from '@orpc/client/websocket';
import type { StintClient } from '../contract/client.ts';
import { CONNECT_MESSAGE, HOST_KEY, type StintHost } from '../contract/host.ts';
import type { Overview } from '../contract/messages.ts';
import { askSession, hasToken, openSession } from './session.ts';

/** As many jobs as are seen at first, in any window. */
const FIRST_JOBS = 64;

declare global {
  interface Window {
    readonly [HOST_KEY]?: StintHost;
  }
}

/** A transport in use. */
export interface Line {
  readonly client: StintClient;
  close(): void;
}

/** A line, and how things stand at its other end. */
export interface Look extends Line {
  readonly overview: Overview;
}

/** The line could not be opened. */
class NoLineError extends Error {
  override readonly name = 'NoLineError';
  /** As HTTP says it: 401, the engine does not let this browser in, and only a fresh link helps; null: trying again may help. */
  readonly status: 401 | null;

  constructor(status: 401 | null) {
    super(status === null ? 'nothing answers at this address' : 'this browser has no session');
    this.status = status;
  }
}

/**
 * Opens a line and asks how things stand.
 * @param all false: of a long queue, what is seen first. @throws {NoLineError}
 */
export async function look(all: boolean): Promise<Look> {
  const line = window[HOST_KEY] ? openPort(window[HOST_KEY]) : await openSocket();
  try {
    return { ...line, overview: await line.client.system.overview(all ? {} : { waiting: FIRST_JOBS }) };
  } catch (error) {
    line.close();
    throw error;
  }
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
  if (hasToken() && (await openSession()) === 'refused') throw new NoLineError(401);
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const socket = new WebSocket(`${scheme}://${location.host}/rpc`);
  const opened = await new Promise<boolean>((resolve) => {
    socket.addEventListener('open', () => resolve(true), { once: true });
    socket.addEventListener('close', () => resolve(false), { once: true });
  });
  // A browser does not say why a WebSocket was refused; the session does.
  if (!opened) throw new NoLineError((await askSession()) === 'refused' ? 401 : null);
  return { client: createORPCClient(new WebSocketLink({ websocket: socket })), close: () => socket.close() };
}
