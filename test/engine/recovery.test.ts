import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTerminal, type JobSpecInput } from '../../src/domain/job.ts';
import { NO_SURROUNDINGS } from '../../src/domain/surroundings.ts';
import { NO_TERMS } from '../../src/domain/terms.ts';
import { Ledger } from '../../src/engine/jobs/ledger.ts';
import { bootId, identityOf, isAlive, jobProcesses, signalJob } from '../../src/engine/jobs/processes.ts';
import { RunDirectory } from '../../src/engine/jobs/runDirectory.ts';
import { systemClock } from '../../src/engine/ports.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let host: ChildProcess | null = null;
let stint: TestEngine | null = null;

beforeEach(() => {
  home = temporaryHome();
});
afterEach(async () => {
  host?.kill('SIGKILL');
  host = null;
  if (stint) {
    for (const job of (await stint.client.jobs.list({})).jobs) {
      if (isTerminal(job.status) || job.status === 'stopping') continue;
      await stint.client.jobs.cancel({ id: job.id });
      await stint.untilOver(job.id);
    }
    await stint.engine.stop();
    stint = null;
  }
  removeHome(home);
});

/** An engine in a process of its own that submits these commands and is killed with SIGKILL once told to. */
async function engineToKill(
  commands: (string[] | (Partial<JobSpecInput> & { command: string[] }))[],
): Promise<{ kill(): Promise<void> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'support', 'engineProcess.ts'), home], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  host = child;
  child.stdin.write(`${JSON.stringify(commands)}\n`);
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'submitted') break;
  }
  return {
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
      host = null;
    },
  };
}

const sh = (script: string): string[] => ['sh', '-c', script];

describe('after the engine was killed', () => {
  it('gives every job its right end, whether it ended meanwhile or runs on', async () => {
    const go = join(home, 'go');
    const wait = `while [ ! -e ${go} ]; do sleep 0.05; done`;
    const victim = await engineToKill([
      sh('sleep 0.3; exit 7'),
      sh(`${wait}; exit 9`),
      sh(`${wait}; echo done`),
      sh('sleep 600'),
      ['true'],
    ]);
    await victim.kill();
    const runs = [1, 2, 3, 4].map((id) => join(home, 'jobs', String(id), '1'));
    await eventually(() => existsSync(join(runs[0]!, 'exit')), Boolean, 'job 1 to end without an engine');

    const backAtMs = Date.now();
    stint = await startEngine({ home, devices: 'virtual:4' });
    expect(await stint.untilOver(1)).toMatchObject({ status: 'failed', exitCode: 7, attempt: 1 });
    expect(await stint.client.jobs.get({ id: 2 })).toMatchObject({ status: 'running', attempt: 1 });
    writeFileSync(go, '');
    expect(await stint.untilOver(2)).toMatchObject({ status: 'failed', exitCode: 9, attempt: 1 });
    expect(await stint.untilOver(3)).toMatchObject({ status: 'succeeded', exitCode: 0, attempt: 1 });
    expect(await stint.untilOver(5)).toMatchObject({ status: 'succeeded', exitCode: 0 });
    await stint.client.jobs.cancel({ id: 4 });
    expect(await stint.untilOver(4)).toMatchObject({ status: 'cancelled', exitCode: 143 });
    for (const run of runs) expect(existsSync(join(run, '..', '2'))).toBe(false);
    // When it ended is when it wrote its code, not when somebody looked.
    const first = await stint.client.jobs.get({ id: 1 });
    expect(first.finishedAtMs).toBeLessThanOrEqual(backAtMs);
  });

  it('goes on with retries, time limits and what waits for them', async () => {
    const marks = join(home, 'marks');
    mkdirSync(marks, { recursive: true });
    // By what it did, not by the number of its attempt: a launch that was cut short counts as one.
    const succeedsAt = (n: number, name: string): string[] =>
      sh(`echo x >> ${marks}/${name}; sleep 0.1; [ $(wc -l < ${marks}/${name}) = ${n} ]`);
    // Six, so that it is killed right after the last submission.
    const victim = await engineToKill([
      { command: succeedsAt(3, 'first'), retries: 3, retryDelayS: 0.2 },
      { command: ['true'], after: [{ jobId: 1, on: 'ok' }] },
      { command: sh('sleep 600'), timeLimitS: 1 },
      { command: ['true'], after: [{ jobId: 3, on: 'ok' }] },
      { command: succeedsAt(2, 'fifth'), retries: 1, retryDelayS: 0.1 },
      { command: ['true'], after: [{ jobId: 5, on: 'ok' }] },
    ]);
    await victim.kill();
    stint = await startEngine({ home, devices: 'virtual:4' });
    expect(await stint.untilOver(1)).toMatchObject({ status: 'succeeded', retried: 2 });
    expect(await stint.untilOver(2)).toMatchObject({ status: 'succeeded' });
    expect(await stint.untilOver(3)).toMatchObject({ status: 'timed-out' });
    expect(await stint.untilOver(4)).toMatchObject({ status: 'cancelled', attempt: 0 });
    expect(await stint.untilOver(6)).toMatchObject({ status: 'succeeded' });
    const lines = (name: string) => readFileSync(join(marks, name), 'utf8');
    expect([lines('first'), lines('fifth')]).toEqual(['x\nx\nx\n', 'x\nx\n']);
    const ran = (await stint.client.jobs.attempts({ id: 5 })).filter((one) => one.startedAtMs !== null);
    expect(ran.map(({ outcome, exitCode }) => ({ outcome, exitCode }))).toEqual([
      { outcome: 'failed', exitCode: 1 },
      { outcome: 'succeeded', exitCode: 0 },
    ]);
  });

  it('is killed again and again, and no job is lost or started twice', async () => {
    const marks = join(home, 'marks');
    mkdirSync(marks, { recursive: true });
    const commands = Array.from({ length: 12 }, (_, i) =>
      sh(`echo x >> ${marks}/${i}; sleep 0.2; exit ${i}`),
    );
    for (const batch of [commands.slice(0, 6), commands.slice(6), []]) {
      const victim = await engineToKill(batch);
      await victim.kill();
    }
    stint = await startEngine({ home, devices: 'virtual:4' });
    for (let id = 1; id <= 12; id++) expect(await stint.untilOver(id)).toMatchObject({ exitCode: id - 1 });
    for (let i = 0; i < 12; i++) expect(readFileSync(join(marks, String(i)), 'utf8')).toBe('x\n');
  });
});

