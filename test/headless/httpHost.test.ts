import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { StintClient } from '../../src/contract/client.ts';
import { createHttpHost, type HttpHost } from '../../src/headless/httpHost.ts';
import { createFakeEngine, type FakeEngine, recordingLog } from './fakeRouter.ts';
import { until } from './until.ts';

let directory: string;
let host: HttpHost;
let engine: FakeEngine;
let log: ReturnType<typeof recordingLog>;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'stint-http-'));
  const consoleDir = join(directory, 'renderer');
  mkdirSync(join(consoleDir, 'assets'), { recursive: true });
  writeFileSync(join(consoleDir, 'index.html'), '<!doctype html><title>Stint</title>');
  writeFileSync(join(consoleDir, 'assets', 'main.js'), 'export {};');
  writeFileSync(join(directory, 'secret.txt'), 'not for the web');
  engine = createFakeEngine();
  log = recordingLog();
  host = await createHttpHost({ ...engine, port: 0, consoleDir, log });
});
afterEach(async () => {
  await host.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Sends the path as it is: fetch would tidy it up first. */
function ask(path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port: host.port, path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

const token = () => new URL(host.url).hash.slice('#token='.length);
const origin = () => `http://127.0.0.1:${host.port}`;
const json = { 'Content-Type': 'application/json' };
const signIn = (given: string, headers: Record<string, string> = {}) =>
  ask('/session', {
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify({ token: given }),
  });

async function cookie(): Promise<string> {
  const answer = await signIn(token());
  return answer.headers['set-cookie']![0]!.split(';')[0]!;
}

/** Opens `/rpc`: the socket, or the status with which it was refused. */
function open(headers: Record<string, string>, path = '/rpc'): Promise<WebSocket | number> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`ws://127.0.0.1:${host.port}${path}`, { headers });
    ws.on('open', () => resolve(ws));
    ws.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    ws.on('error', reject);
  });
}

async function openClient(): Promise<{ ws: WebSocket; client: StintClient }> {
  const ws = await open({ Origin: origin(), Cookie: await cookie() });
  if (typeof ws === 'number') throw new Error(`refused with ${ws}`);
  return { ws, client: createORPCClient(new RPCLink({ websocket: ws as unknown as globalThis.WebSocket })) };
}

