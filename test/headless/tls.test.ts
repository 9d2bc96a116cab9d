import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Connection, connect as connectClient } from '../../src/cli/connect.ts';
import { readCertificate } from '../../src/headless/certificate.ts';
import { createHttpHost, type HttpHost } from '../../src/headless/httpHost.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from '../engine/support/testEngine.ts';
import { type Ran, run } from './commandHarness.ts';
import { recordingLog } from './fakeRouter.ts';
import { until } from './until.ts';

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.js');
const DAY_MS = 86_400_000;
/** Each command is a process that reads the sources; a busy machine takes seconds for one. */
const COMMANDS_MS = 180_000;
const PATIENCE_MS = 6000;

let home: string;
let dir: string;
let stint: TestEngine;
let host: HttpHost;
const tokens = { read: '', act: '' };
const log = recordingLog();

const at = (name: string): string => join(dir, name);
const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
};
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
/** A certificate of our own authority for a year, NAME.pem, and its key, NAME.key. */
function certify(name: string, alternatives: string | null): void {
  openssl(
    ...['req', '-x509', ...KEY, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '365'],
    ...['-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
    ...(alternatives === null ? [] : ['-addext', `subjectAltName=${alternatives}`]),
    ...['-keyout', `${name}.key`, '-out', `${name}.pem`],
  );
  chmodSync(at(`${name}.key`), 0o600);
}
const files = (name: string) => ({ certPath: at(`${name}.pem`), keyPath: at(`${name}.key`) });
/** As a renewal does it: each file at once, one after the other. */
function install(from: string, part: 'pem' | 'key'): void {
  writeFileSync(at('next'), readFileSync(at(`${from}.${part}`)), { mode: 0o600 });
  renameSync(at('next'), at(`live.${part}`));
}
const open = (certificate: { certPath: string; keyPath: string } | null, listen = '127.0.0.1') =>
  createHttpHost({
    ...stint.engine,
    port: 0,
    consoleDir: '/nowhere',
    log,
    listen,
    certificate,
    patienceMs: PATIENCE_MS,
    renewalMs: 50,
  });

beforeAll(async () => {
  home = temporaryHome();
  dir = join(home, 'tls');
  mkdirSync(dir);
  openssl('req', '-x509', ...KEY, '-days', '3650', '-subj', '/CN=us', '-keyout', 'ca.key', '-out', 'ca.pem');
  certify('first', 'DNS:localhost');
  certify('second', 'DNS:localhost');
  certify('nameless', null);
  install('first', 'pem');
  install('first', 'key');
  stint = await startEngine({ home });
  host = await open(files('live'));
  for (const scope of ['read', 'act'] as const) {
    tokens[scope] = (await stint.client.tokens.create({ name: scope, scope })).token;
  }
});
afterAll(async () => {
  await host.close();
  await stint.engine.stop();
  rmSync(dir, { recursive: true, force: true });
  removeHome(home);
});

const url = () => `https://localhost:${host.port}`;
/** From a machine that has neither the data directory nor the authority. */
const cli = (env: Record<string, string>, ...args: string[]): Promise<Ran> =>
  run(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], {
    ...process.env,
    STINT_HOME: '/nowhere',
    ...env,
  });

