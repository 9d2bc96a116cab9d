import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isTerminal } from '../../src/domain/job.ts';
import { type LocalSocket, serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from '../engine/support/testEngine.ts';
import { commandLineOf } from './commandHarness.ts';
import { recordingLog } from './fakeRouter.ts';
import { type Shown, showInTerminal } from './terminalHarness.ts';

const MAIN = join(resolve(import.meta.dirname, '../..'), 'src/cli/main.js');
let home: string;
let engine: TestEngine;
let socket: LocalSocket;
const shown: Shown[] = [];

beforeAll(async () => {
  home = temporaryHome();
  engine = await startEngine({ home });
  socket = await serveLocalSocket({ home, router: engine.engine.router, log: recordingLog(), env: {} });
});
afterEach(() => {
  for (const one of shown.splice(0)) one.kill();
});
afterAll(async () => {
  for (const { id, status } of (await engine.client.jobs.list({})).jobs) {
    if (isTerminal(status)) continue;
    await engine.client.jobs.cancel({ id });
    await engine.untilOver(id);
  }
  await socket.close();
  await engine.engine.stop();
  removeHome(home);
});

const show = (rows: number, columns: number, ...args: string[]): Shown => {
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', MAIN, ...args];
  const one = showInTerminal(command, {
    rows,
    columns,
    env: { ...process.env, STINT_HOME: home, TERM: 'xterm' },
  });
  shown.push(one);
  return one;
};

describe('--watch', () => {
  it('prints a list, and a job, in their place when something changed, until Ctrl+C', async () => {
    const list = show(20, 110, 'ls', '--watch', '--status', 'running');
    await list.sees('No such jobs.');
    const { id } = await engine.submit(['sleep', '600'], { name: 'watched job' });
    await list.sees(/␛\[H␛\[J[\s\S]*watched job/);
    const job = show(60, 110, 'show', '--watch', String(id));
    await job.sees(/status[^\n]*running/);
    await engine.client.jobs.cancel({ id });
    await job.sees(/status[^\n]*running[\s\S]*␛\[H␛\[J[\s\S]*status[^\n]*cancelled/);
    await list.sees(/watched job[\s\S]*No such jobs\./);
    for (const one of [list, job]) {
      one.press('\x03');
      await one.ended();
    }
  });
});

describe('top', () => {
  it('shows devices and queue as they change, fits the terminal, and gives it back', async () => {
    const top = show(30, 110, 'top');
    await top.sees('0 running · 0 waiting');
    await top.sees('Virtual GPU 1');
    const job = await engine.submit(['sh', '-c', 'echo step 3/4; sleep 600'], { name: 'visible job' });
    await top.sees(/running +0 +1 +virtual-0 .*visible job/);
    await top.sees('step 3/4');
    top.resize(12, 60);
    await top.sees(/␛\[2J[\s\S]*␛\[2J[\s\S]*q quits/, 'a second screen');
    const since = top.output().slice(top.output().lastIndexOf('␛[2J'));
    const lines = [...since.matchAll(/␛\[(\d+);1H([^␛]*)/g)];
    expect(Math.max(...lines.map(([, row]) => Number(row)))).toBe(12);
    expect(Math.max(...lines.map(([, , text]) => text!.length))).toBeLessThanOrEqual(60);
    top.press('q');
    expect(await top.ended()).toBe(0);
    expect(top.output()).toMatch(/␛\[\?1049h[\s\S]*␛\[\?25h␛\[\?1049l$/);
    await engine.client.jobs.cancel({ id: job.id });
    await engine.untilOver(job.id);
  });

  it('is printed once where nobody looks', async () => {
    const { status, stdout } = await commandLineOf(() => home)('top');
    expect(status).toBe(0);
    expect(stdout).toMatch(/0 running · 0 waiting[\s\S]*Virtual GPU 1[\s\S]*cancelled/);
    expect(stdout).not.toContain('␛[');
  });
});

describe('attach', () => {
  it('follows the output with a line below it, and leaves the job alone', async () => {
    const job = await engine.submit(['sh', '-c', 'echo first line; sleep 600']);
    const attach = show(20, 80, 'attach', String(job.id));
    await attach.sees('first line');
    await attach.sees(/␛\[1;19r[\s\S]*␛\[20;1H␛\[7mrunning /, 'the line below');
    attach.press('\x03');
    expect(await attach.ended()).toBe(0);
    expect(attach.output()).toContain(`detached; job ${job.id} goes on`);
    expect(attach.output()).toContain('␛[r');
    expect((await engine.client.jobs.get({ id: job.id })).status).toBe('running');
    await engine.client.jobs.cancel({ id: job.id });
    await engine.untilOver(job.id);
  });

  it('ends as the job does', async () => {
    const job = await engine.submit(['sh', '-c', 'echo oh; exit 7']);
    const ran = await commandLineOf(() => home)('attach', String(job.id));
    expect(ran).toMatchObject({ status: 7, stdout: 'oh\n' });
    expect(ran.stderr).toMatch(new RegExp(`^stint: job ${job.id} failed .*exit`));
  });
});
