import { setTimeout as sleep } from 'node:timers/promises';
import { launchChromium } from '../../test/e2e/support/chromium.ts';
import { buildNvmlStandIn } from '../../test/stand-ins/nvml/buildNvmlStandIn.ts';
import { type BenchHost, startHost, usageOfTree } from './host.ts';
import type { Figure } from './measure.ts';

const WINDOW_S = 10;

/** 300 MB. */
const MEMORY_LIMIT_MIB = 286;

/**
 * An idle engine that polls 8 stand-in NVML devices at 1 Hz, with the real console open in Chromium: before it has
 * anything to learn from, and with the learner's worker loaded and a few transitions in it (a full replay takes more).
 */
export async function idleCost(repetitions: number): Promise<Figure[]> {
  const nvml = buildNvmlStandIn();
  nvml.set('count 8');
  const browser = await launchChromium();
  const host = await startHost(['--devices', 'nvml', '--policy', 'dqn'], nvml.env);
  try {
    const page = await browser.newPage();
    await page.goto(host.url);
    await page.getByRole('navigation').first().waitFor();
    const figures = await idle('idle engine', host, repetitions);
    await learn(host);
    figures.push(...(await idle('idle engine that has learned', host, repetitions)));
    return figures;
  } finally {
    await browser.close();
    await host.dispose();
    nvml.dispose();
  }
}

/** Runs short jobs until the learner's worker has something to learn, and waits until all is quiet. */
async function learn({ client }: BenchHost): Promise<void> {
  for (let i = 0; i < 24; i++)
    await client.jobs.submit({ command: ['sleep', '0.2'], cwd: '/', user: 'bench' });
  for (;;) {
    const { learner, currentEpisode } = await client.scheduler.status();
    if (learner.state === 'learning' && currentEpisode === null) return;
    await sleep(200);
  }
}

async function idle(what: string, { pid }: BenchHost, repetitions: number): Promise<Figure[]> {
  // What start-up and learning cost is not what idling costs.
  await sleep(10_000);
  const cpu: number[] = [];
  const rss: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const before = usageOfTree(pid);
    const startMs = performance.now();
    await sleep(1000 * WINDOW_S);
    const after = usageOfTree(pid);
    cpu.push((100 * (after.cpuS - before.cpuS)) / ((performance.now() - startMs) / 1000));
    rss.push(after.rssMib);
  }
  const how = `engine and its children over ${WINDOW_S} s, 8 stand-in NVML devices at 1 Hz, console open in Chromium`;
  return [
    { what: `${what}, CPU`, unit: '% of a core', values: cpu, target: { limit: 2, better: 'less' }, how },
    {
      what: `${what}, resident in total`,
      unit: 'MiB',
      values: rss,
      target: { limit: MEMORY_LIMIT_MIB, better: 'less' },
      how,
    },
  ];
}
