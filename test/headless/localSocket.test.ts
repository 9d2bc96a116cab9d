import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { connect } from '../../src/cli/connect.ts';
import { chooseSocketPath, type LocalSocket, serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import { createFakeEngine, recordingLog } from './fakeRouter.ts';
import { until } from './until.ts';

let root: string;
let served: LocalSocket[];
const engine = createFakeEngine();

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stint-socket-'));
  served = [];
});
afterEach(async () => {
  for (const socket of served) await socket.close();
  rmSync(root, { recursive: true, force: true });
});

async function serve(home: string, env: Record<string, string> = {}): Promise<LocalSocket> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const socket = await serveLocalSocket({ home, router: engine.router, log: recordingLog(), env });
  served.push(socket);
  return socket;
}

async function version(home: string): Promise<string> {
  const connection = await connect(home);
  const info = await connection.client.system.info();
  connection.close();
  return info.version;
}

describe('the local socket', () => {
  it('is open to its owner alone, and serves the contract', async () => {
    const home = join(root, 'home with spaces: and #signs?');
    const { path } = await serve(home);
    expect(path).toBe(join(home, 'stint.sock'));
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
    expect(await version(home)).toBe('0.0.0-fake');
  });

  it('carries typed errors', async () => {
    const home = join(root, 'home');
    await serve(home);
    const connection = await connect(home);
    await expect(connection.client.jobs.get({ id: 7 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      data: { what: 'job', id: '7', remedy: 'see `stint ls`' },
    });
    connection.close();
  });

  it('replaces one that a killed process left, and refuses one that answers', async () => {
    const home = join(root, 'home');
    mkdirSync(home);
    const path = join(home, 'stint.sock');
    const killed = spawnSync(process.execPath, [
      '-e',
      `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    expect(killed.signal).toBe('SIGKILL');
    expect(existsSync(path)).toBe(true);
    await serve(home);
    expect(await version(home)).toBe('0.0.0-fake');

    await expect(serve(home)).rejects.toMatchObject({ name: 'ConflictError' });
    expect(await version(home)).toBe('0.0.0-fake');
  });

  it('never removes what is no socket', async () => {
    const home = join(root, 'home');
    mkdirSync(home);
    writeFileSync(join(home, 'stint.sock'), 'a file of somebody');
    await expect(serve(home)).rejects.toMatchObject({ name: 'FieldError', field: 'socket' });
    expect(readFileSync(join(home, 'stint.sock'), 'utf8')).toBe('a file of somebody');
  });

  it('is gone after the end', async () => {
    const home = join(root, 'home');
    const socket = await serve(home);
    await socket.close();
    served = [];
    expect(existsSync(socket.path)).toBe(false);
    await expect(connect(home)).rejects.toMatchObject({
      status: 3,
      message: expect.stringContaining(`no engine is running on ${home}; start one with \`stint serve\``),
    });
  });

  it('ends the streams of a client that is gone', async () => {
    const home = join(root, 'home');
    await serve(home);
    const connection = await connect(home);
    const stream = await connection.client.logs.follow({ id: 1 });
    await stream.next();
    expect(engine.openStreams()).toBe(1);
    connection.close();
    await until(() => engine.openStreams() === 0, 'the stream to end');
  });

  it('tells a client that the engine has ended', async () => {
    const home = join(root, 'home');
    const socket = await serve(home);
    const connection = await connect(home);
    await socket.close();
    served = [];
    await expect(connection.during((client) => client.system.info())).rejects.toMatchObject({ status: 3 });
  });

  it('tells it so, too, while the connection is still closing', async () => {
    const home = join(root, 'home');
    mkdirSync(home);
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (peer, request) => {
      // The engine's end of the socket stays open for a while after its last words.
      request.socket.end = () => setTimeout(() => request.socket.destroy(), 300) && request.socket;
      peer.close();
    });
    await new Promise<void>((resolve) => server.listen(join(home, 'stint.sock'), resolve));
    const connection = await connect(home);
    const asked = connection.during(async (client) => {
      for (;;) {
        await Promise.race([client.system.info(), delay(5)]);
      }
    });
    await expect(asked).rejects.toMatchObject({ status: 3 });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('a home whose path is too long for a socket', () => {
  const long = () => join(root, 'a'.repeat(60), 'b'.repeat(60));

  it('has it in the runtime directory, and says where', async () => {
    const runtime = join(root, 'run');
    mkdirSync(runtime);
    const { path } = await serve(long(), { XDG_RUNTIME_DIR: runtime });
    expect(path.startsWith(`${runtime}/stint/`)).toBe(true);
    expect((statSync(join(runtime, 'stint')).mode & 0o777).toString(8)).toBe('700');
    expect(readFileSync(join(long(), 'socket'), 'utf8').trim()).toBe(path);
    expect(await version(long())).toBe('0.0.0-fake');
    await served[0]!.close();
    served = [];
    expect(existsSync(join(long(), 'socket'))).toBe(false);
  });

  it('does not use a directory that others may open', () => {
    const runtime = join(root, 'run');
    mkdirSync(join(runtime, 'stint'), { recursive: true, mode: 0o777 });
    spawnSync('chmod', ['777', join(runtime, 'stint')]);
    expect(() => chooseSocketPath(long(), { XDG_RUNTIME_DIR: runtime })).toThrow(/not yours alone/);
  });
});
