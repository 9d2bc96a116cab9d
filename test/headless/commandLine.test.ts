import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobView } from '../../src/contract/messages.ts';
import { commandLineOf, commandProcess, type Ran } from './commandHarness.ts';
import { until } from './until.ts';

const PACKAGE = resolve(import.meta.dirname, '../..');
const CLI = ['--disable-warning=ExperimentalWarning', join(PACKAGE, 'src/cli/main.js')];

let root: string;
let home: string;
let server: ChildProcess;
let ready: { url: string; socket: string; pid: number };

/** What npm and shells would set is taken out, so that the tests mean the same wherever they are run. */
function environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { PWD: _pwd, INIT_CWD: _init, ...env } = process.env;
  for (const name of Object.keys(env)) if (name.startsWith('npm_')) delete env[name];
  return { ...env, STINT_HOME: home, ...more };
}

function finish(child: ChildProcess): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (status) => done({ status, stdout, stderr }));
  });
}

const stint = commandLineOf(
  () => home,
  () => root,
);

async function started(): Promise<void> {
  const args = ['serve', '--devices', 'virtual:2x4096', '--policy', 'fifo', '--json'];
  server = spawn(process.execPath, [...CLI, ...args], { cwd: root, env: environment() });
  let stdout = '';
  let stderr = '';
  server.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  server.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await until(
    () => {
      if (server.exitCode !== null) throw new Error(`serve ended with ${server.exitCode}: ${stderr}`);
      return stdout.endsWith('\n');
    },
    'the ready line',
    30_000,
  );
  expect(stdout.trim().split('\n')).toHaveLength(1);
  ready = JSON.parse(stdout);
}

async function stopped(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  const ended = new Promise<number | null>((done) => server.once('exit', done));
  server.kill(signal);
  return ended;
}

async function submitted(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await stint('submit', ...args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^[1-9]\d*\n$/);
  return stdout.trim();
}

async function shown(id: string): Promise<JobView> {
  return JSON.parse((await stint('show', id, '--json')).stdout);
}

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'stint-cli-')));
  home = join(root, 'home');
  await started();
});
afterAll(async () => {
  const live = JSON.parse((await stint('ls', '--json')).stdout) as JobView[];
  const ids = live.filter((job) => job.finishedAtMs === null).map((job) => String(job.id));
  if (ids.length > 0) {
    await stint('cancel', ...ids);
    await stint('wait', ...ids, '--timeout', '20');
  }
  await stopped();
  rmSync(root, { recursive: true, force: true });
});

describe('serve', () => {
  it('says in one line where it is, and keeps its data to its owner', () => {
    expect(ready).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{43}$/),
      socket: join(home, 'stint.sock'),
      pid: server.pid,
    });
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect([home, ready.socket, join(home, 'console.json'), join(home, 'engine.log')].map(mode)).toEqual([
      '700',
      '600',
      '600',
      '600',
    ]);
  });

  it('keeps the token out of its log', async () => {
    const token = new URL(ready.url).hash.slice('#token='.length);
    const { origin } = new URL(ready.url);
    const headers = { 'Content-Type': 'application/json' };
    const body = JSON.stringify({ token });
    expect((await fetch(`${origin}/session`, { method: 'POST', headers, body })).status).toBe(204);
    expect(readFileSync(join(home, 'engine.log'), 'utf8')).not.toContain(token);
  });

  it('gives the address again', async () => {
    expect((await stint('console')).stdout).toBe(`${ready.url}\n`);
  });

  it('refuses a second engine on the same data, and leaves the first alone', async () => {
    const second = await stint('serve', '--devices', 'virtual:1');
    expect(second).toMatchObject({ status: 1, stdout: '' });
    expect(second.stderr).toMatch(/^stint: .*already running on .*; .+\n$/);
    expect((await stint('status')).status).toBe(0);
  });

  it('says which port is taken', async () => {
    const { port } = new URL(ready.url);
    const other = await stint(
      'serve',
      '--data',
      join(root, 'other'),
      '--devices',
      'virtual:1',
      '--port',
      port,
    );
    expect(other).toMatchObject({ status: 1, stdout: '' });
    expect(other.stderr).toContain(`port ${port} is taken; choose another with --port`);
    expect(existsSync(join(root, 'other', 'stint.sock'))).toBe(false);
  });
});

