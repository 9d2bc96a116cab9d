import { availableParallelism, hostname, totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { hostReadingSchema } from '../../../src/contract/messages.ts';
import { hostInfo, hostMeter } from '../../../src/engine/devices/hostInfo.ts';

describe('hostInfo', () => {
  it('names the machine, once', async () => {
    const info = await hostInfo();
    expect(info).toEqual({
      hostname: hostname(),
      os: expect.stringMatching(/\S/),
      cpu: expect.stringMatching(/\S/),
      cpuCores: availableParallelism(),
      memoryMib: Math.round(totalmem() / 1024 / 1024),
    });
    expect(await hostInfo()).toBe(info);
  });
});

describe('hostMeter', () => {
  it('measures the time between two calls, and does not know it at the first', async () => {
    const read = hostMeter();
    const first = hostReadingSchema.parse(read());
    expect(first.cpu).toBeNull();
    expect(first.memoryUsedMib).toBeGreaterThan(0);
    // The kernel counts in ticks of 10 ms.
    await expect.poll(() => read().cpu, { timeout: 10_000, interval: 50 }).not.toBeNull();
    const { cpu } = hostReadingSchema.parse(read());
    if (cpu !== null) expect(cpu).toBeGreaterThanOrEqual(0);
    if (cpu !== null) expect(cpu).toBeLessThanOrEqual(1);
  });
});
