import { setTimeout as sleep } from 'node:timers/promises';
import type { SchedulerStatus } from '../../src/contract/messages.ts';
import { launchChromium } from '../../test/e2e/support/chromium.ts';
import { buildNvmlStandIn } from '../../test/stand-ins/nvml/buildNvmlStandIn.ts';
import { type BenchHost, startHost, usageOfTree } from './host.ts';
import type { Figure } from './measure.ts';

const WINDOW_S = 10;

/** 300 MB. */
const MEMORY_LIMIT_MIB = 286;

/** Jobs that wait while the replay fills, so that decisions have something to choose from. */
const WAITING = 40;

/**
 * An engine that polls 8 stand-in NVML devices at 1 Hz, with the real console open in Chromium. Idle it is before it
 * has anything to learn from, and again once its learner sleeps; here with as many transitions as it ever
 * keeps in memory, from as many real jobs as they take. In the minutes between, the learner's process is still
 * there: that is reported, but is not the idle engine.
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
    const figures = await idle('idle engine, nothing learned yet', host, repetitions, true);
    await fillReplay(host);
    figures.push(...(await idle('engine that has just learned', host, repetitions, false)));
    await until(host, ({ learner }) => learner.state === 'asleep');
    figures.push(...(await idle('idle engine, replay full, learner asleep', host, repetitions, true)));
    return figures;
  } finally {
    await browser.close();
    await host.dispose();
    nvml.dispose();
  }
}

/** Runs short jobs until the learner's memory is full, and waits until all is quiet. */
async function fillReplay(host: BenchHost): Promise<void> {
  const { client } = host;
  for (;;) {
    const { learner } = await client.scheduler.status();
    if (learner.replaySize === learner.replayCapacity) break;
    const { total } = await client.jobs.list({ limit: 1, statuses: ['queued'] });
    for (let waiting = total; waiting < WAITING; waiting++) {
      await client.jobs.submit({ command: ['true'], cwd: '/', user: 'bench' });
    }
    await sleep(50);
  }
  await until(host, ({ learner, currentEpisode }) => learner.state === 'learning' && currentEpisode === null);
}

async function until({ client }: BenchHost, holds: (status: SchedulerStatus) => boolean): Promise<void> {
  while (!holds(await client.scheduler.status())) await sleep(200);
}

async function idle(
  what: string,
  { pid }: BenchHost,
  repetitions: number,
  promised: boolean,
): Promise<Figure[]> {
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
    {
      what: `${what}, CPU`,
      unit: '% of a core',
      values: cpu,
      target: promised ? { limit: 2, better: 'less' } : null,
      how,
    },
    {
      what: `${what}, resident in total`,
      unit: 'MiB',
      values: rss,
      target: promised ? { limit: MEMORY_LIMIT_MIB, better: 'less' } : null,
      how,
    },
  ];
}
