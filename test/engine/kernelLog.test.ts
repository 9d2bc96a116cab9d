import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Faults } from '../../src/engine/devices/faults.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { faultStore } from '../../src/engine/store/faultStore.ts';
import { buildNvmlStandIn } from '../stand-ins/nvml/buildNvmlStandIn.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

const nvml = buildNvmlStandIn();
const home = temporaryHome();
const files = temporaryHome();
const kernelLog = join(files, 'kmsg');
const env = { ...nvml.env, STINT_KERNEL_LOG: kernelLog, STINT_NVIDIA_PROC: join(files, 'gpus') };
afterAll(() => {
  for (const name of Object.keys(env)) delete process.env[name];
  nvml.dispose();
  removeHome(home);
  removeHome(files);
});

/** A record as /dev/kmsg gives it. A file does not imitate that records are overwritten, nor that reading may be refused. */
let sequence = 0;
const record = (text: string): void =>
  appendFileSync(kernelLog, `4,${++sequence},${Math.round(uptime() * 1e6)},-;${text}\n SUBSYSTEM=pci\n`);

it('a GPU is closed by what the kernel’s log says of it, across restarts, until its owner opens it', async () => {
  Object.assign(process.env, env);
  nvml.set('count 2');
  writeFileSync(kernelLog, '6,1,100,-;Linux version 6\n');
  let stint: TestEngine = await startEngine({ home, devices: 'nvml' });
  const device = async (index: number) =>
    (await stint.client.devices.list()).find((one) => one.index === index)!;
  try {
    const broken = await device(1);
    await stint.engine.stop();
    mkdirSync(join(files, 'gpus', '0000:65:00.0'), { recursive: true });
    writeFileSync(
      join(files, 'gpus', '0000:65:00.0', 'information'),
      `Model: \t\t Stand-in\nGPU UUID: \t ${broken.id}\nBus Location: \t 0000:65:00.0\n`,
    );
    // While no engine runs; the first names no GPU of ours.
    record("NVRM: Xid (PCI:0000:99:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.");
    record("NVRM: Xid (PCI:0000:65:00): 48, pid='<unknown>', name=<unknown>, DBE (double bit error).");
    stint = await startEngine({ home, devices: 'nvml' });
    const closed = await eventually(
      () => device(1),
      (one) => one.closed !== null,
      'the GPU to be closed',
    );
    expect(closed).toMatchObject({ fault: { code: 48 }, closed: { rule: 'fault' } });
    expect(closed.closed!.reason).toMatch(/Xid 48: double-bit error.*stint device 1 --reopen/);
    expect((await device(0)).closed).toBeNull();
    expect(stint.complaints.join()).toContain('0000:99:00, which is none of ours');

    // What is started goes to the other one, and what needs both waits with the reason.
    const one = await stint.submit(['true']);
    expect((await stint.untilOver(one.id)).devices).not.toContain(broken.id);
    const both = await stint.submit(['true'], { gpus: 2 });
    await eventually(
      () => stint.client.jobs.get({ id: both.id }),
      ({ waitingReason }) => waitingReason?.includes('Xid 48') === true,
      'the reason to be told',
    );

    await stint.engine.stop();
    stint = await startEngine({ home, devices: 'nvml' });
    await eventually(
      () => device(1),
      (now) => now.closed?.rule === 'fault',
      'it to be closed still',
    );
    expect((await stint.client.devices.reopen({ id: broken.id })).closed).toBeNull();
    expect(await stint.untilOver(both.id)).toMatchObject({ status: 'succeeded' });
    await expect(stint.client.devices.reopen({ id: broken.id })).rejects.toMatchObject({ code: 'CONFLICT' });

    // The same log does not close it once more; another fault does, and one of a program does not.
    await stint.engine.stop();
    stint = await startEngine({ home, devices: 'nvml' });
    record('NVRM: Xid (PCI:0000:65:00): 31, pid=7, name=python, Ch 00000008, intr 00000000. MMU Fault');
    await eventually(
      () => device(1),
      (now) => now.fault?.code === 31,
      'the fault to be told',
    );
    expect((await device(1)).closed).toBeNull();
    record("NVRM: Xid (PCI:0000:65:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.");
    await eventually(
      () => device(1),
      (now) => now.closed?.rule === 'fault',
      'it to be closed again',
    );
  } finally {
    await stint.engine.stop();
  }

  // The machine was restarted: that resets a GPU.
  const db = openDatabase(join(home, 'stint.db'));
  try {
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const faults = new Faults({ store: faultStore(db), bootId: 'another', log });
    const [{ id } = { id: '' }] = faultStore(db).all();
    expect(faults.latest(id)).toMatchObject({ code: 79 });
    expect(faults.closing(id)).toBeNull();
    const nowMs = Date.now();
    // Told twice, by the library and by the log, it is one.
    expect(faults.take([{ id, code: 95, atMs: nowMs }])).toHaveLength(1);
    expect(faults.take([{ id, code: 95, atMs: nowMs + 2000 }])).toEqual([]);
    expect(faults.closing(id)).toMatchObject({ code: 95 });
    for (let at = 1; at <= 60; at++) faults.take([{ id, code: 13, atMs: nowMs + at * 60_000 }]);
    expect(faultStore(db).all()).toHaveLength(50);
  } finally {
    db.close();
  }
});
