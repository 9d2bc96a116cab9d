import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Reading } from '../../../src/domain/device.ts';
import { DEFAULT_RULES } from '../../../src/domain/deviceRules.ts';
import { DeviceRegistry, type DeviceRegistryOptions } from '../../../src/engine/devices/deviceRegistry.ts';
import { Faults } from '../../../src/engine/devices/faults.ts';
import { NvmlProbe } from '../../../src/engine/devices/nvmlProbe.ts';
import type { DeviceProbe, Log, ProbedDevice, ProbeListener } from '../../../src/engine/ports.ts';
import { systemClock } from '../../../src/engine/ports.ts';
import { openDatabase } from '../../../src/engine/store/database.ts';
import { faultStore } from '../../../src/engine/store/faultStore.ts';
import { buildNvmlStandIn } from '../../stand-ins/nvml/buildNvmlStandIn.ts';
import { PATIENCE } from './collector.ts';

const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const NO_RULES = {
  rulesOf: () => DEFAULT_RULES,
  standingOf: () => ({ closed: null, yields: null }),
  isIgnored: () => false,
  idle: { idleOf: () => null, setIdle: () => undefined },
  faults: new Faults({ store: faultStore(openDatabase(':memory:')), bootId: 'this', log: quiet }),
};

describe('DeviceRegistry over NVML', () => {
  const standIn = buildNvmlStandIn();
  afterAll(() => standIn.dispose());
  let registry: DeviceRegistry;
  afterEach(() => registry.stop());

  it('tells the memory of our jobs from that of strangers, and names these', async () => {
    const sleepers = [0, 1].map(() => spawn('sleep', ['61'], { stdio: 'ignore' }));
    const [ours, theirs] = sleepers.map((child) => child.pid!);
    const keep = vi.fn<DeviceRegistryOptions['owners']['keep']>();
    standIn.set(
      'count 2',
      '0.used 3000',
      `0.compute ${ours} 2000`,
      `0.compute ${theirs} 700`,
      `1.compute ${ours} 9`,
    );
    registry = new DeviceRegistry({
      probe: new NvmlProbe({ env: { ...process.env, ...standIn.env }, intervalMs: 50, deadlineMs: 10_000 }),
      clock: systemClock,
      log: quiet,
      intervalMs: 2000,
      holdersOf: (id) => (id.endsWith('0') ? [{ jobId: 12, reservedMib: 4096 }] : []),
      owners: { jobOf: (pid) => (pid === ours ? 12 : null), keep },
      ...NO_RULES,
    });
    try {
      await registry.start();
      const first = registry.list()[0]!;
      expect(first).toMatchObject({
        index: 0,
        health: 'ok',
        trouble: null,
        holders: [{ jobId: 12, reservedMib: 4096, usedMib: 2000 }],
      });
      await expect
        .poll(() => registry.list()[0]!.foreign, PATIENCE)
        .toEqual([
          {
            pid: theirs,
            memoryMib: 700,
            user: userInfo().username,
            command: 'sleep 61',
            startedAtMs: expect.any(Number),
            jobId: null,
            idleSinceMs: null,
            ignored: false,
          },
        ]);
      const startedAtMs = registry.list()[0]!.foreign[0]!.startedAtMs!;
      expect(Math.abs(Date.now() - startedAtMs)).toBeLessThan(60_000);
      // Of all others nothing is remembered.
      expect([ours!, theirs!, process.pid].map((pid) => keep.mock.lastCall![0].has(pid))).toEqual([
        true,
        true,
        false,
      ]);
      // A job's process on a device that the job does not hold is a stranger there, but not nobody's.
      expect(registry.list()[1]).toMatchObject({
        holders: [],
        foreign: [{ pid: ours, memoryMib: 9, jobId: 12 }],
      });
      expect(registry.get(first.id)).toEqual(registry.list()[0]);
      expect(registry.get('GPU-of-nobody')).toBeNull();
    } finally {
      for (const child of sleepers) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    }
  });

  it('keeps devices that are gone or lost, saying so, and takes them back', async () => {
    standIn.set('count 2');
    registry = new DeviceRegistry({
      probe: new NvmlProbe({ env: { ...process.env, ...standIn.env }, intervalMs: 50, deadlineMs: 10_000 }),
      clock: systemClock,
      log: quiet,
      intervalMs: 2000,
      holdersOf: () => [{ jobId: 7, reservedMib: 100 }],
      owners: { jobOf: () => null, keep: () => undefined },
      ...NO_RULES,
    });
    await registry.start();
    standIn.set('count 1', '0.error 16');
    await expect
      .poll(() => registry.list().map(({ health }) => health), PATIENCE)
      .toEqual(['unreadable', 'gone']);
    for (const device of registry.list()) {
      expect(device).toMatchObject({
        reading: null,
        holders: [{ jobId: 7, reservedMib: 100, usedMib: null }],
      });
    }
    expect(registry.list().map(({ trouble }) => trouble)).toEqual([
      expect.stringContaining('must be reset'),
      expect.stringContaining('no longer lists it'),
    ]);
    standIn.set('count 2', '1.without memory');
    await expect
      .poll(() => registry.list().map(({ health }) => health), PATIENCE)
      .toEqual(['ok', 'unreadable']);
    expect(registry.list()[1]!.trouble).toContain('how much memory is in use');
  });
});

