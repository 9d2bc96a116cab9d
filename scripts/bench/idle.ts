import { setTimeout as sleep } from 'node:timers/promises';
import { launchChromium } from '../../test/e2e/support/chromium.ts';
import { buildNvmlStandIn } from '../../test/stand-ins/nvml/buildNvmlStandIn.ts';
import { startHost, usageOfTree } from './host.ts';
import type { Figure } from './measure.ts';

const WINDOW_S = 20;

/** An idle engine that polls 8 stand-in NVML devices at 1 Hz, with the real console open in Chromium. */
export async function idleCost(repetitions: number): Promise<Figure[]> {
  const nvml = buildNvmlStandIn();
  nvml.set('count 8');
  const host = await startHost(['--devices', 'nvml', '--policy', 'dqn'], nvml.env);
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(host.url);
    await page.getByRole('navigation').first().waitFor();
    // What start-up costs is not what idling costs.
    await sleep(10_000);
    const cpu: number[] = [];
    const rss: number[] = [];
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const before = usageOfTree(host.pid);
      const startMs = performance.now();
      await sleep(1000 * WINDOW_S);
      const after = usageOfTree(host.pid);
      cpu.push((100 * (after.cpuS - before.cpuS)) / ((performance.now() - startMs) / 1000));
      rss.push(after.rssMib);
    }
    const how = `engine and its children over ${WINDOW_S} s, 8 stand-in NVML devices at 1 Hz, console open in Chromium`;
    return [
      {
        what: 'idle engine, CPU',
        unit: '% of a core',
        values: cpu,
        target: { limit: 2, better: 'less' },
        how,
      },
      {
        what: 'idle engine, resident in total',
        unit: 'MiB',
        values: rss,
        target: { limit: 286, better: 'less' },
        how,
      },
    ];
  } finally {
    await browser.close();
    await host.dispose();
    nvml.dispose();
  }
}