interface Answer {
  readonly status: number;
  readonly cookie: string;
}
const ask = (path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> =>
  new Promise((done, fail) => {
    const sent = request(
      `https://localhost:${host.port}${path}`,
      {
        ca: readFileSync(at('ca.pem')),
        servername: 'localhost',
        agent: false,
        headers,
        method: body === undefined ? 'GET' : 'POST',
      },
      (response) => {
        response.resume();
        response.once('end', () =>
          done({ status: response.statusCode ?? 0, cookie: response.headers['set-cookie']?.[0] ?? '' }),
        );
      },
    );
    sent.once('error', fail);
    sent.end(body);
  });

/** The serial number of the certificate that is shown now. */
const shown = (): Promise<string> =>
  new Promise((done, fail) => {
    const socket = connectTls(
      { host: 'localhost', port: host.port, servername: 'localhost', ca: readFileSync(at('ca.pem')) },
      () => {
        done(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      },
    );
    socket.once('error', fail);
  });

describe('over TLS', { timeout: COMMANDS_MS }, () => {
  it('the command line does what the token may, with a certificate that it trusts', async () => {
    const env = { STINT_URL: url(), STINT_CA: at('ca.pem'), STINT_TOKEN: tokens.act };
    const submitted = await cli(env, 'submit', '--gpus', '0', '--', 'echo', 'from afar');
    expect([submitted.status, submitted.stderr]).toEqual([0, '']);
    const id = submitted.stdout.trim();
    expect((await cli(env, 'wait', id)).status).toBe(0);
    expect((await cli(env, 'logs', id)).stdout).toBe('from afar\n');
    const refused = await cli({ ...env, STINT_TOKEN: tokens.read }, 'cancel', id);
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringContaining('needs a token of scope act'),
    ]);
  });

  it('the command line says what is wrong with address, token and certificate', async () => {
    const env = { STINT_TOKEN: tokens.read };
    const at127 = `https://127.0.0.1:${host.port}`;
    for (const [given, args, said] of [
      [env, ['--url', url()], /signed by nobody known here; give the file .*--ca/],
      [env, ['--url', at127, '--ca', at('ca.pem')], /is for another host/],
      [env, ['--url', url(), '--ca', at('first.key')], /--ca: .*certificates in PEM/],
      [env, ['--url', 'http://workstation:7717'], /--url: .*give https/],
      [env, ['--url', url(), '--data', home], /--url: .*give it or --data/],
      [{ STINT_TOKEN: '' }, ['--url', url()], /STINT_TOKEN: .*stint token create/],
      [{ STINT_TOKEN: 'guessed' }, ['--url', url(), '--ca', at('ca.pem')], /does not know the token/],
    ] as const) {
      const { status, stderr } = await cli(given, 'ls', ...args);
      expect(stderr).toMatch(said);
      expect([status, stderr.includes(tokens.read)]).toEqual([status === 2 ? 2 : 1, false]);
    }
  });

  it("Python's client verifies too", async () => {
    const python = (env: Record<string, string>) =>
      run('python3', ['-c', 'import stint; print(stint.connect().call("system.info")["home"])'], {
        ...process.env,
        PYTHONPATH: resolve(import.meta.dirname, '../../resources/python'),
        PYTHONDONTWRITEBYTECODE: '1',
        STINT_TOKEN: tokens.read,
        STINT_URL: url(),
        ...env,
      });
    const trusted = await python({ STINT_CA: at('ca.pem') });
    expect([trusted.stderr, trusted.stdout]).toEqual(['', `${home}\n`]);
    expect((await python({})).stderr).toMatch(/CERTIFICATE_VERIFY_FAILED/);
    expect((await python({ STINT_URL: 'http://workstation:7717' })).stderr).toMatch(/give https/);
  });

  it('a renewed certificate is shown without a restart, and half of a renewal is not', async () => {
    const first = await shown();
    install('second', 'key');
    await until(
      () => log.lines.some((line) => line.includes('the one before stays')),
      'half of it is noticed',
    );
    expect(await shown()).toBe(first);
    install('second', 'pem');
    await until(async () => (await shown()) !== first, 'the new one is shown');
    expect((await ask('/api/jobs/list', { Authorization: `Bearer ${tokens.read}` }, '{}')).status).toBe(200);
  });

  it('does not start with what would not do', async () => {
    await expect(open(null, '0.0.0.0')).rejects.toThrow(/--listen.*--tls-cert and --tls-key/);
    await expect(open(null, 'workstation')).rejects.toThrow(/--listen.*an address of this machine/);
    await expect(open(files('first'), '203.0.113.7')).rejects.toThrow(/--listen.*no such address/);
    await expect(open(files('none'))).rejects.toThrow(/--tls-cert.*can be read/);
    await expect(open(files('nameless'))).rejects.toThrow(/--tls-cert.*names no host/);
    await expect(open({ ...files('first'), keyPath: at('second.key') })).rejects.toThrow(
      /--tls-key.*belongs to the certificate/,
    );
    await expect(open({ ...files('first'), keyPath: at('first.pem') })).rejects.toThrow(
      /--tls-key.*private key/,
    );
    chmodSync(at('first.key'), 0o644);
    await expect(open(files('first'))).rejects.toThrow(/--tls-key.*chmod 600/);
    chmodSync(at('first.key'), 0o600);
    expect(() => readCertificate(files('first'), Date.now() + 400 * DAY_MS)).toThrow(/expired/);
    expect(() => readCertificate(files('first'), Date.now() - 400 * DAY_MS)).toThrow(/valid from/);
    const half = await cli({ STINT_HOME: join(home, 'other') }, 'serve', '--tls-cert', at('first.pem'));
    expect([half.status, half.stderr]).toEqual([2, expect.stringMatching(/--tls-key.*give it too/)]);
  });
});

