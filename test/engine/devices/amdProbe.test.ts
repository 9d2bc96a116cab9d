import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { visibleDevices } from '../../../src/domain/visibleDevices.ts';
import { AmdProbe } from '../../../src/engine/devices/amdProbe.ts';
import { removeHome, startEngine, temporaryHome } from '../support/testEngine.ts';
import { Collector, PATIENCE } from './collector.ts';

let sys: string;
let probe: AmdProbe;
let seen: Collector;
beforeEach(() => {
  sys = mkdtempSync(join(tmpdir(), 'stint-sys-'));
  cpSync(join(import.meta.dirname, '../../fixtures/amd'), sys, { recursive: true });
  probe = new AmdProbe({ intervalMs: 50, sys });
  seen = new Collector();
});
afterEach(async () => {
  await probe.stop();
  rmSync(sys, { recursive: true, force: true });
});
const card = (name: string) => join(sys, 'class/drm', name);

describe('AmdProbe', () => {
  it('reads what amdgpu says, in PCI order, and what it does not say as unknown', async () => {
    const { devices } = await probe.start(seen);
    expect(devices.map(({ info }) => info)).toEqual([
      { id: 'AMD-0', index: 0, kind: 'amd', name: 'AMD GPU 0x73bf', memoryTotalMib: 16_368 },
      {
        id: 'AMD-1a2b3c4d5e6f7081',
        index: 1,
        kind: 'amd',
        name: 'AMD Radeon RX 7900 XTX',
        memoryTotalMib: 24_560,
      },
    ]);
    const [older, newer] = devices.map(({ reading }) => ({ ...reading, atMs: 0 }));
    expect(older).toEqual({
      atMs: 0,
      memoryUsedMib: 20,
      utilisation: null,
      temperatureC: null,
      powerW: 9,
      powerLimitW: null,
      smClockMhz: null,
      processes: [],
    });
    expect(newer).toEqual({
      atMs: 0,
      memoryUsedMib: 6144,
      utilisation: 0.87,
      temperatureC: 61,
      powerW: 212,
      powerLimitW: 303,
      smClockMhz: 2300,
      processes: [{ pid: 4242, memoryMib: 5120 }],
    });
  });

  it('follows what changes: memory, a card that does not answer, one that is gone', async () => {
    await probe.start(seen);
    writeFileSync(join(card('card1'), 'device/mem_info_vram_used'), '0\n');
    const newer = () => seen.latest!.devices.find(({ info }) => info.id === 'AMD-1a2b3c4d5e6f7081');
    await expect.poll(() => newer()?.reading?.memoryUsedMib, PATIENCE).toBe(0);
    rmSync(join(card('card1'), 'device/mem_info_vram_used'));
    await expect
      .poll(() => newer(), PATIENCE)
      .toMatchObject({ reading: null, trouble: expect.stringContaining('dmesg') });
    renameSync(card('card1'), join(sys, 'away'));
    await expect.poll(() => seen.latest!.devices.length, PATIENCE).toBe(1);
  });

  it('measures what is in focus between its reports, and that alone, for as long as it is', async () => {
    const id = 'AMD-1a2b3c4d5e6f7081';
    const slow = new AmdProbe({ intervalMs: 600_000, sys });
    try {
      await slow.start(seen);
      slow.focus([id, 'AMD-nowhere']);
      await expect.poll(() => seen.measured.length, PATIENCE).toBeGreaterThan(2);
      expect(new Set(seen.measured.map(([of]) => of))).toEqual(new Set([id]));
      expect(seen.measured[0]![1]).toMatchObject({ utilisation: 0.87, powerW: 212, memoryUsedMib: 6144 });
      expect(seen.measured[0]![1]).not.toHaveProperty('processes');
      writeFileSync(join(card('card1'), 'device/gpu_busy_percent'), '12\n');
      await expect.poll(() => seen.measured.at(-1)![1].utilisation, PATIENCE).toBe(0.12);
      slow.focus(['AMD-0']);
      await expect.poll(() => seen.measured.at(-1)![0], PATIENCE).toBe('AMD-0');
      expect(seen.reports).toHaveLength(1);
    } finally {
      await slow.stop();
    }
  });

  it('does not tell of processes where the driver does not', async () => {
    rmSync(join(sys, 'class/kfd'), { recursive: true });
    const { devices } = await probe.start(seen);
    expect(devices.map(({ reading }) => reading!.processes)).toEqual([null, null]);
  });

  it('says that there is none', async () => {
    rmSync(join(sys, 'class/drm'), { recursive: true });
    await expect(probe.start(seen)).rejects.toMatchObject({
      absent: true,
      remedy: expect.stringContaining('amdgpu'),
    });
  });
});

it('jobs see the cards that they were given, by the names of the runtime under HIP', async () => {
  expect(visibleDevices(['AMD-1a2b3c4d5e6f7081', 'AMD-0'])).toEqual({
    ROCR_VISIBLE_DEVICES: 'GPU-1a2b3c4d5e6f7081,0',
    HIP_VISIBLE_DEVICES: null,
    CUDA_VISIBLE_DEVICES: null,
  });
  const home = temporaryHome();
  process.env.STINT_SYSFS = sys;
  try {
    const stint = await startEngine({
      home,
      devices: 'amd',
      env: { ...process.env, HIP_VISIBLE_DEVICES: '7' },
    });
    const says = 'echo "[$ROCR_VISIBLE_DEVICES] [$HIP_VISIBLE_DEVICES] [$CUDA_VISIBLE_DEVICES]"';
    const { id } = await stint.submit(['sh', '-c', says], { gpus: 2, vramMib: 1000 });
    await stint.untilOver(id);
    expect((await stint.client.logs.read({ id })).text).toBe('[0,GPU-1a2b3c4d5e6f7081] [] []\n');
    await stint.engine.stop();
  } finally {
    delete process.env.STINT_SYSFS;
    removeHome(home);
  }
});
