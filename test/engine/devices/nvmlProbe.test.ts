import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../src/domain/errors.ts';
import { NvmlProbe } from '../../../src/engine/devices/nvmlProbe.ts';
import { buildNvmlStandIn } from '../../stand-ins/nvml/buildNvmlStandIn.ts';
import { Collector, PATIENCE, processesWith } from './collector.ts';

const standIn = buildNvmlStandIn();
afterAll(() => standIn.dispose());

const uuid = (i: number) => `GPU-57a9d1e0-0000-4000-8000-${String(i).padStart(12, '0')}`;
let probe: NvmlProbe;
let seen: Collector;

function make(
  more: { deadlineMs?: number; startDeadlineMs?: number; env?: NodeJS.ProcessEnv } = {},
): NvmlProbe {
  return new NvmlProbe({
    intervalMs: 50,
    deadlineMs: 10_000,
    firstBackoffMs: 50,
    env: { ...process.env, ...standIn.env },
    ...more,
  });
}

beforeEach(() => {
  rmSync(`${standIn.env.STINT_STANDIN_NVML}.hung`, { force: true });
  standIn.set('count 2');
  probe = make();
  seen = new Collector();
});

afterEach(async () => {
  await probe.stop();
  expect(processesWith(standIn.env.STINT_NVML_LIBRARY)).toEqual([]);
});

