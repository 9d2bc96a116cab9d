import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { VirtualProbe, type VirtualUsage } from '../../../src/engine/devices/virtualProbe.ts';
import { Collector, PATIENCE } from './collector.ts';

const IDLE: VirtualUsage = { memoryMib: 0, rootPids: [] };
const children: ChildProcess[] = [];
let probe: VirtualProbe | null = null;

/** A shell whose child does the work, as a job's supervisor does. */
function run(script: string): number {
  const child = spawn('sh', ['-c', `${script}; true`], { stdio: 'ignore', detached: true });
  children.push(child);
  return child.pid!;
}

function make(usage: (id: string) => VirtualUsage): VirtualProbe {
  probe = new VirtualProbe({ count: 2, memoryMib: 8192, usageOf: usage, intervalMs: 200 });
  return probe;
}

afterEach(async () => {
  vi.useRealTimers();
  await probe?.stop();
  for (const child of children.splice(0)) {
    process.kill(-child.pid!, 'SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
});

describe('VirtualProbe', () => {
  it('lists the devices, idle and with nobody on them', async () => {
    const report = await make(() => IDLE).start(new Collector());
    expect(report.devices).toEqual(
      [0, 1].map((index) => ({
        info: {
          id: `virtual-${index}`,
          index,
          kind: 'virtual',
          name: `Virtual GPU ${index}`,
          memoryTotalMib: 8192,
        },
        reading: {
          atMs: expect.any(Number),
          memoryUsedMib: 0,
          utilisation: 0,
          temperatureC: null,
          powerW: null,
          powerLimitW: null,
          smClockMhz: null,
          processes: [],
        },
        trouble: null,
      })),
    );
  });

  it('accounts declared memory and measures the CPU time of the whole process tree', async () => {
    const busy = run('sh -c "while :; do :; done"');
    const asleep = run('sleep 60');
    const seen = new Collector();
    const usage = { 'virtual-0': [3000, busy], 'virtual-1': [1000, asleep] } as Record<
      string,
      [number, number]
    >;
    const first = await make((id) => ({ memoryMib: usage[id]![0], rootPids: [usage[id]![1]] })).start(seen);
    // There is nothing yet to compare with.
    expect(first.devices.map(({ reading }) => [reading!.memoryUsedMib, reading!.utilisation])).toEqual([
      [3000, null],
      [1000, null],
    ]);
    await expect
      .poll(() => seen.latest!.devices[0]!.reading!.utilisation ?? 0, PATIENCE)
      .toBeGreaterThan(0.05);
    expect(seen.latest!.devices[1]!.reading!.utilisation).toBeLessThan(0.05);
    for (const { devices } of seen.reports) {
      expect(devices[0]!.reading!.utilisation ?? 0).toBeLessThanOrEqual(1);
    }
  });

  it('does not know the use of an older process at the first look at it', async () => {
    const pid = run('while :; do :; done');
    const seen = new Collector();
    let usage = IDLE;
    await make(() => usage).start(seen);
    await expect.poll(() => seen.reports.length, PATIENCE).toBeGreaterThan(3);
    usage = { memoryMib: 7, rootPids: [pid] };
    await expect
      .poll(() => seen.latest!.devices[0]!.reading!.utilisation ?? 0, PATIENCE)
      .toBeGreaterThan(0.05);
    const held = seen.reports.find(({ devices }) => devices[0]!.reading!.memoryUsedMib === 7)!;
    expect(held.devices[0]!.reading!.utilisation).toBeNull();
  });

  it('says nothing of the use of a process that is not there', async () => {
    const seen = new Collector();
    await make(() => ({ memoryMib: 5, rootPids: [2 ** 30] })).start(seen);
    await expect.poll(() => seen.reports.length, PATIENCE).toBeGreaterThan(2);
    expect(seen.latest!.devices[0]!.reading).toMatchObject({ memoryUsedMib: 5, utilisation: null });
  });

  it('reports no more once it is stopped', async () => {
    vi.useFakeTimers();
    const seen = new Collector();
    await make(() => IDLE).start(seen);
    await vi.advanceTimersByTimeAsync(1000);
    expect(seen.reports).toHaveLength(6);
    await probe!.stop();
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(1000);
    expect(seen.reports).toHaveLength(6);
  });
});