describe('a job from the command line', () => {
  it('runs where the caller is, with what was asked for', async () => {
    mkdirSync(join(root, 'here'));
    const script = 'echo "$A in $(pwd)"; echo trouble >&2; exit 5';
    const child = spawn(
      process.execPath,
      [
        ...CLI,
        'submit',
        '--env',
        'A=b=c',
        '--vram',
        '1GiB',
        '--name',
        'ünï',
        '--json',
        '--',
        'sh',
        '-c',
        script,
      ],
      { cwd: join(root, 'here'), env: environment() },
    );
    const job: JobView = JSON.parse((await finish(child)).stdout);
    expect(job).toMatchObject({ name: 'ünï', vramMib: 1024, env: { A: 'b=c' }, cwd: join(root, 'here') });
    const id = String(job.id);
    expect(await stint('wait', id)).toEqual({ status: 5, stdout: '', stderr: '' });
    const { stdout } = await stint('logs', id);
    expect(stdout.split('\n').sort()).toEqual(['', `b=c in ${join(root, 'here')}`, 'trouble']);
    expect(await shown(id)).toMatchObject({ status: 'failed', exitCode: 5, devices: [expect.any(String)] });
    const all: JobView[] = JSON.parse((await stint('ls', '--json')).stdout);
    expect(all.find((one) => one.id === job.id)).toMatchObject({ status: 'failed', waitingReason: null });
    expect((await stint('ls')).stdout).toContain('ünï');
    expect((await stint('show', id)).stdout).toContain('exit code 5');
  });

  it('is followed to its end, and waited for', async () => {
    const id = await submitted(
      '--gpus',
      '0',
      '--',
      'sh',
      '-c',
      'for i in 1 2 3; do echo $i; sleep 0.1; done',
    );
    expect(await stint('logs', '-f', id)).toEqual({ status: 0, stdout: '1\n2\n3\n', stderr: '' });
    expect((await stint('wait', id)).status).toBe(0);
  });

  it('gives its own status to wait, the first bad one of several, and 124 when time is up', async () => {
    const good = await submitted('--', 'true');
    const bad = await submitted('--', 'sh', '-c', 'exit 9');
    const missing = await submitted('--no-preflight', '--', 'no-such-program');
    const killed = await submitted('--', 'sh', '-c', 'kill -9 $$');
    expect((await stint('wait', good, bad, missing)).status).toBe(9);
    expect((await stint('wait', missing)).status).toBe(127);
    expect((await stint('wait', killed)).status).toBe(137);
    const long = await submitted('--', 'sleep', '60');
    const late = await stint('wait', '--timeout', '0.2', good, long);
    expect({ status: late.status, stderr: late.stderr }).toEqual({
      status: 124,
      stderr: expect.stringContaining(`job ${long} not over`),
    });
    await stint('cancel', long);
    expect((await stint('wait', long)).status).toBeGreaterThan(127);
    const held = await submitted('--hold', '--', 'true');
    await stint('cancel', held);
    expect((await stint('wait', held)).status).toBe(130);
  });

  it('is paused, resumed, put first and cancelled', async () => {
    const id = await submitted('--', 'sh', '-c', 'echo up; exec sleep 60');
    await until(async () => (await stint('logs', id)).stdout === 'up\n', 'the job to be up');
    expect((await stint('pause', id)).stdout).toBe(`job ${id} is paused, priority 0\n`);
    expect((await stint('resume', id)).stdout).toBe(`job ${id} is running, priority 0\n`);
    expect((await stint('priority', id, '-7')).stdout).toBe(`job ${id} is running, priority -7\n`);
    expect((await stint('cancel', id)).status).toBe(0);
    await stint('wait', id);
    const again = await stint('cancel', id);
    expect({ status: again.status, stderr: again.stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^stint: job \d+ is already over \(cancelled\); .+\n$/),
    });
  });

  it('shows what the scheduler did', async () => {
    const decisions = JSON.parse((await stint('decisions', '--limit', '2', '--json')).stdout);
    expect(decisions).toHaveLength(2);
    expect(JSON.parse((await stint('episodes', '--json')).stdout)[0]).toMatchObject({ policy: 'fifo' });
    expect(JSON.parse((await stint('devices', '--json')).stdout)).toHaveLength(2);
    expect(JSON.parse((await stint('status', '--json')).stdout)).toMatchObject({ system: { home } });
    for (const command of ['decisions', 'episodes', 'devices', 'status', 'policy']) {
      expect((await stint(command)).stdout, command).not.toMatch(/undefined|null|NaN|\[0?\d*m/);
    }
  });
});