describe('NvmlProbe', () => {
  it('reads what the driver says, in PCI order', async () => {
    standIn.set(
      'count 2',
      ...['0.bus 9', '0.name NVIDIA RTX A6000', '0.total 49140', '0.used 1000', '0.reserved 500'],
      ...['0.utilisation 37', '0.temperature 61', '0.power 212500', '0.limit 300000', '0.clock 1410'],
      ...[
        '0.compute 4242 900',
        '0.compute 4243 unknown',
        '0.graphics 4242 900',
        '0.graphics 77 12',
        '1.bus 3',
      ],
    );
    const report = await probe.start(seen);
    expect(report.devices.map(({ info }) => info)).toEqual([
      { id: uuid(1), index: 0, kind: 'nvidia', name: 'Stand-in GPU 1', memoryTotalMib: 24_576 },
      { id: uuid(0), index: 1, kind: 'nvidia', name: 'NVIDIA RTX A6000', memoryTotalMib: 49_140 },
    ]);
    expect(report.devices[1]).toMatchObject({
      trouble: null,
      reading: {
        // What the driver reserves cannot be had, so it is not free.
        memoryUsedMib: 1500,
        utilisation: 0.37,
        temperatureC: 61,
        powerW: 212.5,
        powerLimitW: 300,
        smClockMhz: 1410,
      },
    });
    const processes = report.devices[1]!.reading!.processes!.toSorted((a, b) => a.pid - b.pid);
    expect(processes).toEqual([
      { pid: 77, memoryMib: 12, graphics: true },
      { pid: 4242, memoryMib: 900 },
      { pid: 4243, memoryMib: null },
    ]);
  });

  it('reads the instances of a GPU that is divided, as they come and go', async () => {
    const mig = (k: number) => `MIG-57a9d1e0-0000-4000-8000-000000${String(k).padStart(6, '0')}`;
    standIn.set('count 2', '0.mig 2', '0.temperature 61', '0.1.compute 4242 900', '1.used 500');
    const report = await probe.start(seen);
    expect(report.devices.map(({ info }) => [info.id, info.index, info.memoryTotalMib])).toEqual([
      [mig(0), 0, 3072],
      [mig(1), 1, 3072],
      [uuid(1), 2, 24_576],
    ]);
    expect(report.devices.map(({ reading }) => [reading!.temperatureC, reading!.utilisation])).toEqual([
      [61, null],
      [61, null],
      [40, 0],
    ]);
    expect(report.devices.map(({ reading }) => reading!.processes)).toEqual([
      [],
      [{ pid: 4242, memoryMib: 900 }],
      [],
    ]);
    standIn.set('count 2', '0.mig 3');
    await expect.poll(() => seen.latest?.devices.length, PATIENCE).toBe(4);
    standIn.set('count 2');
    await expect
      .poll(() => seen.latest?.devices.map(({ info }) => info.id), PATIENCE)
      .toEqual([uuid(0), uuid(1)]);
  });

  it('measures what is in focus between its reports, and that alone', async () => {
    standIn.set('count 2', '1.utilisation 42');
    await probe.start(seen);
    probe.focus([uuid(1)]);
    await expect.poll(() => seen.measured.length, PATIENCE).toBeGreaterThan(2);
    expect(new Set(seen.measured.map(([id]) => id))).toEqual(new Set([uuid(1)]));
    expect(seen.measured[0]![1]).toMatchObject({ utilisation: 0.42, memoryUsedMib: 0 });
    expect(seen.measured[0]![1]).not.toHaveProperty('processes');
    // A device that is lost is left out; the others go on.
    standIn.set('count 2', '0.error 15');
    probe.focus([uuid(0), uuid(1)]);
    const before = seen.measured.length;
    await expect.poll(() => seen.measured.length, PATIENCE).toBeGreaterThan(before + 4);
  });

  it('shows what a device does not support as unknown, not as 0', async () => {
    const fields = ['memory', 'utilisation', 'temperature', 'power', 'limit', 'clock', 'processes'];
    standIn.set('count 1', ...fields.map((field) => `0.without ${field}`));
    const report = await probe.start(seen);
    expect(report.devices[0]).toMatchObject({
      trouble: null,
      reading: {
        memoryUsedMib: null,
        utilisation: null,
        temperatureC: null,
        powerW: null,
        powerLimitW: null,
        smClockMhz: null,
        processes: null,
      },
    });
  });

  it('lists more processes than its buffer holds', async () => {
    standIn.set('count 1', ...Array.from({ length: 150 }, (_, i) => `0.compute ${1000 + i} ${i + 1}`));
    const report = await probe.start(seen);
    expect(report.devices[0]!.reading!.processes).toHaveLength(150);
    expect(report.devices[0]!.reading!.processes!.at(-1)).toEqual({ pid: 1149, memoryMib: 150 });
  });

  it('reads the process lists of older drivers', async () => {
    const old = buildNvmlStandIn({ oldDriver: true });
    const oldProbe = make({ env: { ...process.env, ...old.env } });
    try {
      old.set('0.compute 4242 900');
      const report = await oldProbe.start(seen);
      expect(report.devices[0]!.reading!.processes).toEqual([{ pid: 4242, memoryMib: 900 }]);
    } finally {
      await oldProbe.stop();
      old.dispose();
    }
  });

  it('follows devices that are lost, found again, taken away and added', async () => {
    await probe.start(seen);
    standIn.set('count 2', '1.error 15');
    await expect.poll(() => seen.latest!.devices[1]!.reading, PATIENCE).toBeNull();
    expect(seen.latest!.devices[1]!.trouble).toMatch(/fallen off the bus; reset it/);
    expect(seen.latest!.devices[0]).toMatchObject({ trouble: null, reading: { memoryUsedMib: 0 } });

    standIn.set('count 3');
    await expect
      .poll(() => seen.latest!.devices.map(({ trouble }) => trouble), PATIENCE)
      .toEqual([null, null, null]);
    // What is open stays open; a change of the count makes the child look again.
    standIn.set('count 4', '1.unopened 15');
    await expect
      .poll(() => seen.latest!.devices.map(({ info }) => [info.id, info.index]), PATIENCE)
      .toEqual([
        [uuid(0), 0],
        [uuid(2), 2],
        [uuid(3), 3],
      ]);
    expect(seen.troubles).toEqual([]);
  });

  it('gives up a child that hangs in a call, says so, and recovers', async () => {
    probe = make({ deadlineMs: 1000 });
    await probe.start(seen);
    const hung = probe.childPid;
    standIn.set('count 2', 'hang');
    await expect
      .poll(() => seen.troubles.at(-1), PATIENCE)
      .toMatch(/has not answered for 1 s; trying again in/);
    const before = seen.reports.length;
    standIn.set('count 1');
    await expect.poll(() => seen.troubles.at(-1), PATIENCE).toBeNull();
    await expect.poll(() => seen.reports.length, PATIENCE).toBeGreaterThan(before);
    expect(seen.latest!.devices).toHaveLength(1);
    expect(probe.childPid).not.toBe(hung);
    await expect
      .poll(() => processesWith(standIn.env.STINT_NVML_LIBRARY), PATIENCE)
      .toEqual([probe.childPid]);
  });

  it.each([
    [1, 'the driver was unloaded or reloaded'],
    [18, 'different versions'],
    [999, 'NVML code 999'],
  ])('starts afresh when NVML as a whole fails (code %i)', async (code, words) => {
    await probe.start(seen);
    standIn.set('count 2', `error ${code}`);
    await expect.poll(() => seen.troubles.at(-1), PATIENCE).toContain(words);
    standIn.set('count 2');
    await expect.poll(() => seen.troubles.at(-1), PATIENCE).toBeNull();
  });

  it('starts another child when one is killed', async () => {
    await probe.start(seen);
    process.kill(probe.childPid!, 'SIGKILL');
    await expect
      .poll(() => seen.troubles, PATIENCE)
      .toEqual([expect.stringContaining('ended with SIGKILL'), null]);
  });

  it('does not take its own standing still for silence of the child', async () => {
    probe = make({ deadlineMs: 1000 });
    await probe.start(seen);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
    const before = seen.reports.length;
    await expect.poll(() => seen.reports.length, PATIENCE).toBeGreaterThan(before);
    expect(seen.troubles).toEqual([]);
  });

  it('ends at stop even while the child hangs', async () => {
    probe = make({ deadlineMs: 1000 });
    await probe.start(seen);
    standIn.set('hang');
    await expect.poll(() => seen.troubles.length, PATIENCE).toBeGreaterThan(0);
    await expect
      .poll(() => processesWith(standIn.env.STINT_NVML_LIBRARY).length, PATIENCE)
      .toBeGreaterThan(0);
    await probe.stop();
    expect(probe.childPid).toBeNull();
  });

  it.each([
    [
      'a library that is not there',
      { STINT_NVML_LIBRARY: '/no/such/libnvidia-ml.so.1' },
      [],
      /cannot be loaded/,
      true,
    ],
    ['no driver', {}, ['init 9'], /driver is not loaded/, true],
    ['no device', {}, ['count 0'], /lists no GPU/, true],
    ['a driver that was upgraded underneath', {}, ['init 18'], /different versions/, false],
  ])('refuses to start with %s, saying what to do', async (_name, env, lines, problem, absent) => {
    standIn.set(...lines);
    probe = make({ env: { ...process.env, ...standIn.env, ...env } });
    const error = await probe.start(seen).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ message: expect.stringMatching(problem), absent });
    expect((error as UnavailableError).remedy).toContain('--devices');
    expect(seen.troubles).toEqual([]);
  });

  it('refuses to start with a driver that hangs from the first call', async () => {
    standIn.set('hang');
    probe = make({ startDeadlineMs: 1500 });
    await expect(probe.start(seen)).rejects.toMatchObject({
      message: expect.stringContaining('has not answered for 1.5 s'),
      absent: false,
    });
  });

  it('takes its child along when it is killed itself, even while the child hangs', async () => {
    const module = fileURLToPath(new URL('../../../src/engine/devices/nvmlProbe.ts', import.meta.url));
    const engine = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `const { NvmlProbe } = await import(${JSON.stringify(module)});
         const probe = new NvmlProbe({ intervalMs: 50, deadlineMs: 60_000 });
         await probe.start({ onReport() {}, onTrouble() {} });
         console.log(probe.childPid);`,
      ],
      { env: { ...process.env, ...standIn.env }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [text] = (await once(engine.stdout, 'data')) as [Buffer];
    expect(processesWith(standIn.env.STINT_NVML_LIBRARY)).toEqual([Number(text)]);
    standIn.set('hang');
    await expect.poll(() => existsSync(`${standIn.env.STINT_STANDIN_NVML}.hung`), PATIENCE).toBe(true);
    engine.kill('SIGKILL');
    await expect.poll(() => processesWith(standIn.env.STINT_NVML_LIBRARY), PATIENCE).toEqual([]);
  });
});
