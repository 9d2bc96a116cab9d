import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../src/domain/errors.ts';
import { NvidiaSmiProbe } from '../../../src/engine/devices/nvidiaSmiProbe.ts';
import { makeNvidiaSmiStandIn } from '../../stand-ins/nvidiaSmiStandIn.ts';
import { Collector, PATIENCE, processesWith } from './collector.ts';

const standIn = makeNvidiaSmiStandIn();
afterAll(() => standIn.dispose());

const gpu = (i: number, more: Record<string, string> = {}) => ({
  uuid: `GPU-${i}`,
  name: 'NVIDIA GeForce RTX 4090',
  'memory.total': '24564',
  'memory.free': '24000',
  'memory.used': '200',
  'utilization.gpu': '0',
  'temperature.gpu': '40',
  'power.draw': '25.31',
  'enforced.power.limit': '450.00',
  'clocks.sm': '210',
  ...more,
});
let probe: NvidiaSmiProbe;
let seen: Collector;

function make(
  more: { intervalMs?: number; deadlineMs?: number; startDeadlineMs?: number; env?: NodeJS.ProcessEnv } = {},
) {
  return new NvidiaSmiProbe({
    intervalMs: 50,
    deadlineMs: 10_000,
    firstBackoffMs: 50,
    env: { ...process.env, ...standIn.env },
    ...more,
  });
}

beforeEach(() => {
  standIn.set({ gpus: [gpu(0), gpu(1)] });
  probe = make();
  seen = new Collector();
});

afterEach(async () => {
  await probe.stop();
  expect(processesWith(standIn.mark)).toEqual([]);
});

