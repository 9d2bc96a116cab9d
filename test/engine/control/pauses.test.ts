import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JobView } from '../../../src/contract/messages.ts';
import type { JobSpecInput } from '../../../src/domain/job.ts';
import { Ledger } from '../../../src/engine/jobs/ledger.ts';
import { systemClock } from '../../../src/engine/ports.ts';
import { openDatabase } from '../../../src/engine/store/database.ts';
import { makeCudaCheckpointStandIn } from '../../stand-ins/cudaCheckpoint.ts';
import { buildNvmlStandIn } from '../../stand-ins/nvml/buildNvmlStandIn.ts';
import {
  eventually,
  removeHome,
  startEngine,
  type TestEngine,
  temporaryHome,
} from '../support/testEngine.ts';

const nvml = buildNvmlStandIn();
const cuda = makeCudaCheckpointStandIn();
let home: string;
let stint: TestEngine;
const start = () => startEngine({ home, devices: 'nvml', env: { ...process.env, ...cuda.env } });

beforeAll(() => void Object.assign(process.env, nvml.env));
afterAll(() => {
  for (const name of Object.keys(nvml.env)) delete process.env[name];
  nvml.dispose();
  cuda.dispose();
});
beforeEach(async () => {
  nvml.set('count 1');
  cuda.fail(null);
  home = temporaryHome();
  stint = await start();
});
afterEach(async () => {
  const { jobs } = await stint.client.jobs.list({ statuses: ['queued', 'starting', 'running', 'paused'] });
  for (const { id } of jobs) await stint.client.jobs.cancel({ id });
  for (const { id } of jobs) await stint.untilOver(id);
  await stint.engine.stop();
  removeHome(home);
});

const textOf = async ({ id }: Pick<JobView, 'id'>) => (await stint.client.logs.read({ id })).text;

/** A job that says its pid first, and then counts. */
async function counting(more: Partial<JobSpecInput> = {}): Promise<{ id: number; pid: number }> {
  const job = await stint.submit(['sh', '-c', 'echo $$; while :; do echo up; sleep 0.05; done'], {
    vramMib: 1000,
    ...more,
  });
  const text = await eventually(
    () => textOf(job),
    (said) => said.includes('up'),
    'the job to count',
  );
  return { id: job.id, pid: Number(text.split('\n')[0]) };
}

const growsOn = async (job: { id: number }) => {
  const before = (await textOf(job)).length;
  return eventually(
    async () => (await textOf(job)).length,
    (now) => now > before,
    'the job to go on',
  );
};

/** Where control groups of jobs can be made here; null: nowhere. */
function writableGroup(): string | null {
  const mount = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((line) => line.includes(' - cgroup2 '))
    ?.split(' ')[4];
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  if (mount === undefined || own === undefined) return null;
  try {
    const probe = join(mount, own, `stint-test-${process.pid}`);
    mkdirSync(probe);
    rmdirSync(probe);
    return mount;
  } catch {
    return null;
  }
}
const mount = writableGroup();
if (mount === null)
  process.stderr.write(
    'skipped: the freezer; it needs a group of cgroup v2 below which this user may make others\n',
  );

describe('the freezer', () => {
  const groupOf = (pid: number): string =>
    join(mount!, /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))![1]!);
  const isFrozen = (pid: number): boolean =>
    /^frozen 1$/m.test(readFileSync(join(groupOf(pid), 'cgroup.events'), 'utf8'));

  it.skipIf(mount === null)('holds a job without a signal, across engines, until it is resumed', async () => {
    const job = await counting();
    expect(await stint.client.jobs.pause({ id: job.id, by: 'freezer' })).toMatchObject({
      status: 'paused',
      pauseMethod: 'freezer',
      holdsVram: true,
    });
    await eventually(() => isFrozen(job.pid), Boolean, 'the group to be frozen');
    expect(readFileSync(`/proc/${job.pid}/stat`, 'latin1')).not.toMatch(/\) T /);
    await stint.engine.stop();
    stint = await start();
    expect(isFrozen(job.pid)).toBe(true);
    expect(await stint.client.jobs.resume({ id: job.id })).toMatchObject({ status: 'running' });
    await growsOn(job);
    expect(isFrozen(job.pid)).toBe(false);
  });

  it.skipIf(mount === null)(
    'lets a job that is cancelled hear of it, and leaves no group behind',
    async () => {
      const job = await counting();
      await stint.client.settings.set({ rules: { pauseBy: 'freezer' } });
      expect(await stint.client.jobs.pause({ id: job.id })).toMatchObject({ pauseMethod: 'freezer' });
      await eventually(() => isFrozen(job.pid), Boolean, 'the group to be frozen');
      const group = groupOf(job.pid);
      await stint.client.jobs.cancel({ id: job.id });
      expect(await stint.untilOver(job.id)).toMatchObject({ status: 'cancelled', exitCode: 143 });
      await stint.engine.stop();
      stint = await start();
      expect(() => readFileSync(join(group, 'cgroup.procs'))).toThrow(/ENOENT/);
    },
  );
});

