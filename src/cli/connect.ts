import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import { WebSocket } from 'ws';
import { AGENT_HEADER } from '../contract/agentHeader.ts';
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

/** An engine of another machine, or of another user, who gave a token. */
export interface Remote {
  /** Such as https://workstation:7717; without a path. */
  readonly url: string;
  readonly token: string;
  /** PEM: who signs its certificate, where that is nobody whom everybody trusts. */
  readonly ca?: string;
}

/**
 * Connects to the engine of a data directory through its local socket, or to one elsewhere over HTTP.
 * @param agent for whom, where that is not the person who calls; an engine on this machine records what is done as this
 * agent's, one elsewhere as the token's.
 * @throws {EngineAwayError} if none is running there, {CliError} if it or its certificate will not do.
 */
export async function connect(engine: string | Remote, agent?: string): Promise<Connection> {
  const ws = typeof engine === 'string' ? localSocket(engine, agent) : remoteSocket(engine);
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', (error: NodeJS.ErrnoException) =>
      reject(typeof engine === 'string' ? explain(error, engine) : explainRemote(error, engine.url)),
    );
    if (typeof engine !== 'string') {
      ws.once('unexpected-response', (request, response: IncomingMessage) => {
        request.destroy();
        reject(refusal(response.statusCode ?? 0, engine.url));
      });
    }
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

function localSocket(home: string, agent: string | undefined): WebSocket {
  const path = socketPath(home);
  return new WebSocket('ws://localhost/rpc', {
    createConnection: () => connectSocket(path),
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ...(agent === undefined ? {} : { headers: { [AGENT_HEADER]: encodeURIComponent(agent.toWellFormed()) } }),
  });
}

function remoteSocket({ url, token, ca }: Remote): WebSocket {
  return new WebSocket(new URL('/rpc', url.replace(/^http/, 'ws')), {
    headers: { Authorization: `Bearer ${token}` },
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ...(ca === undefined ? {} : { ca }),
  });
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

const UNKNOWN_SIGNER = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

function explainRemote(error: NodeJS.ErrnoException, url: string): CliError {
  const code = error.code ?? '';
  if (UNKNOWN_SIGNER.has(code)) {
    return new CliError(
      STATUS.failed,
      `the certificate of ${url} is signed by nobody known here`,
      'give the file with who signed it: --ca FILE, or STINT_CA',
    );
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new CliError(
      STATUS.failed,
      `the certificate of ${url} is for another host (${error.message})`,
      'give the name that it is for',
    );
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return new CliError(
      STATUS.failed,
      `the certificate of ${url} is not valid today (${error.message})`,
      'renew it there, or set the clock here',
    );
  }
  const wasThere = code === 'EPIPE' || code === 'ECONNRESET';
  return new EngineAwayError(
    wasThere,
    `no engine answers at ${url} (${error.message})`,
    'start one there with `stint serve --listen`, or open the tunnel; `stint help security` says how',
  );
}

function refusal(status: number, url: string): CliError {
  switch (status) {
    case 401:
      return new CliError(
        STATUS.failed,
        `${url} does not know the token`,
        'set STINT_TOKEN to one that `stint token create` made there',
      );
    case 403:
      return new CliError(
        STATUS.failed,
        `${url} has another name`,
        'give the one that its certificate is for',
      );
    case 429:
    case 503:
      return new EngineAwayError(true, `${url} is busy (HTTP ${status})`, 'try again in some seconds');
    default:
      return new CliError(
        STATUS.failed,
        `${url} is no engine of Stint (HTTP ${status})`,
        'look at STINT_URL',
      );
  }
}

const gone = (why: string) =>
  new EngineAwayError(
    true,
    `the engine went away (${why})`,
    'start it again with `stint serve`; running jobs go on without it',
  );
