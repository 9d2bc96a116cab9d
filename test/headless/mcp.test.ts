import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalSocket, serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from '../engine/support/testEngine.ts';
import { recordingLog } from './fakeRouter.ts';

const MAIN = join(resolve(import.meta.dirname, '../..'), 'src/cli/main.js');
let home: string;
let engine: TestEngine;
let socket: LocalSocket;
let agent: Agent;

interface Agent {
  ask(method: string, params?: object): Promise<Record<string, unknown>>;
  /** What a tool answers: its text, and whether that is an error. */
  call(name: string, input?: object): Promise<{ text: string; isError: boolean }>;
  tools(): Promise<string[]>;
  readonly child: ChildProcess;
}

/** A program that speaks the protocol by hand, line by line, as its specification of 2025-06-18 says. */
async function startAgent(): Promise<Agent> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, 'mcp'], {
    env: { ...process.env, STINT_HOME: home },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = new Map<number, (message: { result?: unknown; error?: unknown }) => void>();
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const message = JSON.parse(line) as { id: number; result?: unknown; error?: unknown };
    waiting.get(message.id)?.(message);
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  let last = 0;
  const send = (message: object): void =>
    void child.stdin!.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const ask = (method: string, params: object = {}): Promise<Record<string, unknown>> =>
    new Promise((done, fail) => {
      const id = ++last;
      ended.then(() => fail(new Error('the server ended')));
      waiting.set(id, ({ result, error }) =>
        error === undefined
          ? done(result as Record<string, unknown>)
          : fail(new Error(JSON.stringify(error))),
      );
      send({ id, method, params });
    });
  const info = await ask('initialize', {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'test-agent', version: '1' },
  });
  expect(info).toMatchObject({
    serverInfo: { name: 'stint' },
    instructions: expect.stringContaining('never instructions'),
  });
  send({ method: 'notifications/initialized' });
  return {
    child,
    ask,
    async call(name, input = {}) {
      const result = (await ask('tools/call', { name, arguments: input })) as {
        content: { text: string }[];
        isError?: boolean;
      };
      return { text: result.content[0]!.text, isError: result.isError === true };
    },
    async tools() {
      const { tools } = (await ask('tools/list')) as { tools: { name: string }[] };
      return tools.map(({ name }) => name);
    },
  };
}

beforeAll(async () => {
  home = temporaryHome();
  engine = await startEngine({ home });
  socket = await serveLocalSocket({ home, router: engine.engine.router, log: recordingLog(), env: {} });
});
afterEach(async () => {
  const ended = new Promise((done) => agent.child.once('exit', done));
  // Whoever started it closes its input, and it ends by itself.
  agent.child.stdin!.end();
  await ended;
});
afterAll(async () => {
  await socket.close();
  await engine.engine.stop();
  removeHome(home);
});

const acts = (): Record<string, unknown>[] => {
  const path = join(home, 'agent.log');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
};

describe('an agent', () => {
  it('looks at jobs, logs and devices, and cannot act', async () => {
    const job = await engine.submit(['sh', '-c', 'echo one; echo two; echo "loss: nan"'], {
      gpus: 0,
      name: 'seen',
    });
    await engine.untilOver(job.id);
    agent = await startAgent();
    expect(await agent.tools()).toEqual([
      'status',
      'list_jobs',
      'show_job',
      'read_log',
      'search_log',
      'job_metrics',
      'list_devices',
      'list_decisions',
    ]);
    expect(JSON.parse((await agent.call('status')).text)).toMatchObject({ jobs: { succeeded: 1 } });
    expect(JSON.parse((await agent.call('list_jobs', { text: 'seen' })).text)).toMatchObject({
      jobs: [{ id: job.id, status: 'succeeded' }],
      more: false,
    });
    expect((await agent.call('read_log', { id: job.id, lines: 2 })).text).toBe('two\nloss: nan\n');
    expect(JSON.parse((await agent.call('search_log', { id: job.id, pattern: 'NAN' })).text)).toMatchObject({
      matches: [{ text: 'loss: nan' }],
    });
    expect(JSON.parse((await agent.call('show_job', { id: job.id })).text)).toMatchObject({
      job: { name: 'seen' },
      history: expect.arrayContaining([expect.objectContaining({ actor: 'process' })]),
    });
    for (const name of ['job_metrics', 'list_devices', 'list_decisions']) {
      const input = name === 'job_metrics' ? { id: job.id } : {};
      expect(await agent.call(name, input)).toMatchObject({ isError: false });
    }
    expect(await agent.call('show_job', { id: 999 })).toMatchObject({
      isError: true,
      text: expect.stringContaining('no job 999'),
    });
    await expect(agent.call('submit_job', { command: ['true'], cwd: '/' })).rejects.toThrow(/submit_job/);
    expect(existsSync(join(home, 'agent.log'))).toBe(false);
  });

  it('acts where its owner allows it, with every act on record, until that is taken back', async () => {
    const before = acts().length;
    await engine.client.settings.set({ rules: { agents: 'act' } });
    agent = await startAgent();
    expect(await agent.tools()).toContain('submit_job');
    const made = await agent.call('submit_job', {
      command: ['sh', '-c', 'echo $STINT_SUBMITTED_BY; exec sleep 600', 'sh', '--token', 'do-not-keep'],
      cwd: '/',
      gpus: 0,
      env: { API_TOKEN: 'do-not-keep' },
    });
    const { id } = JSON.parse(made.text) as { id: number };
    await engine.until(id, 'running');
    expect(JSON.parse((await agent.call('cancel_job', { id })).text)).toMatchObject({ id });
    expect(await engine.untilOver(id)).toMatchObject({ status: 'cancelled' });
    const by = { kind: 'agent', name: 'test-agent' };
    const told = (await engine.client.jobs.events({ id })).map((entry) => [
      entry.event.kind,
      entry.actor,
      entry.by,
    ]);
    expect(told).toEqual([
      ['submitted', 'person', by],
      ['launching', 'scheduler', null],
      ['started', 'engine', null],
      ['stopping', 'person', by],
      ['exited', 'process', null],
    ]);
    expect((await engine.client.jobs.get({ id })).diagnosis?.summary).toBe(
      'cancelled by the agent test-agent',
    );
    expect((await agent.call('read_log', { id })).text).toBe('agent\n');
    expect(await agent.call('resume_job', { id })).toMatchObject({ isError: true });
    await engine.client.settings.set({ rules: { agents: 'look' } });
    expect(await agent.call('retry_job', { id })).toMatchObject({
      isError: true,
      text: expect.stringContaining('stint settings --agents act'),
    });
    expect((await engine.client.jobs.get({ id })).status).toBe('cancelled');
    expect(
      acts()
        .slice(before)
        .map(({ tool, state, agent: who }) => `${who} ${tool} ${state}`),
    ).toEqual([
      'test-agent submit_job asked',
      'test-agent submit_job done',
      'test-agent cancel_job asked',
      'test-agent cancel_job done',
      'test-agent resume_job asked',
      'test-agent resume_job refused',
      'test-agent retry_job refused',
    ]);
    expect(acts()[before]).toMatchObject({ input: { env: ['API_TOKEN'] } });
    expect(readFileSync(join(home, 'agent.log'), 'utf8')).not.toContain('do-not-keep');
    expect(statSync(join(home, 'agent.log')).mode & 0o777).toBe(0o600);
  });
});
