import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createORPCClient } from '@orpc/client';
import { RPCLink as PortLink } from '@orpc/client/message-port';
import { RPCLink as SocketLink } from '@orpc/client/websocket';
import { createRouterClient } from '@orpc/server';
import { RPCHandler as PortHandler } from '@orpc/server/message-port';
import { WebSocket } from 'ws';
import { connect as connectLocally } from '../../src/cli/connect.ts';
import type { StintClient } from '../../src/contract/client.ts';
import type { Log } from '../../src/engine/ports.ts';
import { serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import type { StintRouter } from '../../src/engine/server/rpcSockets.ts';
import { createHttpHost } from '../../src/headless/httpHost.ts';

/** One client over a transport. `cut` breaks its connection without a word, as a crash would. */
export interface Wire {
  readonly client: StintClient;
  cut(): void;
}

/** A way to reach a router. */
export interface Served {
  connect(): Promise<Wire>;
  close(): Promise<void>;
}

export interface Transport {
  readonly name: string;
  serve(router: StintRouter, home: string, log: Log): Promise<Served>;
}

const memory: Transport = {
  name: 'memory',
  async serve(router) {
    return {
      async connect() {
        const gone = new AbortController();
        const direct = createRouterClient(router) as unknown as Callable;
        const call = (
          path: readonly string[],
          input: unknown,
          options: { signal?: AbortSignal | undefined },
        ) => {
          const procedure = path.reduce<Callable>((at, part) => at[part]!, direct);
          const signals = [gone.signal, ...(options.signal ? [options.signal] : [])];
          return procedure(input, { ...options, signal: AbortSignal.any(signals) });
        };
        return { client: createORPCClient<StintClient>({ call }), cut: () => gone.abort() };
      },
      async close() {
        // Nothing was opened.
      },
    };
  },
};
interface Callable {
  (input: unknown, options: object): Promise<unknown>;
  [part: string]: Callable;
}

const messagePort: Transport = {
  name: 'message port',
  async serve(router) {
    const ports: MessagePort[] = [];
    return {
      async connect() {
        const { port1, port2 } = new MessageChannel();
        ports.push(port1, port2);
        new PortHandler(router).upgrade(port1, { context: {} });
        const client = createORPCClient<StintClient>(new PortLink({ port: port2 }));
        port1.start();
        port2.start();
        return { client, cut: () => port2.close() };
      },
      async close() {
        for (const port of ports) port.close();
      },
    };
  },
};

/** Nobody speaks to it but the console. */
const noPrograms = { tokens: { admit: () => null }, scrape: () => Promise.resolve('') };

const webSocket: Transport = {
  name: 'WebSocket of the headless host',
  async serve(router, home, log) {
    const consoleDir = join(home, 'console');
    mkdirSync(consoleDir, { recursive: true });
    const host = await createHttpHost({ router, ...noPrograms, port: 0, consoleDir, log });
    const { origin, hash } = new URL(host.url);
    return {
      async connect() {
        const body = JSON.stringify({ token: hash.slice('#token='.length) });
        const headers = { 'Content-Type': 'application/json', Origin: origin };
        const answer = await fetch(`${origin}/session`, { method: 'POST', headers, body });
        const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
        const ws = new WebSocket(`${origin.replace('http', 'ws')}/rpc`, {
          headers: { Origin: origin, Cookie: cookie },
        });
        const link = new SocketLink({ websocket: ws as unknown as globalThis.WebSocket });
        return { client: createORPCClient<StintClient>(link), cut: () => ws.terminate() };
      },
      close: () => host.close(),
    };
  },
};

const localSocket: Transport = {
  name: 'local socket',
  async serve(router, home, log) {
    const socket = await serveLocalSocket({ home, router, log });
    return {
      async connect() {
        const connection = await connectLocally(home);
        return { client: connection.client, cut: connection.close };
      },
      close: () => socket.close(),
    };
  },
};

export const TRANSPORTS: readonly Transport[] = [memory, messagePort, webSocket, localSocket];