describe('an attacker at the TLS port', () => {
  it('gets nothing by another name, a foreign page, a guess, or without a token', async () => {
    expect((await ask('/', { Host: `evil.example:${host.port}` })).status).toBe(403);
    const signedIn = await ask(
      '/session',
      { 'Content-Type': 'application/json' },
      JSON.stringify({ token: new URL(host.url).hash.slice('#token='.length) }),
    );
    expect(signedIn).toMatchObject({ status: 204, cookie: expect.stringContaining('; Secure') });
    const cookie = signedIn.cookie.split(';')[0] ?? '';
    const upgrade = (headers: Record<string, string>): Promise<number> =>
      new Promise((done) => {
        const ws = new WebSocket(`wss://localhost:${host.port}/rpc`, {
          ca: readFileSync(at('ca.pem')),
          headers,
        });
        ws.on('error', () => undefined);
        ws.once('open', () => {
          done(101);
          ws.terminate();
        });
        ws.once('unexpected-response', (sent, response) => {
          done(response.statusCode ?? 0);
          sent.destroy();
        });
      });
    expect(await upgrade({ Cookie: cookie, Origin: url() })).toBe(101);
    expect(await upgrade({ Cookie: cookie, Origin: 'https://evil.example' })).toBe(403);
    // A page cannot send a token with a WebSocket; if one could, it would still be foreign.
    expect(await upgrade({ Authorization: `Bearer ${tokens.act}`, Origin: 'https://evil.example' })).toBe(
      403,
    );
    expect(await upgrade({ Origin: url() })).toBe(401);
    expect(await upgrade({})).toBe(403);
    // Of all wrong tokens together, at the sign-in and elsewhere, only so many are listened to. All at once, because the allowance grows.
    const guess = JSON.stringify({ token: 'guess' });
    const guesses = Array.from({ length: 40 }, async (_, n) =>
      n % 2 === 0
        ? (await ask('/session', { 'Content-Type': 'application/json' }, guess)).status
        : upgrade({ Authorization: 'Bearer guess' }),
    );
    expect(new Set(await Promise.all(guesses))).toEqual(new Set([401, 429]));
    expect(await upgrade({ Authorization: `Bearer ${tokens.read}` })).toBe(101);
  });

  it('is cut off when slow, and others are served meanwhile', async () => {
    const ended = new Set<Socket>();
    const slow = ['', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'].flatMap((text) =>
      Array.from({ length: 20 }, () => {
        const one = connect(host.port, '127.0.0.1');
        // Cut off is what it is to be.
        one.on('error', () => undefined);
        one.on('close', () => ended.add(one));
        one.on('connect', () => void one.write(text));
        one.resume();
        return one;
      }),
    );
    const authorized = { Authorization: `Bearer ${tokens.read}` };
    expect((await ask('/api/jobs/list', authorized, '{}')).status).toBe(200);
    await until(() => ended.size === slow.length, 'all are cut off', 30_000);
  });

  it('keeps no connection of a token that was revoked', async () => {
    const made = await stint.client.tokens.create({ name: 'brief', scope: 'read' });
    const line: Connection = await connectClient({
      url: url(),
      token: made.token,
      ca: readFileSync(at('ca.pem'), 'utf8'),
    });
    try {
      await line.client.jobs.list({});
      await stint.client.tokens.revoke({ name: 'brief' });
      await expect(line.client.jobs.list({})).rejects.toThrow(/Send a token|Too many/);
    } finally {
      line.close();
    }
  });
});
