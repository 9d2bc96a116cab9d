import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobView } from '../../src/contract/messages.ts';
import { type LocalSocket, serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import { createHttpHost, type HttpHost } from '../../src/headless/httpHost.ts';
import {
  eventually,
  removeHome,
  startEngine,
  type TestEngine,
  temporaryHome,
} from '../engine/support/testEngine.ts';
import { commandLineOf, type Ran, run } from './commandHarness.ts';
import { recordingLog } from './fakeRouter.ts';

let home: string;
let stint: TestEngine;
let host: HttpHost;
let socket: LocalSocket;
const log = recordingLog();
const tokens = { read: '', act: '', admin: '' };
const cli = commandLineOf(() => home);

beforeAll(async () => {
  home = temporaryHome();
  stint = await startEngine({ home });
  host = await createHttpHost({ ...stint.engine, port: 0, consoleDir: '/nowhere', log });
  socket = await serveLocalSocket({ home, router: stint.engine.router, log });
  for (const scope of ['read', 'act', 'admin'] as const) {
    const { status, stdout, stderr } = await cli('token', 'create', scope, '--scope', scope);
    expect([status, stderr]).toEqual([0, '']);
    tokens[scope] = stdout.trim();
  }
});
afterAll(async () => {
  await host.close();
  await socket.close();
  await stint.engine.stop();
  removeHome(home);
});

const base = () => `http://127.0.0.1:${host.port}`;
const call = (path: string, token: string | null, body: unknown = {}, headers: Record<string, string> = {}) =>
  fetch(`${base()}/api/${path}`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify(body),
  });

describe('a program with a token', () => {
  it('submits a job, waits for it and reads its output, within its scope', async () => {
    const spec = { command: ['echo', 'from afar'], cwd: '/', user: 'tester', gpus: 0 };
    const submitted = await call('jobs/submit', tokens.act, spec);
    expect(submitted.status).toBe(200);
    const { id } = (await submitted.json()) as JobView;
    await stint.untilOver(id);
    const job = (await (await call('jobs/get', tokens.read, { id })).json()) as JobView;
    expect(job).toMatchObject({ id, status: 'succeeded', exitCode: 0 });
    // The console and the command line are the owner's own hand; this was not.
    const held = await stint.submit(['true'], { hold: true });
    expect((await call('jobs/prioritise', tokens.act, { id: held.id, priority: 7 })).status).toBe(200);
    expect((await cli('cancel', String(held.id))).status).toBe(0);
    const shown = await cli('show', String(held.id));
    expect(shown.stdout).toMatch(/submitted by person\n.*prioritised by token act\n.*withdrawn by person/);
    const log = await (await call('logs/read', tokens.read, { id })).json();
    expect(log).toMatchObject({ text: 'from afar\n' });
    const stream = await (await call('logs/follow', tokens.read, { id })).text();
    expect(stream).toContain('event: message');
    expect(stream).toContain('from afar');
  });

  it('is told what is wrong: the field, the value, the remedy', async () => {
    const answer = await call('jobs/submit', tokens.act, { command: [], cwd: '/' });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 'BAD_REQUEST', data: { field: 'command' } });
    expect((await call('jobs/get', tokens.read, { id: 999 })).status).toBe(404);
    expect((await call('jobs/fly', tokens.read)).status).toBe(404);
  });

  it('may do no more than its scope says', async () => {
    const refused = await call('jobs/submit', tokens.read, { command: ['true'], cwd: '/', user: 'tester' });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({
      message: 'jobs.submit needs a token of scope act; read is of read',
    });
    expect((await call('tokens/create', tokens.act, { name: 'more', scope: 'admin' })).status).toBe(403);
    expect((await call('tokens/list', tokens.act)).status).toBe(403);
    expect((await call('settings/set', tokens.act, { rules: {} })).status).toBe(403);
    expect((await call('settings/get', tokens.read)).status).toBe(200);
    expect((await call('tokens/list', tokens.admin)).status).toBe(200);
  });

  it('finds the interface described', async () => {
    expect((await fetch(`${base()}/api/openapi.json`)).status).toBe(401);
    const answer = await fetch(`${base()}/api/openapi.json`, {
      headers: { Authorization: `Bearer ${tokens.read}` },
    });
    const described = (await answer.json()) as { openapi: string; paths: Record<string, unknown> };
    expect(described.openapi).toMatch(/^3\.1/);
    expect(described.paths['/jobs/submit']).toMatchObject({
      post: {
        requestBody: {
          content: { 'application/json': { schema: { required: expect.arrayContaining(['command']) } } },
        },
      },
    });
    const procedures = Object.entries(stint.engine.router).flatMap(([group, inner]) =>
      '~orpc' in (inner as object)
        ? [`/${group}`]
        : Object.keys(inner as object).map((name) => `/${group}/${name}`),
    );
    expect(Object.keys(described.paths).sort()).toEqual(procedures.sort());
  });

  it('scrapes how things stand', async () => {
    const answer = await fetch(`${base()}/metrics`, { headers: { Authorization: `Bearer ${tokens.read}` } });
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const lines = (await answer.text()).split('\n');
    const devices = await stint.client.devices.list();
    for (const { id, index, name, memoryTotalMib } of devices) {
      const labels = `{device="${id}",index="${index}",name="${name}"}`;
      expect(lines).toContain(`stint_device_memory_total_bytes${labels} ${memoryTotalMib * 1024 * 1024}`);
      expect(lines).toContain(`stint_device_up${labels} 1`);
    }
    const { jobs } = await stint.client.jobs.list({ statuses: ['succeeded'] });
    expect(lines).toContain(`stint_jobs{status="succeeded"} ${jobs.length}`);
    expect(lines).toContain('stint_queue_oldest_wait_seconds 0');
    // What is unknown is left out, and never 0.
    expect(lines.filter((line) => line.startsWith('stint_learner_loss '))).toEqual([]);
    // The dashboard asks for each of them, and for nothing else.
    const dashboard = readFileSync(
      resolve(import.meta.dirname, '../../resources/grafana/stint.json'),
      'utf8',
    );
    const { panels } = JSON.parse(dashboard) as { panels: { targets: { expr: string }[] }[] };
    const asked = panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(/stint_\w+/g)!));
    const families = lines.flatMap((line) => /^# TYPE (stint_\w+) /.exec(line)?.[1] ?? []);
    expect([...new Set(asked)].sort()).toEqual(families.sort());
    // Every sample belongs to a described, typed family, and every counter is named as one.
    for (const line of lines.filter((l) => /^stint/.test(l))) {
      const family = /^\w+/.exec(line)![0];
      const type = lines.find((l) => l.startsWith(`# TYPE ${family} `))!.split(' ')[3];
      expect([family, type === 'counter']).toEqual([family, family.endsWith('_total')]);
      expect(lines.some((l) => l.startsWith(`# HELP ${family} `))).toBe(true);
    }
  });
});

