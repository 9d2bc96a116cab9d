import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Router } from '@orpc/server';
import { RPCHandler } from '@orpc/server/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Contract } from '../../contract/contract.ts';
import type { Log } from '../ports.ts';
import type { CallContext } from './caller.ts';

/** The engine's procedures, as every transport serves them. */
export type StintRouter = Router<Contract, CallContext>;

/** A submission may carry thousands of arguments; nothing that is meant well is larger. */
export const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;
/** Far more than consoles and scripts of one person; a leak stops here instead of at the file limit. */
const MAX_CONNECTIONS = 512;
const CLOSE_GRACE_MS = 1000;

/** Who speaks over a socket. */
interface Caller extends CallContext {
  /**
   * Throws what is answered instead, before each call; left out: it may do everything.
   * @param path the procedure's place in the contract.
   */
  readonly guard?: (path: readonly string[]) => void;
}

/** Speaks the contract over WebSockets that a host has let in. */
export interface RpcSockets {
  /**
   * Completes a WebSocket handshake. Who may connect has been checked by the caller.
   * @param caller left out: it is the owner, who may do everything.
   */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, caller?: Caller): void;
  /** Says goodbye to every client, and cuts those that do not answer within a second. */
  close(): Promise<void>;
}

export function createRpcSockets(router: StintRouter, log: Log): RpcSockets {
  const handler = new RPCHandler<Caller>(router as never, {
    clientInterceptors: [
      async ({ path, context, next }) => {
        context.guard?.(path);
        return next();
      },
    ],
  });
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  server.on('wsClientError', (error, socket) => {
    log.warn('a handshake was refused', { error: error.message });
    socket.destroy();
  });

  const serve = (ws: WebSocket, caller: Caller): void => {
    ws.on('error', (error) => log.info('a client was cut off', { error: error.message }));
    void handler.upgrade(
      {
        addEventListener: ws.addEventListener.bind(ws),
        // Waiting until the kernel has taken a message makes a stream as slow as its reader, instead of piling
        // up here; and giving way after each lets other clients be served, and the end of this one be noticed,
        // while a long stream runs. A failed send needs no report: the socket's close ends all that belongs to it.
        send: (data: string | Buffer) =>
          new Promise<void>((resolve) => {
            ws.send(data, () => setImmediate(resolve));
          }),
      },
      { context: caller },
    );
  };

  return {
    accept(request, socket, head, caller = {}) {
      if (server.clients.size >= MAX_CONNECTIONS) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      server.handleUpgrade(request, socket, head, (ws) => serve(ws, caller));
    },
    async close() {
      const clients = [...server.clients];
      const gone = clients.map(
        (ws) =>
          new Promise<void>((resolve) =>
            ws.readyState === ws.CLOSED ? resolve() : ws.once('close', () => resolve()),
          ),
      );
      for (const ws of clients) ws.close(1001, 'the engine is stopping');
      const cut = setTimeout(() => {
        for (const ws of clients) ws.terminate();
      }, CLOSE_GRACE_MS);
      await Promise.all(gone);
      clearTimeout(cut);
      server.close();
    },
  };
}
