import { statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import sirv from 'sirv';
import { ConflictError, FieldError, messageOf } from '../domain/errors.ts';
import type { Log } from '../engine/ports.ts';
import { createRpcSockets, type StintRouter } from '../engine/server/rpcSockets.ts';
import type { Tokens } from '../engine/server/tokens.ts';
import { createApi, refuseBearer } from './api.ts';
import { type Bearers, callGuard, createBearers } from './bearer.ts';
import type { CertificateFiles } from './certificate.ts';
import { createDoor, type Door } from './door.ts';
import { refuse } from './refuse.ts';
import { createSession, type Session } from './session.ts';

export interface HttpHostOptions {
  readonly router: StintRouter;
  /** Whose tokens open `/api/` and `/metrics`. */
  readonly tokens: Pick<Tokens, 'admit'>;
  /** How things stand, in Prometheus' text format. */
  readonly scrape: () => Promise<string>;
  /** 0: any free port. */
  readonly port: number;
  /** The built console. May be missing: a page then says how to build it. */
  readonly consoleDir: string;
  readonly log: Log;
  /** How long a client may take to say what it wants; 10 s when left out. */
  readonly patienceMs?: number;
  /** An address of this machine; 127.0.0.1 when left out. */
  readonly listen?: string;
  /** TLS with it; needed where other machines can reach the address. */
  readonly certificate?: CertificateFiles | null;
  /** How often its files are looked at; 30 s when left out. */
  readonly renewalMs?: number;
}

export interface HttpHost {
  readonly port: number;
  /** The console's address, with the token in its fragment, which browsers never send. */
  readonly url: string;
  close(): Promise<void>;
}

const MAX_SESSION_BODY_BYTES = 4096;
const PATIENCE_MS = 10_000;

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * The console and the contract over loopback HTTP, for machines without a display (through an SSH tunnel) and
 * for the browser; or over TLS, for other machines.
 *
 * Other users of the machine can reach the port, and so can any web page in the owner's browser. Hence: the
 * address carries a random token in its fragment, exchanged for a cookie that scripts cannot read; every request
 * must name this host (or a page could rebind its own name to it); and a WebSocket must come from this origin, or
 * show a token as programs do, which no page can.
 * @throws {ConflictError} if the port is taken, {FieldError} if it, the address or the certificate cannot be used.
 */
export async function createHttpHost(options: HttpHostOptions): Promise<HttpHost> {
  const { log, consoleDir } = options;
  const rpc = createRpcSockets(options.router, log);
  const door = createDoor({ ...options, patienceMs: options.patienceMs ?? PATIENCE_MS });
  const { server, scheme } = door;
  const port = await listen(door, options.port).catch((error: unknown) => {
    door.close();
    throw error;
  });
  const origin = `${scheme}://${door.name}:${port}`;
  const session = createSession(port, scheme === 'https');
  const bearers = createBearers(options.tokens);
  const api = createApi({ ...options, bearers }, () => origin);
  const serveConsole = consoleServer(consoleDir, log);
  const namesThisHost = (request: IncomingMessage) => door.answersTo(request.headers.host, port);
  // Names of loopback are one host; of a certificate that is for many hosts, each is another.
  const fromThisOrigin = ({ headers: { origin, host } }: IncomingMessage) =>
    origin === `${scheme}://${host}` ||
    (scheme === 'http' &&
      origin?.startsWith('http://') === true &&
      door.answersTo(origin.slice('http://'.length), port));

  server.on('request', (request, response) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    if (!namesThisHost(request)) {
      refuse(response, 403, `This host is ${origin}/ and answers to no other name.`);
      return;
    }
    const path = pathOf(request);
    if (path === '/metrics' || path === '/api' || path.startsWith('/api/')) {
      api(request, response, path).catch((error: unknown) => {
        log.error('a request over HTTP failed', { error: messageOf(error) });
        response.destroy();
      });
      return;
    }
    if (path !== '/session') {
      serveConsole(request, response);
      return;
    }
    response.setHeader('Cache-Control', 'no-store');
    if (request.method === 'GET') {
      response.writeHead(session.holds(request.headers.cookie) ? 204 : 401).end();
    } else if (request.method !== 'POST') {
      refuse(response, 405, 'Use GET or POST.');
    } else if (request.headers.origin !== undefined && !fromThisOrigin(request)) {
      refuse(response, 403, 'This page may not sign in here.');
    } else {
      signIn(request, response, session, bearers).catch((error: unknown) => {
        log.warn('a sign-in failed', { error: messageOf(error) });
        response.destroy();
      });
    }
  });

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', (error: Error) => log.info('a console was cut off', { error: error.message }));
    if (pathOf(request) !== '/rpc') return refuseUpgrade(socket, '404 Not Found');
    const program = request.headers.authorization !== undefined && request.headers.origin === undefined;
    if (!namesThisHost(request) || !(program || fromThisOrigin(request)))
      return refuseUpgrade(socket, '403 Forbidden');
    if (program) {
      const admission = bearers.admit(request);
      if ('token' in admission) {
        const deputy = { kind: 'token', name: admission.token.name } as const;
        return rpc.accept(request, socket, head, { guard: callGuard(bearers, request), deputy });
      }
      const { status } = admission.refusal;
      return refuseUpgrade(socket, status === 401 ? '401 Unauthorized' : '429 Too Many Requests');
    }
    if (!session.holds(request.headers.cookie)) return refuseUpgrade(socket, '401 Unauthorized');
    rpc.accept(request, socket, head);
  });
  server.on('clientError', (_error, socket) => {
    if (socket.writable)
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  server.on('error', (error) => log.error('the HTTP host failed', { error: error.message }));

  return {
    port,
    url: `${origin}/#token=${session.token}`,
    async close() {
      door.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await rpc.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen({ server, address }: Door, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        reject(
          new ConflictError(
            `port ${port} is taken`,
            'choose another with --port, or leave it out for a free one',
          ),
        );
      } else if (error.code === 'EADDRNOTAVAIL') {
        reject(
          new FieldError('--listen', address, 'this machine has no such address; `ip address` lists them'),
        );
      } else {
        reject(
          new FieldError(
            '--port',
            port,
            `choose one that you may open, such as 0 for any (${error.message})`,
          ),
        );
      }
    };
    server.once('error', fail);
    server.listen({ host: address, port, exclusive: true }, () => {
      server.off('error', fail);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** POST {"token": …} → 204 with the cookie, or 401; 429 after many wrong ones. */
async function signIn(
  request: IncomingMessage,
  response: ServerResponse,
  session: Session,
  bearers: Bearers,
): Promise<void> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    return refuse(response, 415, 'Send the token as JSON.');
  }
  const body = await readBody(request, MAX_SESSION_BODY_BYTES);
  if (body === null) return refuse(response, 413, 'That is no token.');
  if (!session.opens(tokenIn(body))) {
    const refusal = bearers.wrong();
    if (refusal !== null) return refuseBearer(response, refusal);
    return refuse(response, 401, 'That token is not valid. Open the address that `stint console` prints.');
  }
  response.writeHead(204, { 'Set-Cookie': session.setCookie }).end();
}

function tokenIn(body: string): string {
  try {
    const value: unknown = JSON.parse(body);
    const token = typeof value === 'object' && value !== null && 'token' in value ? value.token : '';
    return typeof token === 'string' ? token : '';
  } catch {
    // Not JSON: as good as no token, and answered like a wrong one.
    return '';
  }
}

/** The whole body as text; null when it is longer than allowed, which also ends the connection. */
async function readBody(request: IncomingMessage, limitBytes: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What is in a file of the build is in its name: a browser need not ask for it twice. */
function keepAssets(response: ServerResponse, path: string): void {
  if (/^\/assets\/[^/]+-[\w-]{8}\.\w+$/.test(path))
    response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
}

/** Static files of the console. It holds no secrets: everything it shows comes over the contract. */
function consoleServer(
  directory: string,
  log: Log,
): (request: IncomingMessage, response: ServerResponse) => void {
  let files: ReturnType<typeof sirv> | undefined;
  let builtAtMs: number | undefined;
  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      refuse(response, 405, 'Use GET.');
      return;
    }
    // sirv lists the files once, which also keeps it inside the directory. Another build needs another list, and
    // a first build no restart.
    try {
      const mtimeMs = statSync(join(directory, 'index.html'), { throwIfNoEntry: false })?.mtimeMs;
      if (mtimeMs !== builtAtMs) {
        files =
          mtimeMs === undefined
            ? undefined
            : sirv(directory, { etag: true, maxAge: 0, setHeaders: keepAssets });
        builtAtMs = mtimeMs;
      }
    } catch (error) {
      log.warn('the console cannot be read', { error: messageOf(error) });
      refuse(
        response,
        503,
        'The console cannot be read just now. Run `npm run build`, then load this page again.',
      );
      return;
    }
    // What was listed may be gone when it is read; sirv leaves that error to nobody.
    response.once('pipe', (source) =>
      source.once('error', (error) => {
        log.warn('a file of the console cannot be read', { error: messageOf(error) });
        response.destroy();
      }),
    );
    // Ranges serve media players; none is here, and sirv lets a bad one past the end of a file.
    delete request.headers.range;
    if (files) files(request, response, () => refuse(response, 404, 'There is nothing here.'));
    else refuse(response, 503, 'The console is not built. Run `npm run build`, then load this page again.');
  };
}

/** The path alone: a query may not smuggle anything, and is not looked at. */
const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split('?', 1)[0] ?? '/';

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