describe('bad input', () => {
  let jobsBefore: number;
  beforeAll(async () => {
    jobsBefore = JSON.parse((await stint('ls', '--json')).stdout).length;
  });

  it.each([
    [['nonsense'], 2, 'no such command: nonsense; see `stint --help`'],
    [[], 2, 'give a command'],
    [['ls', '--nonsense'], 2, '--nonsense'],
    [['policy', 'ls', '--nonsense'], 2, 'see `stint policy ls --help`'],
    [['ls', '--status', 'idle'], 2, '--status: "idle" is not usable; choose from queued,'],
    [['submit'], 2, 'see `stint submit --help`'],
    [['submit', '--gpus', '1.5', '--', 'true'], 2, '--gpus: "1.5" is not usable; give a number from 0 to 64'],
    [
      ['submit', '--vram', '4', '--', 'true'],
      2,
      '--vram: "4" is not usable; give a positive amount with its unit',
    ],
    [['submit', '--env', 'X', '--', 'true'], 2, '--env: "X" is not usable; give NAME=VALUE'],
    [['submit', '--env', '__proto__=2', '--', 'true'], 2, '--env: "__proto__=2" is not usable'],
    [['submit', '--env', '1X=2', '--', 'true'], 2, '--env 1X: "2" is not usable; use letters'],
    [['submit', '--name', '', '--', 'true'], 2, '--name: "" is not usable; give a name'],
    [['submit', '--cwd', '/no/such/place', '--', 'true'], 2, '--cwd: "/no/such/place" is not usable'],
    [['submit', '--priority', '1001', '--', 'true'], 2, '--priority: "1001" is not usable'],
    [['show', 'x'], 2, 'job id: "x" is not usable'],
    [['show', '99999'], 1, 'no job 99999; '],
    [['wait', '99999'], 1, 'no job 99999; '],
    [['policy', 'best'], 2, 'choose one of fifo, first-fit, easy, priority, aged, las'],
    [['decisions', '--limit', '0'], 2, '--limit: "0" is not usable'],
    [['serve', '--port', '70000'], 2, '--port: "70000" is not usable'],
    [['serve', '--devices', 'many', '--data', 'elsewhere'], 2, '--devices: "many" is not usable'],
    [['serve', '--policy', 'best'], 2, '--policy: "best" is not usable'],
    [['ls', '--data', 'nowhere'], 3, 'start one with `stint serve`'],
    [['ls', '--data', ''], 2, '--data: "" is not usable'],
  ] as [string[], number, string][])('%j', async (args, status, sentence) => {
    const result = await stint(...args);
    expect(result).toEqual({ status, stdout: '', stderr: expect.stringContaining(sentence) });
    expect(result.stderr).toMatch(/^stint: [^\n]+; [^\n]+\n$/);
  });

  it('has written nothing', async () => {
    expect(JSON.parse((await stint('ls', '--json')).stdout)).toHaveLength(jobsBefore);
    expect(existsSync(join(root, 'nowhere'))).toBe(false);
  });

  it('tries every id, and says which it could not', async () => {
    const a = await submitted('--hold', '--', 'true');
    const b = await submitted('--hold', '--', 'true');
    const result = await stint('cancel', a, '99999', b);
    expect(result.status).toBe(1);
    expect(result.stdout.match(/is cancelled/g)).toHaveLength(2);
    expect(result.stderr).toMatch(/^stint: no job 99999; .+\n$/);
  });
});

