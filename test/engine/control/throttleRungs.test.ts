import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, getPriority, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeCpuLimit } from '../../../src/engine/control/cgroups.ts';
import { nicenessOf, niceTrouble } from '../../../src/engine/control/niceness.ts';
import { makeNvidiaSmiStandIn } from '../../stand-ins/nvidiaSmiStandIn.ts';
import { buildNvmlStandIn } from '../../stand-ins/nvml/buildNvmlStandIn.ts';
import {
  eventually,
  removeHome,
  startEngine,
  type TestEngine,
  temporaryHome,
} from '../support/testEngine.ts';

const nvml = buildNvmlStandIn();
const smi = makeNvidiaSmiStandIn();
const root = process.getuid?.() === 0;
if (!root) process.stderr.write('skipped: power limits; they need root\n');
if (niceTrouble() !== null) process.stderr.write(`skipped: niceness; ${niceTrouble()}\n`);
let home: string;
let stint: TestEngine;
const start = async () => {
  stint = await startEngine({ home, devices: 'nvml', env: { ...process.env, ...smi.env } });
};

beforeAll(() => void Object.assign(process.env, nvml.env));
afterAll(() => {
  for (const name of Object.keys(nvml.env)) delete process.env[name];
  nvml.dispose();
  smi.dispose();
});
beforeEach(async () => {
  nvml.set('count 1');
  home = temporaryHome();
  await start();
});
afterEach(async () => {
  const { jobs } = await stint.client.jobs.list({ statuses: ['queued', 'starting', 'running', 'paused'] });
  for (const { id } of jobs) await stint.client.jobs.cancel({ id });
  for (const { id } of jobs) await stint.untilOver(id);
  await stint.engine.stop();
  removeHome(home);
});

/** A job that says its pid and waits. */
async function waiting(vramMib = 1000): Promise<{ id: number; pid: number }> {
  const { id } = await stint.submit(['sh', '-c', 'echo $$; sleep 300 & wait'], { vramMib });
  const pid = await eventually(
    async () => Number((await stint.client.logs.read({ id })).text),
    (said) => said > 0,
    'the job to say its pid',
  );
  return { id, pid };
}

describe('niceness', () => {
  it('follows the share', () => {
    expect([0.99, 0.8, 0.4, 0.1, 0.01].map(nicenessOf)).toEqual([1, 1, 4, 10, 19]);
  });

  it.skipIf(niceTrouble() !== null)(
    'is that of all of a job, goes with the engine unless it is to stay, and comes back',
    async () => {
      const { id, pid } = await waiting();
      const base = getPriority(pid);
      const throttled = await stint.client.jobs.throttle({ id, share: 0.4, by: 'nice' });
      expect(throttled.throttle).toEqual({ share: 0.4, method: 'nice', by: 'person' });
      const child = await eventually(
        () => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim()),
        (found) => found > 0,
        'its child',
      );
      expect([pid, child].map((one) => getPriority(one))).toEqual([base + 4, base + 4]);
      await stint.engine.stop();
      expect(getPriority(child)).toBe(base);
      await start();
      await eventually(
        () => getPriority(child),
        (now) => now === base + 4,
        'the next engine to take it up',
      );
      await stint.client.settings.set({ rules: { whenStopped: 'keep' } });
      await stint.engine.stop();
      expect(getPriority(child)).toBe(base + 4);
      await start();
      // What it made itself is its own.
      setPriority(child, base + 7);
      expect(await stint.client.jobs.throttle({ id, share: null })).toMatchObject({ throttle: null });
      await eventually(
        () => getPriority(pid),
        (now) => now === base,
        'it to be as before',
      );
      expect(getPriority(child)).toBe(base + 7);
      expect(stint.complaints).toEqual([]);
    },
  );
});

describe('the power of a GPU', () => {
  const uuid = async () => (await stint.client.devices.list())[0]!.id;
  const limitW = () =>
    Number(
      (JSON.parse(readFileSync(smi.mark, 'utf8')) as { gpus: Record<string, string>[] }).gpus[0]![
        'power.limit'
      ],
    );
  const offer = async () => {
    const limits = { 'power.limit': '280.00', 'power.default_limit': '300.00', 'power.min_limit': '100.00' };
    smi.set({ gpus: [{ uuid: await uuid(), ...limits }] });
  };

  it.skipIf(!root)('is lowered for a job that has it to itself, and put back with its end', async () => {
    await offer();
    const { id } = await waiting();
    await stint.client.jobs.throttle({ id, share: 0.5, by: 'gpu-power' });
    expect(limitW()).toBe(150);
    await stint.client.jobs.throttle({ id, share: 0.1, by: 'gpu-power' });
    await eventually(limitW, (watts) => watts === 100, 'no less than it may be');
    await stint.client.jobs.cancel({ id });
    await stint.untilOver(id);
    await eventually(limitW, (watts) => watts === 280, 'what it was before');
  });

  it.skipIf(!root)('is not where others share it, or where the driver refuses', async () => {
    await offer();
    const first = await waiting();
    const second = await waiting();
    const throttle = () => stint.client.jobs.throttle({ id: first.id, share: 0.5, by: 'gpu-power' });
    await expect(throttle()).rejects.toThrow(/others share GPU 0/);
    await stint.client.jobs.cancel({ id: second.id });
    await stint.untilOver(second.id);
    smi.set({ gpus: [], exit: { status: 4, text: 'Insufficient Permissions' } });
    await expect(throttle()).rejects.toThrow(/Insufficient Permissions/);
    expect(await stint.client.jobs.get({ id: first.id })).toMatchObject({ throttle: null });
  });
});

it('writes processor limits as cgroup v2 wants them', () => {
  const group = mkdtempSync(join(tmpdir(), 'stint-group-'));
  const written = () => ['cpu.max', 'cpu.weight'].map((file) => readFileSync(join(group, file), 'utf8'));
  try {
    for (const file of ['cpu.max', 'cpu.weight']) writeFileSync(join(group, file), '');
    writeCpuLimit(group, 0.4);
    expect(written()).toEqual([`${Math.round(0.4 * availableParallelism() * 100_000)} 100000`, '40']);
    writeCpuLimit(group, null);
    expect(written()).toEqual(['max 100000', '100']);
  } finally {
    rmSync(group, { recursive: true, force: true });
  }
});

it('holds a job by the rung that is named, or refuses it with the reason', async () => {
  const { id } = await waiting();
  const quota = (await stint.client.system.rungs()).find(({ rung }) => rung === 'cpu-quota')!;
  const asked = stint.client.jobs.throttle({ id, share: 0.5, by: 'cpu-quota' });
  if (quota.works) expect((await asked).throttle).toMatchObject({ method: 'cpu-quota' });
  else {
    process.stderr.write(`not tried: a quota of processor time; ${quota.note}\n`);
    await expect(asked).rejects.toThrow(quota.note!);
  }
  const gentlest = (await stint.client.system.rungs()).find(
    ({ works, ladder }) => works && ladder === 'throttle',
  )!;
  await stint.client.settings.set({ rules: { throttleBy: 'auto' } });
  expect((await stint.client.jobs.throttle({ id, share: 0.5 })).throttle).toMatchObject({
    method: gentlest.rung,
  });
});
