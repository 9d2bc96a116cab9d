import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../src/domain/errors.ts';
import { type ChosenProbe, chooseProbe } from '../../../src/engine/devices/chooseProbe.ts';
import { makeNvidiaSmiStandIn } from '../../stand-ins/nvidiaSmiStandIn.ts';
import { buildNvmlStandIn } from '../../stand-ins/nvml/buildNvmlStandIn.ts';
import { Collector, PATIENCE, processesWith } from './collector.ts';

const nvml = buildNvmlStandIn();
const smi = makeNvidiaSmiStandIn();
afterAll(() => {
  nvml.dispose();
  smi.dispose();
});

const NO_NVML = { STINT_NVML_LIBRARY: '/no/such/libnvidia-ml.so.1' };
const NO_AMD = { STINT_SYSFS: '/no/such/sys' };
const NO_SMI = { STINT_NVIDIA_SMI: '/no/such/nvidia-smi' };
let chosen: ChosenProbe | null = null;
const options = (env: NodeJS.ProcessEnv) => ({
  usageOf: () => ({ memoryMib: 0, rootPids: [] }),
  env: { ...process.env, ...nvml.env, ...smi.env, ...NO_AMD, ...env },
  intervalMs: 100,
  startDeadlineMs: 5000,
});

beforeEach(() => {
  nvml.set('count 2');
  smi.set({ gpus: [{ uuid: 'GPU-0', name: 'NVIDIA T4', 'memory.total': '15360', 'memory.free': '15000' }] });
});

afterEach(async () => {
  await chosen?.probe.stop();
  chosen = null;
  expect([...processesWith(nvml.env.STINT_NVML_LIBRARY), ...processesWith(smi.mark)]).toEqual([]);
});

describe('chooseProbe', () => {
  it('takes NVML first', async () => {
    chosen = await chooseProbe({ kind: 'auto' }, options({}));
    expect([chosen.probe.kind, chosen.note]).toEqual(['nvml', null]);
    // Whoever joins late is told what is known, and what comes.
    const seen = new Collector();
    const report = await chosen.probe.start(seen);
    expect(report.devices).toHaveLength(2);
    expect(seen.reports).toEqual([report]);
    await expect.poll(() => seen.reports.length, PATIENCE).toBeGreaterThan(2);
  });

  it('takes nvidia-smi where NVML is not there, and says so', async () => {
    chosen = await chooseProbe({ kind: 'auto' }, options(NO_NVML));
    expect(chosen.probe.kind).toBe('nvidia-smi');
    expect(chosen.note).toMatch(/^Readings come from nvidia-smi, because .*cannot be loaded/);
    expect((await chosen.probe.start(new Collector())).devices[0]!.info.name).toBe('NVIDIA T4');
  });

  it('takes two virtual devices where neither is there, and says so', async () => {
    chosen = await chooseProbe({ kind: 'auto' }, options({ ...NO_NVML, ...NO_SMI }));
    expect(chosen.probe.kind).toBe('virtual');
    expect(chosen.note).toContain('No driver of NVIDIA or AMD was found');
    const { devices } = await chosen.probe.start(new Collector());
    expect(devices.map(({ info }) => [info.id, info.memoryTotalMib])).toEqual([
      ['virtual-0', 16_384],
      ['virtual-1', 16_384],
    ]);
  });

  it('does not put virtual devices in the place of GPUs whose driver fails', async () => {
    nvml.set('init 18');
    const error = await chooseProbe({ kind: 'auto' }, options(NO_SMI)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnavailableError);
    expect((error as UnavailableError).message).toMatch(/does not answer: .*different versions/);
    expect((error as UnavailableError).remedy).toContain('--devices virtual:2');
  });

  it.each([
    ['nvml', NO_NVML, '--devices nvidia-smi'],
    ['nvidia-smi', NO_SMI, 'STINT_NVIDIA_SMI'],
  ] as const)('refuses an explicit %s that is not there', async (kind, env, remedy) => {
    const error = await chooseProbe({ kind }, options(env)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnavailableError);
    expect((error as UnavailableError).remedy).toContain(remedy);
  });

  it('makes the virtual devices that are asked for', async () => {
    chosen = await chooseProbe({ kind: 'virtual', count: 3, memoryMib: 512 }, options({}));
    expect(chosen.note).toBeNull();
    expect(
      (await chosen.probe.start(new Collector())).devices.map(({ info }) => info.memoryTotalMib),
    ).toEqual([512, 512, 512]);
  });
});
