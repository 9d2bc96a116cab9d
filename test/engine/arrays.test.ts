import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobView } from '../../src/contract/messages.ts';
import type { JobSpecInput } from '../../src/domain/job.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let stint: TestEngine;
beforeEach(async () => {
  home = temporaryHome();
  stint = await startEngine({ home });
});
afterEach(async () => {
  for (const job of (await stint.client.jobs.list({ limit: 1000 })).jobs) {
    if (job.finishedAtMs !== null) continue;
    await stint.client.jobs.cancel({ id: job.id }).catch(() => undefined);
    await stint.untilOver(job.id);
  }
  await stint.engine.stop();
  removeHome(home);
});

const submit = (
  command: string[],
  count: number,
  atMost: number | null = null,
  more: Partial<JobSpecInput> = {},
): Promise<{ id: number; ids: number[] }> =>
  stint.client.arrays.submit({
    spec: { command, cwd: '/tmp', user: 'ada', gpus: 0, ...more },
    members: Array.from({ length: count }, (_, index) => ({ index, values: { lr: `1e-${index}` } })),
    atMost,
  });
const jobsOf = async (id: number): Promise<JobView[]> => (await stint.client.arrays.get({ id })).jobs;
const over = (id: number): Promise<JobView[]> =>
  eventually(
    () => jobsOf(id),
    (jobs) => jobs.every(({ finishedAtMs }) => finishedAtMs !== null),
    'the array to be over',
  );

describe('an array', () => {
  it('is one job for each member, with its own values', async () => {
    const script =
      'echo {lr} {index} $TAG $STINT_ARRAY_ID $STINT_ARRAY_INDEX $STINT_ARRAY_SIZE $STINT_PARAMS';
    const { id, ids } = await submit(['sh', '-c', script], 3, null, {
      name: 'lr {lr}',
      env: { TAG: 't{index}' },
    });
    expect(ids).toEqual([id, id + 1, id + 2]);
    const jobs = await over(id);
    expect(jobs.map(({ name, status }) => [name, status])).toEqual([
      ['lr 1e-0', 'succeeded'],
      ['lr 1e-1', 'succeeded'],
      ['lr 1e-2', 'succeeded'],
    ]);
    expect(jobs[1]!.array).toEqual({
      id,
      name: 'lr {lr}',
      index: 1,
      size: 3,
      atMost: null,
      values: { lr: '1e-1' },
    });
    const log = readFileSync(join(home, 'jobs', String(ids[1]), '1', 'output.log'), 'utf8');
    expect(log).toBe(`1e-1 1 t1 ${id} 1 3 {"lr":"1e-1"}\n`);
  });

  it('is there whole or not at all', async () => {
    const before = (await stint.client.jobs.list({})).total;
    const long = 'x'.repeat(150);
    const members = [
      { index: 0, values: { lr: 'ok' } },
      { index: 1, values: { lr: long } },
    ];
    const spec = { command: ['true'], cwd: '/tmp', user: 'ada', gpus: 0, name: '{lr} {lr}' };
    await expect(stint.client.arrays.submit({ spec, members })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      data: { field: 'members.1, as name' },
    });
    const twice = [{ index: 1 }, { index: 1 }];
    await expect(stint.client.arrays.submit({ spec, members: twice })).rejects.toMatchObject({
      data: { field: 'members.1.index' },
    });
    expect((await stint.client.jobs.list({})).total).toBe(before);
    await expect(stint.client.arrays.get({ id: 77 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('runs at most so many of its jobs at once, whatever room there is, also after a restart', async () => {
    const room = { gpus: 1, vramMib: 100 };
    const flag = join(home, 'go');
    const script = `until [ -e ${flag} ]; do sleep 0.05; done`;
    const { id, ids } = await submit(['sh', '-c', script], 5, 2, room);
    await stint.until(ids[1]!, 'running');
    const other = await stint.submit(['true'], room);
    await stint.untilOver(other.id);
    const running = (jobs: JobView[]): number => jobs.filter(({ status }) => status === 'running').length;
    expect(running(await jobsOf(id))).toBe(2);
    expect((await stint.client.jobs.get({ id: ids[4]! })).waitingReason).toBe('of its array, 2 run at once');
    await stint.engine.stop();
    stint = await startEngine({ home });
    const another = await stint.submit(['true'], room);
    await stint.untilOver(another.id);
    expect(running(await jobsOf(id))).toBe(2);
    await stint.submit(['touch', flag], room);
    const jobs = await over(id);
    // Never were three of them there at one moment.
    const starts = jobs.map(({ startedAtMs }) => startedAtMs!);
    for (const at of starts) {
      const there = jobs.filter((job) => job.startedAtMs! <= at && job.finishedAtMs! > at);
      expect(there.length).toBeLessThanOrEqual(2);
    }
  });

  it('is held, released, given a priority, cancelled and retried as a whole', async () => {
    const { id, ids } = await submit(['sleep', '600'], 3, 1, { hold: true });
    const lone = await stint.submit(['sleep', '600'], { gpus: 0, hold: true });
    expect(await stint.client.arrays.prioritise({ id, priority: 7 })).toEqual({ ids });
    expect((await jobsOf(id)).map(({ priority }) => priority)).toEqual([7, 7, 7]);
    expect(await stint.client.arrays.release({ id })).toEqual({ ids });
    await stint.until(id, 'running');
    expect(await stint.client.arrays.pause({ id })).toEqual({ ids: [id] });
    expect(await stint.client.arrays.resume({ id })).toEqual({ ids: [id] });
    expect(await stint.client.arrays.hold({ id })).toEqual({ ids: ids.slice(1) });
    expect(await stint.client.arrays.cancel({ id })).toEqual({ ids });
    expect((await over(id)).map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    await expect(stint.client.arrays.cancel({ id })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await stint.client.arrays.retry({ id })).toEqual({ ids });
    expect((await stint.client.jobs.get({ id: lone.id })).status).toBe('held');
  });

  it('can be waited for as a whole', async () => {
    const good = await submit(['true'], 3);
    const after = await stint.submit(['true'], {
      gpus: 0,
      after: [{ jobId: good.id, on: 'ok', array: true }],
    });
    expect(await stint.untilOver(after.id)).toMatchObject({ status: 'succeeded' });
    for (const job of await jobsOf(good.id)) {
      expect(job.finishedAtMs).toBeLessThanOrEqual((await stint.untilOver(after.id)).startedAtMs!);
    }
    const mixed = await submit(['sh', '-c', 'exit {index}'], 2);
    const ok = await stint.submit(['true'], { gpus: 0, after: [{ jobId: mixed.id, on: 'ok', array: true }] });
    const not = await stint.submit(['true'], {
      gpus: 0,
      after: [{ jobId: mixed.id, on: 'not-ok', array: true }],
    });
    expect(await stint.untilOver(ok.id)).toMatchObject({
      status: 'cancelled',
      cause: `array #${mixed.id} has failed, but was to succeed first`,
    });
    expect(await stint.untilOver(not.id)).toMatchObject({ status: 'succeeded' });
    await expect(
      stint.submit(['true'], { after: [{ jobId: after.id, on: 'ok', array: true }] }),
    ).rejects.toMatchObject({ data: { field: 'after' } });
  });
});
