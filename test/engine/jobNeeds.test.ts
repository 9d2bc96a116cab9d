import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

let home: string;
let stint: TestEngine;
beforeEach(async () => {
  home = temporaryHome();
  stint = await startEngine({ home });
});
afterEach(async () => {
  for (const { id } of (await stint.client.jobs.list({ limit: 100 })).jobs) {
    await stint.client.jobs.cancel({ id }).catch(() => undefined);
    await stint.untilOver(id);
  }
  await stint.engine.stop();
  removeHome(home);
});

const LONG = ['sleep', '600'];

describe('how many GPUs a job gets', () => {
  it('is between what it can do with and what it asks for', async () => {
    const wide = await stint.submit(['sh', '-c', 'echo $STINT_GPUS; sleep 600'], { gpus: 4, minGpus: 1 });
    expect(await stint.until(wide.id, 'running')).toMatchObject({ devices: ['virtual-0', 'virtual-1'] });
    await stint.client.jobs.cancel({ id: wide.id });
    await stint.untilOver(wide.id);
    const one = await stint.submit(LONG);
    await stint.until(one.id, 'running');
    const narrow = await stint.submit(LONG, { gpus: 2, minGpus: 1 });
    expect((await stint.until(narrow.id, 'running')).devices).toHaveLength(1);
  });

  it('may be a part of one: then others share it, each with its part of the memory', async () => {
    const ids: number[] = [];
    for (let i = 0; i < 4; i++) ids.push((await stint.submit(LONG, { gpuShare: 0.5 })).id);
    const jobs = await Promise.all(ids.map((id) => stint.until(id, 'running')));
    expect(jobs.map(({ vramMib }) => vramMib)).toEqual([3686, 3686, 3686, 3686]);
    expect(jobs.flatMap(({ devices }) => devices).sort()).toEqual([
      'virtual-0',
      'virtual-0',
      'virtual-1',
      'virtual-1',
    ]);
    const fifth = await stint.submit(LONG, { gpuShare: 0.5 });
    expect((await stint.client.jobs.get({ id: fifth.id })).status).toBe('queued');
    const own = await stint.submit(['true'], { gpuShare: 0.5, vramMib: 100 });
    expect(own.vramMib).toBe(100);
  });
});

it('a CPU-only job never waits behind jobs that wait for a GPU, under a policy that lets nobody pass either', async () => {
  const full = await stint.submit(LONG, { gpus: 2 });
  await stint.until(full.id, 'running');
  for (let i = 0; i < 3; i++) await stint.submit(LONG, { gpus: 1, priority: 10 });
  const cpu = await stint.submit(['true'], { gpus: 0 });
  expect(await stint.untilOver(cpu.id)).toMatchObject({ status: 'succeeded', devices: [] });
  const [decision] = await stint.client.scheduler.decisions({ limit: 1, jobId: cpu.id });
  expect(decision?.sentence).toContain(`#${cpu.id}`);
});

it('what ends well but late says so', async () => {
  const late = await stint.submit(['true'], { deadlineAtMs: 1000 });
  expect(await stint.untilOver(late.id)).toMatchObject({
    status: 'succeeded',
    diagnosis: { code: 'deadline', summary: expect.stringMatching(/^missed its deadline by \d+ d/) },
  });
  const early = await stint.submit(['true'], { deadlineAtMs: Date.now() + 3_600_000 });
  expect(await stint.untilOver(early.id)).toMatchObject({ status: 'succeeded', diagnosis: null });
});

it('a job may be tried again after some causes of death only', async () => {
  const missing = "python3 -c 'import no_such_module_anywhere'";
  const terms = { retries: 1, retryDelayS: 0, gpus: 0 };
  const again = await stint.submit(['sh', '-c', missing], { ...terms, retryOnDiagnoses: ['missing-module'] });
  expect(await stint.untilOver(again.id)).toMatchObject({ status: 'failed', attempt: 2 });
  const not = await stint.submit(['sh', '-c', missing], { ...terms, retryOnDiagnoses: ['gpu-memory'] });
  expect(await stint.untilOver(not.id)).toMatchObject({ status: 'failed', attempt: 1 });
});

it('a job that says how long it needs to end is given that time, and no more', async () => {
  const deaf = ['sh', '-c', "trap '' TERM; echo deaf; while :; do sleep 0.1; done"];
  const { id } = await stint.submit(deaf, { graceS: 0, gpus: 0 });
  await stint.until(id, 'running');
  await stint.client.jobs.cancel({ id });
  expect(await stint.untilOver(id)).toMatchObject({ status: 'cancelled', exitCode: 137 });
});