describe('NvidiaSmiProbe', () => {
  it('reads devices and the processes on them', async () => {
    standIn.set({
      gpus: [gpu(0, { 'memory.free': '20000', 'utilization.gpu': '83' }), gpu(1)],
      apps: [
        { gpu_uuid: 'GPU-0', pid: '4242', used_memory: '4000' },
        { gpu_uuid: 'GPU-0', pid: '4243', used_memory: '[N/A]' },
      ],
    });
    const report = await probe.start(seen);
    expect(report.devices.map(({ info }) => info)).toEqual(
      [0, 1].map((i) => ({
        id: `GPU-${i}`,
        index: i,
        kind: 'nvidia',
        name: 'NVIDIA GeForce RTX 4090',
        memoryTotalMib: 24_564,
      })),
    );
    expect(report.devices[0]!.reading).toMatchObject({
      memoryUsedMib: 4564,
      utilisation: 0.83,
      temperatureC: 40,
      powerW: 25.31,
      powerLimitW: 450,
      smClockMhz: 210,
    });
    await expect
      .poll(() => seen.latest!.devices.map(({ reading }) => reading?.processes), PATIENCE)
      .toEqual([
        [
          { pid: 4242, memoryMib: 4000 },
          { pid: 4243, memoryMib: null },
        ],
        [],
      ]);
    standIn.set({ gpus: [gpu(0), gpu(1)], apps: [{ gpu_uuid: 'GPU-0', pid: '4243', used_memory: '7' }] });
    await expect
      .poll(() => seen.latest!.devices[0]!.reading?.processes, PATIENCE)
      .toEqual([{ pid: 4243, memoryMib: 7 }]);
    expect(seen.troubles).toEqual([]);
  });

  it('does not take processes that it has not looked for yet for none', async () => {
    // With an interval so long the first reading surely comes before the processes are known.
    probe = make({ intervalMs: 30_000 });
    const report = await probe.start(seen);
    expect(report.devices[0]!.reading!.processes).toBeNull();
  });

  it.each(['[N/A]', '[Not Supported]'])('shows %s as unknown, not as 0', async (none) => {
    const nothing = [
      'memory.free',
      'utilization.gpu',
      'temperature.gpu',
      'power.draw',
      'enforced.power.limit',
    ];
    standIn.set({ gpus: [gpu(0, Object.fromEntries([...nothing, 'clocks.sm'].map((key) => [key, none])))] });
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
      },
    });
  });

  it.each(['[Unknown Error]', '[GPU is lost]', 'ERR!'])(
    'takes a device that says %s for unreadable',
    async (error) => {
      standIn.set({ gpus: [gpu(0), gpu(1, { 'memory.free': error, 'temperature.gpu': 'ERR!' })] });
      const report = await probe.start(seen);
      expect(report.devices[0]!.reading).not.toBeNull();
      expect(report.devices[1]).toMatchObject({ reading: null, trouble: expect.stringContaining(error) });
      expect(report.devices[1]!.lost === true).toBe(error.includes('lost'));
    },
  );

  it('says when it cannot list processes', async () => {
    await probe.start(seen);
    await expect.poll(() => seen.latest!.devices[0]!.reading?.processes, PATIENCE).toEqual([]);
    standIn.set({ gpus: [gpu(0)], appNoise: ['[Not Supported]'] });
    await expect.poll(() => seen.latest!.devices[0]!.reading?.processes, PATIENCE).toBeNull();
  });

  it('says what a line was that it could not read, and goes on with the others', async () => {
    await probe.start(seen);
    const noise = 'Unable to determine the device handle for GPU 0000:0B:00.0: GPU is lost.';
    standIn.set({ gpus: [gpu(0), gpu(1)], gpuNoise: [noise, '1, 2, 3'] });
    await expect.poll(() => seen.troubles.at(-1), PATIENCE).toContain('which is not a reading');
    expect(seen.troubles.join('\n')).toContain(noise);
    const before = seen.reports.length;
    await expect.poll(() => seen.reports.length, PATIENCE).toBeGreaterThan(before);
    expect(seen.latest!.devices).toHaveLength(2);
    standIn.set({ gpus: [gpu(0), gpu(1)] });
    await expect.poll(() => seen.troubles.at(-1), PATIENCE).toBeNull();
  });

  it('follows the number of devices, also when fewer answer than are counted', async () => {
    await probe.start(seen);
    standIn.set({ gpus: [gpu(0), gpu(1), gpu(2)] });
    await expect.poll(() => seen.latest!.devices.length, PATIENCE).toBe(3);
    standIn.set({ gpus: [gpu(0, { count: '3' }), gpu(2, { count: '3', index: '2' })] });
    await expect.poll(() => seen.latest!.devices.map(({ info }) => info.index), PATIENCE).toEqual([0, 2]);
  });

  it('gives up a process that falls silent, says so, and recovers', async () => {
    probe = make({ deadlineMs: 1000 });
    await probe.start(seen);
    standIn.set({ gpus: [], hang: true });
    await expect.poll(() => seen.troubles.at(-1), PATIENCE).toContain('nvidia-smi has not answered for 1 s');
    standIn.set({ gpus: [gpu(0)] });
    await expect.poll(() => seen.troubles.at(-1), PATIENCE).toBeNull();
    await expect.poll(() => seen.latest!.devices.length, PATIENCE).toBe(1);
  });

  it('starts another process when one ends', async () => {
    await probe.start(seen);
    process.kill(probe.childPids[0]!, 'SIGKILL');
    await expect.poll(() => seen.troubles.at(-1) ?? '', PATIENCE).toContain('ended with SIGKILL');
    await expect.poll(() => seen.troubles.at(-1), PATIENCE).toBeNull();
    process.kill(probe.childPids[1]!, 'SIGKILL');
    await expect.poll(() => seen.latest!.devices[0]!.reading?.processes, PATIENCE).toBeNull();
    await expect.poll(() => seen.latest!.devices[0]!.reading?.processes, PATIENCE).toEqual([]);
  });

  it.each([
    ['no program', { STINT_NVIDIA_SMI: '/no/such/nvidia-smi' }, undefined, /could not be started/, true],
    [
      'no driver',
      {},
      { status: 9, text: "couldn't communicate with the driver" },
      /couldn't communicate/,
      true,
    ],
    ['no device', {}, { status: 6, text: 'No devices were found' }, /No devices were found/, true],
    [
      'a failing driver',
      {},
      { status: 18, text: 'Driver/library version mismatch' },
      /version mismatch/,
      false,
    ],
  ])('refuses to start with %s, saying what to do', async (_name, env, exit, problem, absent) => {
    standIn.set({ gpus: [], ...(exit ? { exit } : {}) });
    probe = make({ env: { ...process.env, ...standIn.env, ...env } });
    const error = await probe.start(seen).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ message: expect.stringMatching(problem), absent });
    expect((error as UnavailableError).remedy).toContain('--devices virtual:2');
  });
});
