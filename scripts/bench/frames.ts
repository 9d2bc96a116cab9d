import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, BrowserContext, CDPSession } from 'playwright-core';
import { launchChromium } from '../../test/e2e/support/chromium.ts';
import { buildAll, isStale } from '../lib/buildAll.ts';
import { fillHome } from '../lib/manyJobs.ts';
import { type BenchHost, startHost } from './host.ts';
import { type Figure, quantile } from './measure.ts';
import { drag, inputToPaint, type Stage, scroll } from './page/acts.ts';
import { hasten, readingsOf, tellOften } from './page/often.ts';
import { type Moved, markMovements, traced } from './page/trace.ts';

const QUEUED = 10_000;
const DEVICES = 8;
/** As often as NVML is read of devices that somebody looks at closely. */
const EVERY_MS = 100;
const VIEWS = ['queue', 'machine'] as const;
/** Until the last ten minutes, which sparklines show, are full: before, memory grows because there is more to see. */
const FILL_S = 700;
/** So long the hour may take, and what it is measured in. */
const HOUR_LIMIT_MS = 75_000;
const PIECES = 6;

/**
 * The console in a real Chromium with ten thousand jobs waiting and eight devices whose readings come ten times a second: frames
 * while it scrolls and while a job is dragged, and what the main thread does meanwhile (Chromium's own trace), input to
 * paint (Event Timing), the first row on a warm start, and what the page keeps after an hour, which passes as quickly as it
 * can be drawn. The same movements in a page that has nothing to do tell what this machine can draw at all.
 * @param hourS how long that hour is.
 */
export async function frames(repetitions: number, hourS: number): Promise<Figure[]> {
  if (isStale()) await buildAll(() => undefined);
  const template = mkdtempSync(join(tmpdir(), 'stint-bench-'));
  // They need more GPUs than there are, so that they wait for good.
  fillHome(template, { past: 0, queued: QUEUED, spec: { command: ['sleep', '600'], gpus: 16 } });
  const host = await startHost(['--devices', `virtual:${DEVICES}x24576`, '--policy', 'fifo'], {}, template);
  const browser = await launchChromium();
  try {
    await fillDevices(host);
    const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
    return [
      ...(await ofNothing(context, repetitions)),
      ...(await ofConsole(browser, context, host, repetitions, hourS)),
    ];
  } finally {
    await browser.close();
    await host.dispose();
    rmSync(template, { recursive: true, force: true });
  }
}

/** A job on each device, so that every lane has something to show. */
async function fillDevices({ client }: BenchHost): Promise<void> {
  // Nothing else starts meanwhile.
  await client.scheduler.setMode({ mode: 'manual' });
  const spec = { command: ['sleep', '3600'], cwd: '/', user: 'bench', gpus: 1, vramMib: 8192 };
  for (const { id } of await client.devices.list()) {
    const job = await client.jobs.submit(spec);
    // On a busy machine the first readings take their time.
    for (let tries = 0; ; tries++) {
      try {
        await client.jobs.start({ id: job.id, deviceIds: [id] });
        break;
      } catch (error) {
        if (tries === 60) throw error;
        await sleep(500);
      }
    }
  }
}

/** A page of coloured lines with a box that follows the pointer: no script but that, no text, no layout. */
const NOTHING = `<style>
  body { margin: 0; height: 60000px; background: repeating-linear-gradient(#fff 0 51px, #ddd 51px 52px) }
  i { position: fixed; left: 40px; top: 0; width: 240px; height: 36px; background: #888; will-change: transform }
</style><i></i><script>
  const box = document.querySelector('i');
  addEventListener('pointermove', ({ clientY }) => { box.style.transform = 'translateY(' + clientY + 'px)'; });
  // Escape ends a movement, and what is hidden would not be drawn in the next.
  addEventListener('keydown', ({ key }) => { if (key !== 'Escape') box.hidden = !box.hidden; });
</script>`;