describe('signing in', () => {
  it('exchanges the token for a cookie that scripts cannot read', async () => {
    expect((await ask('/session')).status).toBe(401);
    const answer = await signIn(token());
    expect(answer.status).toBe(204);
    const header = answer.headers['set-cookie']![0]!;
    expect(header).toMatch(
      new RegExp(`^stint_session_${host.port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/$`),
    );
    expect(header).not.toContain(token());
    expect((await ask('/session', { headers: { Cookie: header.split(';')[0]! } })).status).toBe(204);
  });

  it('has a token of 256 bits, in the fragment alone', () => {
    expect(Buffer.from(token(), 'base64url')).toHaveLength(32);
    const url = new URL(host.url);
    expect({ host: url.host, path: url.pathname, query: url.search }).toEqual({
      host: `127.0.0.1:${host.port}`,
      path: '/',
      query: '',
    });
  });

  it.each([
    [
      'a wrong token',
      () => JSON.stringify({ token: `${token().slice(0, -1)}${token().endsWith('A') ? 'B' : 'A'}` }),
      401,
    ],
    ['an empty token', () => JSON.stringify({ token: '' }), 401],
    ['a token that is no string', () => JSON.stringify({ token: [token()] }), 401],
    ['no token', () => '{}', 401],
    ['null', () => 'null', 401],
    ['no JSON', () => token(), 401],
    ['nothing', () => '', 401],
    ['far too much', () => JSON.stringify({ token: 'x'.repeat(100_000) }), 413],
  ])('refuses %s', async (_name, body, status) => {
    const answer = await ask('/session', { method: 'POST', headers: json, body: body() });
    expect(answer.status).toBe(status);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('refuses what a form of another page could send', async () => {
    const body = JSON.stringify({ token: token() });
    const form = await ask('/session', { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body });
    expect(form.status).toBe(415);
    for (const foreign of ['http://evil.example', 'null', `http://127.0.0.1:${host.port + 1}`]) {
      expect((await signIn(token(), { Origin: foreign })).status).toBe(403);
    }
    expect((await signIn(token(), { Origin: `http://localhost:${host.port}` })).status).toBe(204);
  });

  it('refuses other cookies, and other methods', async () => {
    const good = await cookie();
    const [name] = good.split('=') as [string];
    for (const bad of [`${name}=`, `${name}=${token()}`, `${good}x`, good.replace('stint', 'stunt'), name]) {
      expect((await ask('/session', { headers: { Cookie: bad } })).status, bad).toBe(401);
    }
    expect((await ask('/session', { headers: { Cookie: `a=b; ${good}; c` } })).status).toBe(204);
    expect((await ask('/session', { method: 'DELETE' })).status).toBe(405);
  });

  it('says nothing of the token or the cookie in its log', async () => {
    const good = await cookie();
    await signIn('wrong');
    await ask(`/?token=${token()}`);
    await ask(`/session?token=${token()}`, { method: 'POST', headers: json, body: '{}' });
    await open({ Origin: 'http://evil.example', Cookie: good });
    const written = log.lines.join('\n');
    expect(written).not.toContain(token());
    expect(written).not.toContain(good.split('=')[1]);
  });

  it('takes no token from the query', async () => {
    expect((await ask(`/session?token=${token()}`)).status).toBe(401);
    expect(await open({ Origin: origin() }, `/rpc?token=${token()}`)).toBe(401);
  });
});

describe('requests under another name', () => {
  it.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1',
    'localhost',
    '127.0.0.1:1',
    'localhost.evil.example',
  ])('refuses Host %j everywhere', async (name) => {
    for (const path of ['/', '/assets/main.js', '/session']) {
      const answer = await ask(path, { headers: { Host: name } });
      expect(answer.status, path).toBe(403);
      expect(answer.body, path).not.toContain('doctype');
    }
    const signedIn = { Origin: origin(), Cookie: await cookie() };
    expect(await open({ ...signedIn, Host: name })).toBe(403);
    expect((await signIn(token(), { Host: name })).status).toBe(403);
  });

  it('answers to localhost as well', async () => {
    expect((await ask('/', { headers: { Host: `localhost:${host.port}` } })).status).toBe(200);
  });

  it('listens on the loopback address alone', async () => {
    const other = await new Promise<string>((resolve) => {
      const socket = connect({ host: '127.0.0.2', port: host.port });
      socket.on('connect', () => resolve('connected')).on('error', (error) => resolve(error.message));
      socket.on('connect', () => socket.destroy());
    });
    expect(other).toContain('ECONNREFUSED');
  });
});

describe('the WebSocket', () => {
  it('lets in a console that has signed in, from this origin', async () => {
    const { ws, client } = await openClient();
    expect(await client.system.info()).toMatchObject({ version: '0.0.0-fake' });
    ws.close();
  });

  it.each([
    ['no cookie', async () => ({ Origin: origin() }), 401],
    ['a wrong cookie', async () => ({ Origin: origin(), Cookie: `stint_session_${host.port}=x` }), 401],
    ['no Origin', async () => ({ Cookie: await cookie() }), 403],
    ['a foreign Origin', async () => ({ Origin: 'http://evil.example', Cookie: await cookie() }), 403],
    [
      'another port',
      async () => ({ Origin: `http://127.0.0.1:${host.port + 1}`, Cookie: await cookie() }),
      403,
    ],
    ['https', async () => ({ Origin: `https://127.0.0.1:${host.port}`, Cookie: await cookie() }), 403],
    ['the null origin', async () => ({ Origin: 'null', Cookie: await cookie() }), 403],
  ])('refuses %s', async (_name, headers, status) => {
    expect(await open(await headers())).toBe(status);
  });

  it('refuses other paths', async () => {
    expect(await open({ Origin: origin(), Cookie: await cookie() }, '/')).toBe(404);
  });

  it('cuts off whoever sends more than 8 MiB, and goes on serving', async () => {
    const { ws } = await openClient();
    const code = new Promise((resolve) => ws.on('close', resolve));
    ws.on('error', () => undefined);
    ws.send('x'.repeat(8 * 1024 * 1024 + 1));
    expect(await code).toBe(1009);
    const second = await openClient();
    expect(await second.client.system.info()).toMatchObject({ version: '0.0.0-fake' });
    second.ws.close();
  });

  it('makes a stream as slow as its reader, and ends it when the reader is gone', async () => {
    const { ws, client } = await openClient();
    const stream = await client.logs.follow({ id: 1 });
    await stream.next();
    ws.pause();
    // Stopped once the kernel's buffers are full: the count no longer grows.
    let last = -1;
    await until(async () => {
      const before = engine.chunksTaken();
      await new Promise((resolve) => setTimeout(resolve, 200));
      const steady = before === last && engine.chunksTaken() === before;
      last = engine.chunksTaken();
      return steady;
    }, 'the engine to stop producing');
    expect(engine.openStreams()).toBe(1);
    expect(engine.chunksTaken()).toBeLessThan(2000);
    ws.terminate();
    await until(() => engine.openStreams() === 0, 'the stream to end');
  });

  it('tells its clients when it ends', async () => {
    const { ws, client } = await openClient();
    const stream = await client.logs.follow({ id: 1 });
    await stream.next();
    const code = new Promise((resolve) => ws.on('close', resolve));
    await host.close();
    expect(await code).toBe(1001);
    await until(() => engine.openStreams() === 0, 'the stream to end');
  });
});