describe('among other programs', () => {
  it.each([[['ls', '--status', 'idle']], [['show', '99999']], [['ls', '--help']], [['episodes', '--json']]])(
    'prints and ends in a process of its own as it does in here: %j',
    async (args) => {
      const inProcess = commandProcess(
        () => home,
        () => root,
      );
      expect(await inProcess(...args)).toEqual(await stint(...args));
    },
  );

  it('does not mind that nobody reads on', async () => {
    for (let i = 0; i < 3; i++)
      await submitted('--hold', '--name', 'x'.repeat(200), '--', 'true', 'y'.repeat(100_000));
    const line = `set -o pipefail; "$0" "$@" ls --json | head -c 10`;
    const child = spawn('bash', ['-c', line, process.execPath, ...CLI], { cwd: root, env: environment() });
    expect(await finish(child)).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^\[\{"id":\d+,?/),
      stderr: '',
    });
  });

  it('works from a directory that is gone, where it does not matter', async () => {
    const gone = (...args: string[]) => {
      const line = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$@"';
      return finish(
        spawn('sh', ['-c', line, process.execPath, ...CLI, ...args], { cwd: root, env: environment() }),
      );
    };
    expect((await gone('ls', '--json')).status).toBe(0);
    const refused = await gone('submit', '--', 'true');
    expect(refused.stderr).toBe(
      'stint: the directory that you are in no longer exists; change to another one\n',
    );
    expect(refused).toMatchObject({ status: 1, stdout: '' });
  });

  it('runs through npm as in its own directory', async () => {
    const caller = join(root, 'caller');
    mkdirSync(caller);
    const npm = (...args: string[]) =>
      finish(
        spawn('npm', ['run', '-s', '--prefix', PACKAGE, 'stint', '--', ...args], {
          cwd: caller,
          env: environment({ STINT_HOME: '', INIT_CWD: '' }),
        }),
      );
    const result = await npm('submit', '--data', '../home', '--json', '--', 'sh', '-c', 'exit 4');
    expect(result.stderr).toBe('');
    const job: JobView = JSON.parse(result.stdout);
    expect(job).toMatchObject({ cwd: caller, command: ['sh', '-c', 'exit 4'] });
    expect((await npm('wait', '--data', '../home', String(job.id))).status).toBe(4);
  });
});

describe('when the engine ends', () => {
  it('jobs run on; waiting goes on across it; and it knows every end afterwards', async () => {
    const flag = join(root, 'go');
    const script = `until [ -e ${flag} ]; do sleep 0.02; done; exit 6`;
    const running = await submitted('--gpus', '1', '--vram', '1GiB', '--', 'sh', '-c', script);
    await until(async () => (await shown(running)).status === 'running', 'the job to run');
    const waiting = spawn(process.execPath, [...CLI, 'wait', running], { cwd: root, env: environment() });
    let notices = '';
    waiting.stderr.on('data', (text) => {
      notices += String(text);
    });
    const waited = finish(waiting);
    // The kernel lists the listener, and one line more for each client.
    await until(
      () => readFileSync('/proc/net/unix', 'utf8').split(ready.socket).length > 2,
      'wait to connect',
    );

    expect(await stopped()).toBe(0);
    expect(existsSync(ready.socket)).toBe(false);
    expect(existsSync(join(home, 'console.json'))).toBe(false);
    expect(await stint('ls')).toMatchObject({
      status: 3,
      stdout: '',
      stderr: expect.stringContaining(`no engine is running on ${home}`),
    });
    rmSync(flag, { force: true });
    mkdirSync(flag);

    await started();
    const result = await waited;
    expect({ status: result.status, notices }).toEqual({
      status: 6,
      notices: expect.stringMatching(/engine is away.*\n(.*is back\n)?$/),
    });
    expect(await shown(running)).toMatchObject({ status: 'failed', exitCode: 6 });
  });

  it('a killed one leaves a socket that the next replaces', async () => {
    await stopped('SIGKILL');
    expect(existsSync(ready.socket)).toBe(true);
    expect((await stint('ls')).status).toBe(3);
    await started();
    expect((await stint('ls')).status).toBe(0);
    expect((await stint('console')).stdout).toBe(`${ready.url}\n`);
  });
});
