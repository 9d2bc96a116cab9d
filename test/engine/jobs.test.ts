import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jobProcesses } from '../../src/engine/jobs/processes.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let stint: TestEngine;

beforeEach(async () => {
  home = temporaryHome();
  stint = await startEngine({ home });
});
afterEach(async () => {
  for (const job of (await stint.client.jobs.list({})).jobs) {
    if (!['running', 'paused', 'starting'].includes(job.status)) continue;
    await stint.client.jobs.cancel({ id: job.id });
    await stint.untilOver(job.id);
  }
  expect(stint.complaints).toEqual([]);
  await stint.engine.stop();
  removeHome(home);
});

const sh = (script: string): string[] => ['sh', '-c', script];
const state = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '')[0]!;

describe('a job', () => {
  it('runs with its output, exit code, devices and environment recorded', async () => {
    const script =
      'echo out; echo err >&2; echo "$CUDA_DEVICE_ORDER $CUDA_VISIBLE_DEVICES $STINT_JOB_ID $MINE"; exit 3';
    const { id } = await stint.submit(sh(script), { gpus: 2, env: { MINE: 'yes' } });
    const job = await stint.untilOver(id);
    expect(job).toMatchObject({ status: 'failed', exitCode: 3, cause: 'exited with code 3', attempt: 1 });
    expect(job.devices).toEqual(['virtual-0', 'virtual-1']);
    expect(job.submittedAtMs).toBeLessThanOrEqual(job.startedAtMs!);
    expect(job.startedAtMs).toBeLessThanOrEqual(job.finishedAtMs!);
    const log = await stint.client.logs.read({ id });
    expect(log).toMatchObject({ text: `out\nerr\nPCI_BUS_ID virtual-0,virtual-1 ${id} yes\n`, end: true });
    const kinds = (await stint.client.jobs.events({ id })).map((entry) => entry.event.kind);
    expect(kinds).toEqual(['submitted', 'launching', 'started', 'exited']);
  });

  it('is in a session of its own, detached from the engine', async () => {
    const { id } = await stint.submit(sh('sleep 60'));
    const job = await stint.until(id, 'running');
    const session = Number(
      readFileSync(`/proc/${job.process!.pid}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ')[3],
    );
    expect(session).toBe(job.process!.pid);
  });

  it.each([
    ['a command that does not exist', ['no-such-command', 'x'], 127, 'command not found: no-such-command'],
    ['a name that only a shell would know', ['exit', '3'], 127, 'command not found: exit'],
    ['a signal', sh('kill -SEGV $$'), 139, 'ended by SIGSEGV'],
  ])('fails with a cause after %s', async (_what, command, exitCode, cause) => {
    const { id } = await stint.submit(command);
    expect(await stint.untilOver(id)).toMatchObject({ status: 'failed', exitCode, cause });
  });

  it.each([
    [{ PATH: '/nowhere' }],
    [{ SHELLOPTS: 'noexec' }],
    [{ BASH_ENV: '/dev/stdin', ENV: '/dev/stdin' }],
    [{ IFS: '/', CDPATH: '/tmp' }],
  ])('runs whatever its variables would say to a shell: %j', async (env) => {
    const { id } = await stint.submit(['/bin/sh', '-c', 'exit 5'], { env: env as Record<string, string> });
    expect(await stint.untilOver(id)).toMatchObject({ status: 'failed', exitCode: 5 });
  });

  it('fails with a cause when its directory does not exist', async () => {
    const { id } = await stint.submit(['true'], { cwd: '/no/such/directory' });
    const cause = 'the working directory /no/such/directory does not exist or may not be entered';
    expect(await stint.untilOver(id)).toMatchObject({ status: 'failed', exitCode: 126, cause });
  });

  it('pauses and resumes with its whole process tree', async () => {
    const { id } = await stint.submit(sh('sleep 60 & sleep 61 & wait'));
    const job = await stint.until(id, 'running');
    await eventually(
      () => jobProcesses(job.process!),
      (pids) => pids.length === 3,
      'the tree to be there',
    );
    const paused = await stint.client.jobs.pause({ id });
    expect(paused).toMatchObject({ status: 'paused', holdsVram: true });
    const pids = jobProcesses(job.process!);
    await eventually(
      () => pids.map(state),
      (states) => states.every((s) => s === 'T'),
      'all to be stopped',
    );
    await stint.client.jobs.resume({ id });
    await eventually(
      () => pids.map(state),
      (states) => states.every((s) => s !== 'T'),
      'all to go on',
    );
    const resumed = await stint.client.jobs.get({ id });
    expect(resumed).toMatchObject({ status: 'running', pausedAtMs: null, holdsVram: null });
    expect(resumed.pausedMs).toBeGreaterThan(0);
  });

  it('is cancelled with SIGTERM, which it may handle, also while it is paused', async () => {
    const { id } = await stint.submit(
      sh('trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.05; done'),
    );
    await eventually(
      () => stint.client.logs.read({ id }),
      (log) => log.text.includes('ready'),
      'the trap',
    );
    await stint.client.jobs.pause({ id });
    expect(await stint.client.jobs.cancel({ id })).toMatchObject({ status: 'stopping', cause: 'cancelled' });
    expect(await stint.untilOver(id)).toMatchObject({ status: 'cancelled', exitCode: 0, cause: 'cancelled' });
    expect((await stint.client.logs.read({ id })).text).toContain('bye');
  });

  it('is killed with all its children when it ignores SIGTERM', async () => {
    const { id } = await stint.submit(
      sh('trap "" TERM; (trap "" TERM; sleep 60) & echo ready; while :; do sleep 0.1; done'),
    );
    const job = await stint.until(id, 'running');
    await eventually(
      () => stint.client.logs.read({ id }),
      (log) => log.text.includes('ready'),
      'the trap',
    );
    await stint.client.jobs.cancel({ id });
    expect(await stint.untilOver(id)).toMatchObject({ status: 'cancelled', exitCode: 137 });
    await eventually(
      () => jobProcesses(job.process!),
      (pids) => pids.length === 0,
      'nothing to be left',
    );
  });

  it('shows the progress that it prints', async () => {
    const { id } = await stint.submit(sh('echo "epoch 3/12 loss 0.5"; sleep 60'));
    const job = await eventually(
      () => stint.client.jobs.get({ id }),
      (j) => j.progress !== null,
      'progress',
    );
    expect(job.progress).toMatchObject({ fraction: 0.25, label: 'epoch 3/12' });
  });

  it('keeps its folder private', async () => {
    const { id } = await stint.submit(['true']);
    await stint.untilOver(id);
    expect(existsSync(join(home, 'jobs', String(id), '1', 'output.log'))).toBe(true);
    for (const path of [home, join(home, 'jobs')]) expect(statSync(path).mode & 0o077).toBe(0);
  });
});

describe('a request that does not fit', () => {
  it('is refused, said, and changes nothing', async () => {
    const { id } = await stint.submit(['true'], { hold: true });
    const before = await stint.client.jobs.events({ id });
    await expect(stint.client.jobs.pause({ id })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/is held/),
    });
    await expect(stint.client.jobs.resume({ id })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(stint.client.jobs.cancel({ id: 999 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await stint.client.jobs.events({ id })).toEqual(before);
    await stint.client.jobs.cancel({ id });
    await expect(stint.client.jobs.cancel({ id })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/already over/),
    });
  });

  it.each([
    [{ gpus: 3 }, 'gpus', '3'],
    [{ gpus: -1 }, 'gpus', '-1'],
    [{ vramMib: 9000 }, 'vramMib', '9000'],
    [{ priority: 1.5 }, 'priority', '1.5'],
    [{ cwd: 'relative' }, 'cwd', '"relative"'],
    [{ env: { 'A-B': 'x' } }, 'env.A-B', '"x"'],
    [{ command: [] }, 'command', '[]'],
  ])('names the field: %j', async (more, field, value) => {
    const error = await stint.submit(['true'], more).then(
      () => null,
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ code: 'BAD_REQUEST', data: { field, value } });
    expect((await stint.client.jobs.list({})).total).toBe(0);
  });

  it('names a value that JSON has no word for', async () => {
    const more = { priority: 10n } as unknown as Record<string, never>;
    await expect(stint.submit(['true'], more)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      data: { field: 'priority', value: '"10"' },
    });
  });

  it('is not moved before itself', async () => {
    const { id } = await stint.submit(['true'], { hold: true });
    await expect(stint.client.jobs.move({ id, beforeId: id })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      data: { field: 'beforeId', remedy: 'give another job than the one to move' },
    });
  });

  it('names the field that is too large as a whole', async () => {
    const command = ['true', ...Array<string>(20).fill('x'.repeat(60_000))];
    await expect(stint.submit(command)).rejects.toMatchObject({
      data: { field: 'command', remedy: expect.stringMatching(/1 MiB/) },
    });
    const env = Object.fromEntries([...'ABCDEFGHIJK'].map((name) => [name, 'x'.repeat(100_000)]));
    await expect(stint.submit(['true'], { env })).rejects.toMatchObject({ data: { field: 'env' } });
    expect((await stint.client.jobs.list({})).total).toBe(0);
  });

  it('names a field that does not exist', async () => {
    const spec = { command: ['true'], cwd: '/', user: 'a', gpu: 1 };
    await expect(stint.client.jobs.submit(spec)).rejects.toMatchObject({
      data: { field: 'gpu', value: '1' },
    });
  });
});

describe('the queue', () => {
  it('follows the owner: hold, release, move, priority', async () => {
    const blocker = await stint.submit(sh('sleep 60'), { gpus: 2 });
    await stint.until(blocker.id, 'running');
    const ids: number[] = [];
    for (let i = 0; i < 3; i++) ids.push((await stint.submit(['true'], { gpus: 2 })).id);
    const [a, b, c] = ids as [number, number, number];
    await stint.client.jobs.move({ id: c, beforeId: a });
    const order = async () =>
      (await stint.client.jobs.list({ statuses: ['queued', 'held'] })).jobs.map((j) => j.id);
    expect(await order()).toEqual([c, a, b]);
    await stint.client.jobs.move({ id: c, beforeId: null });
    expect(await order()).toEqual([a, b, c]);
    await stint.client.jobs.hold({ id: a });
    expect((await stint.client.jobs.get({ id: a })).waitingReason).toMatch(/held/);
    expect(await stint.client.jobs.prioritise({ id: b, priority: 5 })).toMatchObject({ priority: 5 });
    expect((await stint.client.jobs.get({ id: b })).waitingReason).toBeTruthy();
    await stint.client.jobs.cancel({ id: blocker.id });
    await stint.untilOver(b);
    await stint.untilOver(c);
    expect((await stint.client.jobs.get({ id: a })).status).toBe('held');
    await stint.client.jobs.release({ id: a });
    expect(await stint.untilOver(a)).toMatchObject({ status: 'succeeded', exitCode: 0 });
  });

  it('shares a device by declared memory, and not beyond it', async () => {
    const ids: number[] = [];
    for (let i = 0; i < 5; i++) ids.push((await stint.submit(sh('sleep 60'), { vramMib: 3500 })).id);
    await eventually(
      async () => (await stint.client.jobs.list({ statuses: ['running'] })).total,
      (n) => n === 4,
      'four to run',
    );
    const last = () => stint.client.jobs.get({ id: ids[4]! });
    await eventually(last, (job) => /memory/i.test(job.waitingReason ?? ''), 'the reason to be its memory');
    expect((await last()).status).toBe('queued');
    const held = (await stint.client.devices.list()).map((device) => device.holders.length);
    expect(held).toEqual([2, 2]);
  });
});
