import { spawnSync } from 'node:child_process';
import { chmodSync, realpathSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalSocket, serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import { createHttpHost, type HttpHost } from '../../src/headless/httpHost.ts';
import {
  eventually,
  removeHome,
  startEngine,
  type TestEngine,
  temporaryHome,
} from '../engine/support/testEngine.ts';
import { recordingLog } from './fakeRouter.ts';

let home: string;
let stint: TestEngine;
let host: HttpHost;
let socket: LocalSocket;
let token: string;

beforeAll(async () => {
  home = realpathSync(temporaryHome());
  stint = await startEngine({ home });
  const log = recordingLog();
  host = await createHttpHost({ ...stint.engine, port: 0, consoleDir: '/nowhere', log, patienceMs: 3000 });
  socket = await serveLocalSocket({ home, router: stint.engine.router, log, env: {} });
  token = (await stint.client.tokens.create({ name: 'reader', scope: 'read' })).token;
});
afterAll(async () => {
  await host.close();
  await socket.close();
  await stint.engine.stop();
  removeHome(home);
});

const ask = (path: string, body: unknown): Promise<Response> =>
  fetch(`http://127.0.0.1:${host.port}/api/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });

describe('somebody who sends slowly', () => {
  it('is cut off, and the engine answers others meanwhile', async () => {
    const ended = new Set<Socket>();
    const slow = [
      'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n',
      'POST /session HTTP/1.1\r\nContent-Le',
      '',
    ].flatMap((text) =>
      Array.from({ length: 40 }, () => {
        const one = connect(host.port, '127.0.0.1');
        // Cut off is what it is to be.
        one.on('error', () => undefined);
        one.on('close', () => ended.add(one));
        one.on('connect', () => void one.write(text));
        one.resume();
        return one;
      }),
    );
    await eventually(() => slow.every((one) => !one.connecting), Boolean, 'all to be connected');
    expect((await ask('scheduler/status', {})).status).toBe(200);
    expect(await stint.client.system.info()).toMatchObject({ home });
    await eventually(
      () => ended.size,
      (count) => count === slow.length,
      'all slow ones to be cut off',
      60_000,
    );
    expect((await ask('scheduler/status', {})).status).toBe(200);
  });
});

describe('somebody with a token that may read', () => {
  it.each([
    { id: '../../stint.db' },
    { id: 1, attempt: '../..' },
    { id: 1, attempt: -1 },
    { id: 1, attempt: 0.5 },
    { id: { $gt: 0 } },
    { id: 1, attempt: 99 },
  ])('reads no file but logs: %j', async (body) => {
    if ((await stint.client.jobs.list({})).total === 0) {
      await stint.untilOver((await stint.submit(['true'], { gpus: 0 })).id);
    }
    for (const path of ['logs/read', 'logs/search', 'logs/locate']) {
      const answer = await ask(path, { ...body, pattern: 'x', line: 1 });
      expect([400, 404]).toContain(answer.status);
    }
  });

  it('does not read through a link that a job put in place of its log', async () => {
    const secret = join(home, 'secret.txt');
    writeFileSync(secret, 'only for the owner');
    const job = await stint.submit(['sh', '-c', 'echo mine'], { gpus: 0 });
    await stint.untilOver(job.id);
    const path = join(home, 'jobs', String(job.id), '1', 'output.log');
    unlinkSync(path);
    symlinkSync(secret, path);
    for (const [procedure, more] of [
      ['logs/read', {}],
      ['logs/search', { pattern: 'owner' }],
      ['logs/locate', { line: 1 }],
      ['logs/follow', {}],
    ] as const) {
      const answer = await ask(procedure, { id: job.id, ...more });
      const text = await answer.text();
      expect(text).not.toContain('only for the owner');
      expect(text).toContain('no file any more');
    }
  });
});

describe('another user of this machine', () => {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) console.log('skipped: another user at the socket needs root, to become somebody else');
  const NOBODY = 65_534;

  /** What that user is told who tries. */
  const asNobody = (script: string, ...args: string[]): string => {
    const run = spawnSync(process.execPath, ['-e', script, ...args], {
      uid: NOBODY,
      gid: NOBODY,
      encoding: 'utf8',
      cwd: '/',
    });
    return run.error === undefined ? run.stdout.trim() : String(run.error);
  };

  it.skipIf(!isRoot)('opens neither socket nor file, even where the directory was left open', async () => {
    const canRun = asNobody('console.log("runs")');
    if (canRun !== 'runs')
      return console.log(`skipped: nobody cannot run ${process.execPath} here: ${canRun}`);
    const dial = `require('net').connect(process.argv[1]).on('connect',()=>console.log('in')).on('error',e=>console.log(e.code))`;
    const read = `try{require('fs').readFileSync(process.argv[1]);console.log('in')}catch(e){console.log(e.code)}`;
    expect(asNobody(dial, socket.path)).toBe('EACCES');
    chmodSync(home, 0o755);
    try {
      expect(asNobody(dial, socket.path)).toBe('EACCES');
    } finally {
      chmodSync(home, 0o700);
    }
    for (const file of ['stint.db', 'jobs', 'console.json'])
      expect(asNobody(read, join(home, file))).toBe('EACCES');
  });
});
