import { setTimeout as sleep } from 'node:timers/promises';
import { buildNvmlStandIn } from '../../test/stand-ins/nvml/buildNvmlStandIn.ts';
import { type BenchHost, startHost, usageOfTree } from './host.ts';
import type { Figure } from './measure.ts';

const WINDOW_S = 20;
const DEVICES = 8;
/** Once a second the readings of the last are fetched, and the leases renewed. */
const ASK_INTERVAL_MS = 1000;

/**
 * An engine with 8 stand-in NVML devices, all of them in focus (10 Hz), against the same engine in which nobody looks
 * closely: what the difference costs the reader's process and the engine together.
 */
export async function telemetryCost(repetitions: number): Promise<Figure[]> {
  const nvml = buildNvmlStandIn();
  nvml.set(`count ${DEVICES}`);
  const host = await startHost(['--devices', 'nvml', '--policy', 'fifo'], nvml.env);
  try {
    // What start-up costs is not what reading costs.
    await sleep(10_000);
    const idle: number[] = [];
    const focused: number[] = [];
    for (let repetition = 0; repetition < repetitions; repetition++) {
      idle.push(await percentOf(host, false));
      focused.push(await percentOf(host, true));
    }
    const figure = (what: string, values: number[], target: Figure['target']): Figure => ({
      what,
      unit: '% of a core',
      values,
      target,
      how: `engine and its children over ${WINDOW_S} s, ${DEVICES} stand-in NVML devices, no console`,
    });
    return [
      figure('8 devices at 1 Hz, the whole engine', idle, null),
      figure('8 devices at 10 Hz, the whole engine', focused, null),
      figure(
        'telemetry of 8 devices at 10 Hz, beyond 1 Hz',
        focused.map((percent, i) => percent - idle[i]!),
        { limit: 1, better: 'less' },
      ),
    ];
  } finally {
    await host.dispose();
    nvml.dispose();
  }
}

async function percentOf({ client, pid }: BenchHost, focus: boolean): Promise<number> {
  const ids = (await client.devices.list()).map(({ id }) => id);
  const before = usageOfTree(pid);
  const startMs = performance.now();
  let readings = 0;
  for (let sinceMs = 0; performance.now() - startMs < 1000 * WINDOW_S; ) {
    if (focus) {
      const { devices } = await client.devices.focus({ ids, sinceMs });
      for (const device of devices) readings += device.readings.length;
      sinceMs = devices[0]?.readings.at(-1)?.atMs ?? sinceMs;
    }
    await sleep(ASK_INTERVAL_MS);
  }
  const wallS = (performance.now() - startMs) / 1000;
  if (focus && readings < 0.5 * 10 * ids.length * wallS)
    throw new Error(`only ${readings} readings came in ${wallS.toFixed(1)} s: this is not 10 Hz`);
  return (100 * (usageOfTree(pid).cpuS - before.cpuS)) / wallS;
}