async function ofNothing(context: BrowserContext, repetitions: number): Promise<Figure[]> {
  const page = await context.newPage();
  await page.setContent(NOTHING);
  await markMovements(page);
  const at = (x: number, y: number) => () => Promise.resolve({ x, y });
  const stage: Stage = {
    page,
    cdp: await context.newCDPSession(page),
    scrolls: at(900, 500),
    handle: at(50, 400),
  };
  const [scrolled, dragged] = await moved(stage, repetitions);
  const reacted = [await inputToPaint(page, ['j', 'x'])];
  await page.close();
  const how = 'a page that does nothing, on this machine: no page is quicker here';
  const figure = (what: string, unit: string, values: number[]): Figure => ({
    what,
    unit,
    values,
    target: null,
    how,
  });
  return [
    figure(
      'empty page: frames while scrolling',
      '/s',
      scrolled.map(({ framesPerS }) => framesPerS),
    ),
    figure('empty page: frame while scrolling, p95', 'ms', scrolled.map(p95)),
    figure(
      'empty page: frames while dragging',
      '/s',
      dragged.map(({ framesPerS }) => framesPerS),
    ),
    figure('empty page: frame while dragging, p95', 'ms', dragged.map(p95)),
    figure('empty page: input to paint, p95', 'ms', reacted),
  ];
}