describe('a checkpoint of CUDA', () => {
  /** A job on the GPU, with so much of its memory. */
  async function onGpu(mib: number): Promise<{ id: number; pid: number }> {
    const job = await counting();
    cuda.set(job.pid, 'running');
    nvml.set('count 1', `0.used ${mib}`, `0.compute ${job.pid} ${mib}`);
    await eventually(
      () => stint.client.jobs.memory({ id: job.id }),
      ({ observedMib }) => observedMib === mib,
      'its use to be seen',
    );
    return job;
  }

  it('frees the memory for others, and is undone only where it fits', async () => {
    const job = await onGpu(6000);
    const paused = await stint.client.jobs.pause({ id: job.id, freeVram: true });
    expect(paused).toMatchObject({ status: 'paused', pauseMethod: 'cuda-checkpoint', holdsVram: false });
    expect(cuda.stateOf(job.pid)).toBe('checkpointed');
    await eventually(
      () => readFileSync(`/proc/${job.pid}/stat`, 'latin1'),
      (stat) => stat.includes(') T '),
      'the rest of it to stand still as well',
    );
    nvml.set('count 1');
    await eventually(
      async () => (await stint.client.devices.list())[0]!,
      ({ holders, reading }) => holders[0]?.reservedMib === 0 && (reading?.memoryUsedMib ?? 6000) < 6000,
      'the room to be free',
    );
    await stint.engine.stop();
    stint = await start();
    const other = await stint.submit(['sleep', '300'], { exclusive: true });
    await stint.until(other.id, 'running');
    // On a busy machine a reading may be so old that the room is not known for a moment.
    await eventually(
      () => stint.client.jobs.resume({ id: job.id }).then(String, String),
      (said) => said.includes('needs 6.1 GiB there'),
      'it to be refused for want of room',
    );
    expect(await stint.client.jobs.get({ id: job.id })).toMatchObject({ status: 'paused', holdsVram: false });
    await stint.client.jobs.cancel({ id: other.id });
    await stint.untilOver(other.id);
    await eventually(
      () => stint.client.jobs.resume({ id: job.id }).catch(() => null),
      (resumed) => resumed?.status === 'running',
      'it to be put back',
    );
    expect(cuda.stateOf(job.pid)).toBe('running');
    await growsOn(job);
    expect(stint.complaints).toEqual([]);
  });

  it('is refused where the host has no room, and where it fails the job goes on', async () => {
    const job = await onGpu(1000);
    cuda.fail('the driver says no');
    await expect(stint.client.jobs.pause({ id: job.id, by: 'cuda-checkpoint' })).rejects.toThrow(/says no/);
    cuda.fail(null);
    expect(await stint.client.jobs.get({ id: job.id })).toMatchObject({ status: 'running' });
    nvml.set('count 1', '0.total 90000000', '0.used 80000000', `0.compute ${job.pid} 80000000`);
    await eventually(
      async () => (await stint.client.devices.list())[0]!.holders[0]?.usedMib,
      (mib) => mib === 80_000_000,
      'its growth to be seen',
    );
    await expect(stint.client.jobs.pause({ id: job.id, freeVram: true })).rejects.toThrow(/host's memory/);
    expect(cuda.stateOf(job.pid)).toBe('running');
    await growsOn(job);
  });

  it('that an engine was killed in is finished by the next', async () => {
    const job = await onGpu(3000);
    await stint.engine.stop();
    const db = openDatabase(join(home, 'stint.db'));
    const paused = { kind: 'paused', method: 'cuda-checkpoint', holdsVram: true } as const;
    new Ledger(db, systemClock).append(job.id, paused, 'person');
    db.close();
    cuda.set(job.pid, 'checkpointed');
    stint = await start();
    await eventually(
      () => stint.client.jobs.get({ id: job.id }),
      ({ holdsVram }) => holdsVram === false,
      'its memory to be told as free',
    );
  });
});

it('what a rule paused goes on when Stint ends, and is paused again by the next', async () => {
  const job = await counting();
  const id = (await stint.client.devices.list())[0]!.id;
  const fromMs = Date.now();
  await stint.client.devices.reserve({ id, fromMs, toMs: fromMs + 3_600_000, user: 'somebody' });
  expect(await stint.until(job.id, 'paused')).toMatchObject({ pausedBy: 'guard' });
  await stint.engine.stop();
  await eventually(
    () => readFileSync(`/proc/${job.pid}/stat`, 'latin1'),
    (stat) => !stat.includes(') T '),
    'it to go on',
  );
  stint = await start();
  expect(await stint.until(job.id, 'paused')).toMatchObject({ pausedBy: 'guard' });
});

it('says which rungs work, and refuses one that does not with the reason', async () => {
  const rungs = await stint.client.system.rungs();
  expect(rungs.find(({ rung }) => rung === 'cuda-checkpoint')).toMatchObject({ works: true });
  expect(rungs.find(({ rung }) => rung === 'freezer')!.works).toBe(mount !== null);
  const { id } = await counting({ gpus: 0 });
  await expect(stint.client.jobs.pause({ id, by: 'cuda-checkpoint' })).rejects.toThrow(/it has no GPU/);
  await expect(stint.client.jobs.pause({ id, by: 'signals', freeVram: true })).rejects.toThrow(
    /does not free/,
  );
  await expect(stint.client.jobs.pause({ id, freeVram: true })).rejects.toThrow(/cannot be freed/);
  expect(await stint.client.jobs.get({ id })).toMatchObject({ status: 'running' });
  const by = mount === null ? 'signals' : 'freezer';
  expect(await stint.client.jobs.pause({ id, by: 'auto' })).toMatchObject({ pauseMethod: by });
});