describe('the console’s files', () => {
  it('are served with headers that keep other pages and scripts out', async () => {
    const page = await ask('/');
    expect({ status: page.status, body: page.body }).toEqual({
      status: 200,
      body: '<!doctype html><title>Stint</title>',
    });
    expect(page.headers).toMatchObject({
      'content-security-policy':
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    });
    expect((await ask('/assets/main.js')).headers['content-type']).toMatch(/javascript/);
    expect((await ask('/', { method: 'POST' })).status).toBe(405);
  });

  it.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
    '/..\\secret.txt',
    '//../secret.txt',
    '/%00../secret.txt',
    '/%',
    '/.%252e/secret.txt',
  ])('does not serve %s', async (path) => {
    const answer = await ask(path);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body).not.toContain('not for the web');
  });

  it('are missing before a build, and it says how to make them', async () => {
    const consoleDir = join(directory, 'later');
    const early = await createHttpHost({ ...engine, port: 0, consoleDir, log });
    const url = `http://127.0.0.1:${early.port}/`;
    const before = await fetch(url);
    expect({ status: before.status, body: await before.text() }).toEqual({
      status: 503,
      body: expect.stringContaining('npm run build'),
    });
    mkdirSync(consoleDir);
    writeFileSync(join(consoleDir, 'index.html'), 'built');
    expect(await (await fetch(url)).text()).toBe('built');
    writeFileSync(join(consoleDir, 'index.html'), 'built again, and longer');
    utimesSync(join(consoleDir, 'index.html'), 1, 1);
    const page = await fetch(url);
    expect(await page.text()).toBe('built again, and longer');
    // The page is asked for anew each time, and leads to files of which each is what its name says for good.
    expect(page.headers.get('cache-control')).toContain('max-age=0');
    mkdirSync(join(consoleDir, 'assets'));
    for (const name of ['main-Bxv_9Wy7.js', 'notes.txt'])
      writeFileSync(join(consoleDir, 'assets', name), 'x');
    utimesSync(join(consoleDir, 'index.html'), 2, 2);
    const kept = async (name: string) => (await fetch(`${url}assets/${name}`)).headers.get('cache-control');
    expect(await kept('main-Bxv_9Wy7.js')).toBe('public, max-age=31536000, immutable');
    expect(await kept('notes.txt')).toContain('max-age=0');
    await early.close();
  });

  it('may vanish while they are served: that ends the answer, not the engine', async () => {
    const consoleDir = join(directory, 'torn');
    mkdirSync(consoleDir);
    writeFileSync(join(consoleDir, 'index.html'), 'whole');
    writeFileSync(join(consoleDir, 'main.js'), 'whole');
    const torn = await createHttpHost({ ...engine, port: 0, consoleDir, log });
    const url = `http://127.0.0.1:${torn.port}/`;
    expect((await fetch(url)).status).toBe(200);
    rmSync(join(consoleDir, 'main.js'));
    await expect(fetch(`${url}main.js`).then((answer) => answer.text())).rejects.toThrow();
    symlinkSync(join(consoleDir, 'nowhere'), join(consoleDir, 'dangling'));
    utimesSync(join(consoleDir, 'index.html'), 1, 1);
    expect((await fetch(url)).status).toBe(503);
    rmSync(join(consoleDir, 'dangling'));
    expect(await (await fetch(url)).text()).toBe('whole');
    await torn.close();
  });
});

it('names the port that is taken', async () => {
  await expect(
    createHttpHost({ ...engine, port: host.port, consoleDir: directory, log }),
  ).rejects.toMatchObject({
    name: 'ConflictError',
    message: expect.stringContaining(`port ${host.port} is taken`),
  });
});

it('answers garbage with 400', async () => {
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: host.port }, () =>
      socket.write('\u0000\u0001 nonsense\r\n\r\n'),
    );
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('close', () => resolve(text)).on('error', reject);
  });
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
});