describe('DeviceRegistry when time passes', () => {
  const reading: Reading = {
    atMs: 0,
    memoryUsedMib: 10,
    utilisation: 0.5,
    temperatureC: 50,
    powerW: null,
    powerLimitW: null,
    smClockMhz: null,
    processes: [],
  };
  const device: ProbedDevice = {
    info: { id: 'GPU-a', index: 0, kind: 'nvidia', name: 'A', memoryTotalMib: 100 },
    reading,
    trouble: null,
  };
  let listener: ProbeListener;
  let registry: DeviceRegistry;

  beforeEach(async () => {
    vi.useFakeTimers();
    const probe: DeviceProbe = {
      kind: 'nvml',
      start: async (given) => {
        listener = given;
        const report = { atMs: 0, devices: [device] };
        given.onReport(report);
        return report;
      },
      stop: async () => undefined,
    };
    registry = new DeviceRegistry({
      probe,
      clock: { nowMs: () => Date.now(), monotonicMs: () => Date.now() },
      log: quiet,
      holdersOf: () => [],
      owners: { jobOf: () => null, keep: () => undefined },
      ...NO_RULES,
    });
    await registry.start();
  });
  afterEach(async () => {
    await registry.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('does not show what is stale as if it were now', () => {
    const changes = vi.fn();
    const off = registry.onChange(changes);
    vi.advanceTimersByTime(5000);
    expect(registry.get('GPU-a')).toMatchObject({ health: 'ok', reading });
    expect(changes).not.toHaveBeenCalled();
    vi.advanceTimersByTime(100);
    expect(changes).toHaveBeenCalledOnce();
    expect(registry.get('GPU-a')).toMatchObject({
      health: 'unreadable',
      trouble: 'no reading for 5 s; nothing is started on it until it answers again',
      reading: null,
    });
    listener.onTrouble('the driver hangs');
    expect(registry.trouble).toBe('the driver hangs');
    expect(registry.get('GPU-a')!.trouble).toBe('the driver hangs');
    listener.onTrouble(null);
    listener.onReport({ atMs: 0, devices: [device] });
    expect(registry.get('GPU-a')).toMatchObject({ health: 'ok', trouble: null, reading });
    off();
    const calls = changes.mock.calls.length;
    listener.onReport({ atMs: 0, devices: [device] });
    expect(changes).toHaveBeenCalledTimes(calls);
  });

  it('takes a reset for the end of faults before it, and nothing else for a reset', () => {
    const { faults } = registry;
    const report = (atMs: number, ...devices: ProbedDevice[]): void => listener.onReport({ atMs, devices });
    const answers = (from: number, times: number): void => {
      for (let i = 0; i < times; i++) report(from + i, device);
    };
    const failing: ProbedDevice = { ...device, reading: null, trouble: 'no answer' };
    faults.take([{ id: 'GPU-a', code: 48, atMs: 1000 }]);
    // It goes on answering, or does not for a while: no driver said that it was reset.
    answers(2000, 9);
    report(3000, failing);
    answers(3001, 9);
    expect(faults.closing('GPU-a')).toMatchObject({ code: 48 });
    // Lost, and once more after it seemed to be back.
    report(4000, { ...failing, lost: true });
    answers(4001, 4);
    report(5000, { ...failing, lost: true });
    answers(5001, 4);
    expect(faults.closing('GPU-a')).not.toBeNull();
    answers(5005, 1);
    expect(faults.closing('GPU-a')).toBeNull();
    expect(faults.latest('GPU-a')).toMatchObject({ code: 48 });
    // Not listed any more, and listed again; what was reported since then still counts.
    faults.take([{ id: 'GPU-a', code: 79, atMs: 50_000 }]);
    report(60_000);
    faults.take([{ id: 'GPU-a', code: 62, atMs: 61_000 }]);
    answers(62_000, 5);
    expect(faults.closing('GPU-a')).toMatchObject({ code: 62 });
  });

  it('keeps a device while its probe recovers within the time', () => {
    listener.onTrouble('trying again');
    vi.advanceTimersByTime(3000);
    expect(registry.get('GPU-a')!.health).toBe('ok');
  });
});
