import { readFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import { WebSocket } from 'ws';
import type { StintClient } from '../contract/client.ts';
import { CliError, STATUS } from './cliError.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface Connection {
  readonly client: StintClient;
  /**
   * Does something with the engine.
   * @throws what `use` throws, and {EngineAwayError} when the engine goes away meanwhile.
   */
  during<T>(use: (client: StintClient) => Promise<T>): Promise<T>;
  close(): void;
}

/** No engine answers. `wasThere`: one did until then, so that it may well come back. */
export class EngineAwayError extends CliError {
  readonly wasThere: boolean;

  constructor(wasThere: boolean, problem: string, remedy: string) {
    super(STATUS.notRunning, problem, remedy);
    this.wasThere = wasThere;
  }
}

/**
 * Connects to the engine of a data directory through its local socket.
 * @throws {EngineAwayError} if none is running there.
 */
export async function connect(home: string): Promise<Connection> {
  const path = socketPath(home);
  const ws = new WebSocket('ws://localhost/rpc', {
    createConnection: () => connectSocket(path),
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, home)));
  });

  let closing = false;
  const lost = new Promise<never>((_resolve, reject) => {
    ws.on('error', (error) => reject(gone(error.message)));
    ws.on('close', (code) => {
      if (closing) return;
      reject(
        code === 1009
          ? new CliError(STATUS.badUsage, 'the request is larger than 8 MiB', 'put long input into a file')
          : gone(`code ${code}`),
      );
    });
  });
  // Whoever does something meanwhile hears of it; nobody else needs to.
  lost.catch(() => undefined);
  const client: StintClient = createORPCClient(
    new RPCLink({ websocket: ws as unknown as globalThis.WebSocket }),
  );
  return {
    client,
    async during(use) {
      try {
        return await Promise.race([use(client), lost]);
      } catch (error) {
        // What is sent while the connection is closing fails in other words than when it is closed.
        if (!closing && ws.readyState !== WebSocket.OPEN) await lost;
        throw error;
      }
    },
    close() {
      closing = true;
      ws.terminate();
    },
  };
}

/** The engine leaves the file `socket` where its socket is not at the usual place. */
function socketPath(home: string): string {
  try {
    const path = readFileSync(join(home, 'socket'), 'utf8').trim();
    if (path !== '') return path;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES')
      throw explain(error as NodeJS.ErrnoException, home);
  }
  return join(home, 'stint.sock');
}

function explain(error: NodeJS.ErrnoException, home: string): CliError {
  switch (error.code) {
    case 'EACCES':
    case 'EPERM':
      return new CliError(
        STATUS.failed,
        `the engine on ${home} belongs to another user`,
        'ask for your own with --data DIR, or become that user',
      );
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
    case 'EINVAL':
      return new EngineAwayError(
        false,
        `no engine is running on ${home}`,
        'start one with `stint serve` or `npm start`, or name another data directory with --data DIR',
      );
    default:
      return new EngineAwayError(
        // One that breaks the line off while it is reached was there, and is going.
        error.code === 'EPIPE' || error.code === 'ECONNRESET',
        `the engine on ${home} does not answer (${error.message})`,
        'look into its engine.log, or start it again with `stint serve`',
      );
  }
}

const gone = (why: string) =>
  new EngineAwayError(
    true,
    `the engine went away (${why})`,
    'start it again with `stint serve`; running jobs go on without it',
  );