describe('a launch that was cut short', () => {
  /** A job that was recorded as launching, with nothing known of its process. */
  function launching(command: string[]): string {
    const db = openDatabase(join(home, 'stint.db'));
    const ledger = new Ledger(db, systemClock);
    ledger.submit({ ...spec, command });
    ledger.append(1, { kind: 'launching', devices: ['virtual-0'], attempt: 1 }, 'scheduler');
    db.close();
    return join(home, 'jobs', '1', '1');
  }
  const spec = {
    command: ['true'],
    cwd: '/',
    name: null,
    env: {},
    gpus: 1,
    vramMib: null,
    exclusive: false,
    priority: 0,
    user: 'tester',
    project: 'default',
    tags: [],
    hold: false,
    estimateS: null,
    ...NO_TERMS,
    ...NO_SURROUNDINGS,
    executor: null,
    executorOptions: [],
    array: null,
  };
  const supervise = (run: string, ...command: string[]): ChildProcess => {
    const script = join(import.meta.dirname, '..', '..', 'resources', 'supervisor.sh');
    return spawn('/bin/sh', [script, run, '/', ...command], { detached: true, stdio: 'ignore' });
  };

  it('is taken back when nothing was started, and a late supervisor then starts nothing', async () => {
    const run = launching(sh('exit 4'));
    mkdirSync(run, { recursive: true });
    stint = await startEngine({ home });
    expect(await stint.untilOver(1)).toMatchObject({ status: 'failed', exitCode: 4, attempt: 2 });
    const late = supervise(run, 'touch', join(home, 'twice'));
    await once(late, 'exit');
    expect(existsSync(join(home, 'twice'))).toBe(false);
  });

  it('is adopted when its supervisor was there after all', async () => {
    const run = launching(sh('exit 5'));
    mkdirSync(run, { recursive: true });
    // However long the engine takes to start, it runs on until it was seen.
    const seen = join(home, 'seen');
    const child = supervise(run, 'sh', '-c', `until [ -e '${seen}' ]; do sleep 0.05; done; exit 5`);
    await eventually(
      () => new RunDirectory(run).supervisor(),
      (identity) => identity !== null,
      'the supervisor to write itself down',
    );
    stint = await startEngine({ home });
    expect(await stint.client.jobs.get({ id: 1 })).toMatchObject({
      status: 'running',
      process: { pid: child.pid },
    });
    writeFileSync(seen, '');
    expect(await stint.untilOver(1)).toMatchObject({ status: 'failed', exitCode: 5, attempt: 1 });
  });
});

describe('identity', () => {
  it('is pid, start time and boot: another process with the same pid is a stranger', async () => {
    const me = identityOf(process.pid)!;
    expect(isAlive(me)).toBe(true);
    expect(isAlive({ ...me, startTime: '1' })).toBe(false);
    expect(isAlive({ ...me, bootId: 'another boot' })).toBe(false);
    const child = spawn('sleep', ['60']);
    const sleeper = identityOf(child.pid!)!;
    expect(jobProcesses({ ...me, startTime: '1' })).toEqual([]);
    expect(signalJob({ ...me, startTime: '1' }, 'SIGKILL')).toEqual([]);
    expect(isAlive(sleeper)).toBe(true);
    child.kill();
    await once(child, 'exit');
    expect(isAlive(sleeper)).toBe(false);
  });

  it('tells a job that ran when the machine was restarted that it is lost, and frees its device', async () => {
    const victim = await engineToKill([sh('sleep 600')]);
    await victim.kill();
    const db = openDatabase(join(home, 'stint.db'));
    const { process: supervisor } = new Ledger(db, systemClock).get(1);
    db.prepare("UPDATE jobs SET body = json_set(body, '$.process.bootId', 'before the restart')").run();
    db.close();
    expect(supervisor!.bootId).toBe(bootId());
    stint = await startEngine({ home });
    const cause = 'the machine was restarted while it ran';
    expect(await stint.client.jobs.get({ id: 1 })).toMatchObject({ status: 'lost', exitCode: null, cause });
    expect((await stint.client.devices.list()).flatMap((device) => device.holders)).toEqual([]);
    expect(signalJob(supervisor!, 'SIGKILL').length).toBeGreaterThan(0);
  });

  it('goes on watching a job whose supervisor was killed, and says in the end that nobody saw it', async () => {
    stint = await startEngine({ home });
    const { id } = await stint.submit(sh('sleep 0.8'));
    const job = await stint.until(id, 'running');
    await eventually(
      () => jobProcesses(job.process!),
      (pids) => pids.length > 0,
      'the command to start',
    );
    process.kill(job.process!.pid, 'SIGKILL');
    expect(await stint.untilOver(id)).toMatchObject({ status: 'lost', exitCode: null });
    expect(jobProcesses(job.process!)).toEqual([]);
  });
});