async function ofConsole(
  browser: Browser,
  context: BrowserContext,
  host: BenchHost,
  repetitions: number,
  hourS: number,
): Promise<Figure[]> {
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await tellOften(page, EVERY_MS);
  await page.addInitScript(watchTheFirstRow);
  await page.goto(host.url);
  const firstRow = () => page.locator('[data-job]').first().waitFor();
  await firstRow();
  const firstMs: number[] = [];
  for (let i = 0; i < repetitions + 2; i++) {
    await allJobs();
    await page.reload();
    await firstRow();
    firstMs.push(await page.evaluate(() => (window as unknown as { firstRowMs: number }).firstRowMs));
  }
  await allJobs();
  async function allJobs(): Promise<void> {
    await page
      .getByText(new RegExp(`^${QUEUED.toLocaleString('en')}$`))
      .first()
      .waitFor();
  }

  await markMovements(page);
  const cdp = await context.newCDPSession(page);
  const stage: Stage = {
    page,
    cdp,
    async scrolls() {
      const box = (await page.getByRole('grid', { name: 'Jobs' }).locator('..').boundingBox())!;
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    },
    async handle() {
      // The second in sight: there is a place above it.
      const { x, y } = (await page
        .getByRole('button', { name: /^Move #/ })
        .nth(1)
        .boundingBox())!;
      return { x: x + 8, y: y + 16 };
    },
  };
  const how = `${QUEUED} queued, ${DEVICES} devices told of every ${EVERY_MS} ms, 1920 × 1080, software rendering`;
  const figures: Figure[] = [
    {
      what: 'first row on a warm start',
      unit: 'ms',
      values: firstMs,
      target: { limit: 800, better: 'less' },
      how,
    },
  ];
  for (const view of VIEWS) {
    await page.evaluate((hash) => (location.hash = hash), `#/${view}`);
    await firstRow();
    // What the view's coming costs is not what scrolling costs.
    await sleep(2000);
    const [scrolled, dragged] = await moved(stage, repetitions);
    const reacted: number[] = [];
    for (let i = 0; i < repetitions; i++) reacted.push(await inputToPaint(page, ['j', 'x', 'k', 'x']));
    const figure = (what: string, unit: string, values: number[], target: Figure['target']): Figure => ({
      what: `${view}: ${what}`,
      unit,
      values,
      target,
      how,
    });
    for (const [what, those] of [
      ['scrolling', scrolled],
      ['dragging', dragged],
    ] as const)
      figures.push(
        figure(
          `frames while ${what}`,
          '/s',
          those.map((one) => one.framesPerS),
          { limit: 55, better: 'more' },
        ),
        figure(`frame while ${what}, p95`, 'ms', those.map(p95), { limit: 20, better: 'less' }),
        figure(
          `script a frame, ${what}`,
          'ms',
          those.map((one) => one.scriptMs),
          null,
        ),
        figure(
          `layout a frame, ${what}`,
          'ms',
          those.map((one) => one.layoutMs),
          null,
        ),
        figure(
          `paint a frame, ${what}`,
          'ms',
          those.map((one) => one.paintMs),
          null,
        ),
      );
    figures.push(figure('input to paint, p95', 'ms', reacted, { limit: 50, better: 'less' }));
  }
  return [...figures, ...(await ofHour(browser, stage, host, hourS, how))];
}

/** Memory over an hour in which jobs come and go. */
async function ofHour(
  browser: Browser,
  { page, cdp }: Stage,
  { client }: BenchHost,
  hourS: number,
  how: string,
): Promise<Figure[]> {
  let goes = true;
  const stirred = (async () => {
    while (goes) {
      const { id } = await client.jobs.submit({ command: ['true'], cwd: '/', user: 'bench', hold: true });
      await client.jobs.cancel({ id });
      await sleep(100);
    }
  })();
  const limitMs = HOUR_LIMIT_MS / PIECES;
  await hasten(page, FILL_S, limitMs);
  const heapMib: number[] = [await heapOf(cdp)];
  const before = await readingsOf(page);
  for (let i = 0; i < PIECES; i++) {
    await hasten(page, hourS / PIECES, limitMs);
    heapMib.push(await heapOf(cdp));
  }
  const after = await readingsOf(page);
  goes = false;
  await stirred;
  const minutes = (after.aheadMs - before.aheadMs) / 60_000;
  const much = `${how}; ${minutes.toFixed(0)} min at ${after.given - before.given} messages about devices, jobs coming and going`;
  return [
    {
      what: `heap after ${minutes.toFixed(0)} min against the start`,
      unit: '×',
      values: [heapMib.at(-1)! / heapMib[0]!],
      target: { limit: 1.1, better: 'less' },
      how: much,
    },
    { what: 'heap meanwhile', unit: 'MiB', values: heapMib, target: null, how: much },
    {
      what: 'page’s process afterwards, resident',
      unit: 'MiB',
      values: [await rendererMib(browser)],
      target: { limit: 350, better: 'less' },
      how: much,
    },
  ];
}

async function moved(stage: Stage, repetitions: number): Promise<[scrolled: Moved[], dragged: Moved[]]> {
  const scrolled: Moved[] = [];
  const dragged: Moved[] = [];
  for (let i = 0; i < repetitions; i++) {
    for (const way of ['down', 'up'] as const)
      scrolled.push(await traced(stage.cdp, () => scroll(stage, way)));
    dragged.push(await traced(stage.cdp, () => drag(stage)));
  }
  return [scrolled, dragged];
}

const p95 = ({ gapsMs }: Moved): number => quantile(gapsMs, 0.95);

/** Runs in the page, before anything else of it. */
function watchTheFirstRow(): void {
  const look = (): void => {
    if (document.querySelector('[data-job]') === null) {
      requestAnimationFrame(look);
      return;
    }
    // The frame after it is one in which it is on the screen.
    requestAnimationFrame(() => {
      (window as unknown as { firstRowMs: number }).firstRowMs = performance.now();
    });
  };
  requestAnimationFrame(look);
}

async function heapOf(cdp: CDPSession): Promise<number> {
  await cdp.send('HeapProfiler.collectGarbage');
  return (await cdp.send('Runtime.getHeapUsage')).usedSize / 2 ** 20;
}

/** Of the largest of the pages' processes. */
async function rendererMib(browser: Browser): Promise<number> {
  const cdp = await browser.newBrowserCDPSession();
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
  const sizes = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0));
  return Math.max(...sizes) / 1024;
}
