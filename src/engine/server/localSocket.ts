import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { AGENT_HEADER } from '../../contract/agentHeader.ts';
import { agentCalled } from '../../domain/deputy.ts';
import { ConflictError, FieldError, messageOf } from '../../domain/errors.ts';
import type { Log } from '../ports.ts';
import type { CallContext } from './caller.ts';
import { createRpcSockets, type StintRouter } from './rpcSockets.ts';

// As an import, node:http makes all that it exports, WebSocket among it, which takes time at every start.
const { createServer } = process.getBuiltinModule('node:http');

/** What fits into `sun_path` on Linux with its final NUL; macOS has four bytes less. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;
const PROBE_TIMEOUT_MS = 2000;

export interface LocalSocketOptions {
  /** The data directory; it exists and belongs to its owner alone. */
  readonly home: string;
  readonly router: StintRouter;
  readonly log: Log;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface LocalSocket {
  readonly path: string;
  close(): Promise<void>;
}

/**
 * Serves the contract to programs of the same user: HTTP that becomes a WebSocket at `/rpc`, over a Unix domain
 * socket (a named pipe on Windows) that only its owner can open.
 *
 * It lies at `stint.sock` in the home. Where that path is longer than a socket's may be, it lies in a short
 * directory of the user's, and the file `socket` in the home says where; clients look there first.
 * @throws {ConflictError} if another engine answers there already.
 * @throws {FieldError} if something that is not a socket is in its place.
 */
export async function serveLocalSocket(options: LocalSocketOptions): Promise<LocalSocket> {
  const { home, log } = options;
  const path = chooseSocketPath(home, options.env ?? process.env);
  const isPipe = path.startsWith('\\\\.\\pipe\\');
  if (!isPipe) await clearStaleSocket(path, home);

  const rpc = createRpcSockets(options.router, log);
  const server = createServer((_request, response) => {
    response.writeHead(426, { Connection: 'close', 'Content-Type': 'text/plain' });
    response.end('This is the socket of the Stint engine. Use the stint command to talk to it.\n');
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', (error) => log.warn('a local client was cut off', { error: error.message }));
    if (request.url !== '/rpc') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    rpc.accept(request, socket, head, agentOf(request.headers[AGENT_HEADER]));
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? inUse(home)
          : new FieldError(
              'data directory',
              home,
              `choose one where a socket can be made (${error.message})`,
            ),
      ),
    );
    server.listen(path, resolve);
  });
  server.on('error', (error) => log.error('the local socket failed', { error: error.message }));
  // The directory is 0700, so nobody could have come in before this.
  if (!isPipe) chmodSync(path, 0o600);
  const pointer = join(home, 'socket');
  if (path === join(home, 'stint.sock')) rmSync(pointer, { force: true });
  else writeFileSync(pointer, `${path}\n`, { mode: 0o600 });

  return {
    path,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await rpc.close();
      server.closeAllConnections();
      await closed;
      rmSync(pointer, { force: true });
    },
  };
}

/** The agent that says it speaks here for the owner; a program of the owner's that says nothing is the owner. */
function agentOf(header: string | string[] | undefined): CallContext {
  if (typeof header !== 'string') return {};
  try {
    return { deputy: agentCalled(decodeURIComponent(header)) };
  } catch {
    // Not as it is meant to be written: it is an agent all the same.
    return { deputy: agentCalled(header) };
  }
}

/** Where the socket of `home` goes. Makes the short directory if it needs one. */
export function chooseSocketPath(home: string, env: Readonly<Record<string, string | undefined>>): string {
  const digest = createHash('sha256').update(home).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\stint-${digest}`;
  const usual = join(home, 'stint.sock');
  if (Buffer.byteLength(usual) <= MAX_SOCKET_PATH_BYTES) return usual;
  const runtime = env.XDG_RUNTIME_DIR;
  const directory =
    runtime && isAbsolute(runtime) && Buffer.byteLength(runtime) < 64
      ? join(runtime, 'stint')
      : join(Buffer.byteLength(tmpdir()) < 64 ? tmpdir() : '/tmp', `stint-${userInfo().uid}`);
  makePrivate(directory);
  return join(directory, `${digest}.sock`);
}

/** /tmp is everybody's: a directory that somebody else has put there first must not be used. */
function makePrivate(directory: string): void {
  const remedy = 'remove it, or choose a shorter data directory';
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new FieldError('socket directory', directory, `${remedy} (${messageOf(error)})`);
    }
  }
  const stat = lstatSync(directory);
  if (!stat.isDirectory() || stat.uid !== userInfo().uid || (stat.mode & 0o077) !== 0) {
    throw new FieldError('socket directory', directory, `it is not yours alone; ${remedy}`);
  }
}

/** Removes a socket that an engine left when it was killed; never one that still answers. */
async function clearStaleSocket(path: string, home: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return;
  if (!stat.isSocket()) {
    throw new FieldError('socket', path, 'something else is in its place; move it away');
  }
  if (await answers(path)) throw inUse(home);
  rmSync(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS);
    socket.once('connect', () => settle(true));
    // Full backlog or no answer in time: somebody holds it. Only a refusal proves that nobody does.
    socket.once('timeout', () => settle(true));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      settle(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

const inUse = (home: string) =>
  new ConflictError(
    `a Stint engine is running already on ${home}`,
    'use that one, end it first, or choose another data directory',
  );