describe('the Python client', () => {
  const LIBRARY = resolve(import.meta.dirname, '../../resources/python');
  const python = (source: string, env: Record<string, string> = {}): Promise<Ran> =>
    run('python3', ['-c', source], {
      PATH: process.env.PATH ?? '',
      PYTHONPATH: LIBRARY,
      PYTHONDONTWRITEBYTECODE: '1',
      STINT_URL: base(),
      STINT_TOKEN: tokens.act,
      // It must not be asked: the engine is on this machine.
      http_proxy: 'http://127.0.0.1:9',
      ...env,
    });

  it('submits, waits, reads the output, and sees the metrics that the job told', async () => {
    const { status, stdout, stderr } = await python(`
import json, stint
client = stint.connect()
training = '''
import stint
with stint.progress(total=40, every_s=0) as p:
    for n in range(40):
        p.step(loss=1 / (n + 1))
'''
job = client.submit(["python3", "-c", training], cwd="/", env={"PYTHONPATH": ${JSON.stringify(LIBRARY)}, "PYTHONDONTWRITEBYTECODE": "1"}, gpus=0, name="told", time_limit_s=60)
done = client.wait(job["id"], timeout_s=60, every_s=0.1)
print(json.dumps([done["id"], done["status"], done["name"], done["timeLimitS"], client.log(job["id"]).splitlines()[-1]]))
`);
    expect([status, stderr]).toEqual([0, '']);
    const [id, ...told] = JSON.parse(stdout) as [number, ...unknown[]];
    expect(told).toEqual([
      'succeeded',
      'told',
      60,
      `STINT_PROGRESS=${'{"step": 40, "total": 40, "loss": 0.025}'}`,
    ]);
    const { series } = await eventually(
      () => stint.client.jobs.metrics({ id }),
      ({ complete }) => complete,
      'all of its output to be read',
    );
    expect(series.map(({ name, unit, at, values }) => [name, unit, at.at(-1), values.at(-1)])).toEqual([
      ['loss', 'step', 40, 0.025],
    ]);
  });

  it('raises what the engine refused, and says what is missing', async () => {
    const held = await stint.submit(['true'], { hold: true });
    const cases: readonly [string, Record<string, string>, RegExp][] = [
      ['connect().submit([], cwd="/")', {}, /^StintError BAD_REQUEST command: /],
      ['connect().submit("echo hi")', {}, /^TypeError None command: give program/],
      ['connect().job(9999)', {}, /^StintError NOT_FOUND no job 9999/],
      [
        'connect().cancel(1)',
        { STINT_TOKEN: tokens.read },
        /^StintError FORBIDDEN jobs.cancel needs a token of scope act/,
      ],
      ['connect()', { STINT_TOKEN: '' }, /^StintError None STINT_TOKEN is not set/],
      [
        'connect().job(1)',
        { STINT_URL: 'http://127.0.0.1:9' },
        /^StintError None the engine does not answer/,
      ],
      [
        `connect().wait(${held.id}, timeout_s=0.2)`,
        {},
        new RegExp(`^TimeoutError None job ${held.id} is not over after 0.2 s$`),
      ],
    ];
    const { stdout } = await python(`
import json, os, stint
said = []
before = dict(os.environ)
for call, env in json.loads(${JSON.stringify(JSON.stringify(cases.map(([call, env]) => [call, env])))}):
    os.environ.update(before)
    os.environ.update(env)
    try:
        said.append(eval("stint." + call))
    except Exception as error:
        said.append("%s %s %s" % (type(error).__name__, getattr(error, "code", None), error))
print(json.dumps(said))
`);
    const said = JSON.parse(stdout) as string[];
    for (const [n, [, , expected]] of cases.entries()) expect(said[n]).toMatch(expected);
    await stint.client.jobs.cancel({ id: held.id });
  });

  it('tells progress to nobody outside a job', async () => {
    const source = 'import stint\nwith stint.progress(total=2) as p:\n    p.step(loss=1)';
    expect(await python(source)).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});

describe('somebody else', () => {
  it('is refused without a token, with a wrong one, and with one that was revoked or is over', async () => {
    expect((await call('system/info', null)).status).toBe(401);
    expect((await call('system/info', 'stint_wrong')).status).toBe(401);
    expect((await call('system/info', `${tokens.read}x`)).status).toBe(401);
    const { token } = await stint.client.tokens.create({ name: 'gone', scope: 'admin' });
    expect((await call('system/info', token)).status).toBe(200);
    expect((await cli('token', 'revoke', 'gone')).stdout).toBe('gone opens nothing any more\n');
    expect((await call('system/info', token)).status).toBe(401);
    expect(await cli('token', 'revoke', 'gone')).toMatchObject({
      status: 1,
      stderr: 'stint: no token gone; `stint token ls` lists them\n',
    });
  });

  it("cannot use the owner's browser, another name of this host, or the console's cookie", async () => {
    const cookie = (
      await fetch(`${base()}/session`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ token: new URL(host.url).hash.slice('#token='.length) }),
      })
    ).headers.get('set-cookie')!;
    expect((await call('system/info', null, {}, { Cookie: cookie })).status).toBe(401);
    const preflight = await fetch(`${base()}/api/system/info`, {
      method: 'OPTIONS',
      headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([401, null]);
  });

  it('gets nowhere by guessing, and keeps nobody else out', async () => {
    const guesses = [];
    for (let n = 0; n < 60; n++) guesses.push((await call('system/info', `stint_guess${n}`)).status);
    expect(new Set(guesses)).toEqual(new Set([401, 429]));
    expect((await call('system/info', tokens.read)).status).toBe(200);
  });

  it('cannot send more than a message may be', async () => {
    const answer = await call('jobs/submit', tokens.act, {
      command: ['x'.repeat(9 * 1024 * 1024)],
      cwd: '/',
      user: 'tester',
    });
    expect(answer.status).toBe(413);
  });

  it('finds no token anywhere in the data directory or in the list', async () => {
    const { stdout } = await cli('token', 'ls', '--json');
    const listed = JSON.parse(stdout) as { name: string; lastUsedAtMs: number | null }[];
    expect(listed.map(({ name }) => name)).toEqual(['read', 'act', 'admin']);
    expect(listed[0]!.lastUsedAtMs).toBeGreaterThan(0);
    for (const token of Object.values(tokens)) {
      expect(stdout).not.toContain(token);
      expect(log.lines.join('\n')).not.toContain(token);
      await expect(
        run('grep', ['-rlF', '--devices=skip', '--', token, home], process.env),
      ).resolves.toMatchObject({ stdout: '' });
    }
  });
});
