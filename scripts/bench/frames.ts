import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { launchChromium } from '../../test/e2e/support/chromium.ts';
import { buildAll, isStale } from '../lib/buildAll.ts';
import { fillHome } from '../lib/manyJobs.ts';
import { type BenchHost, startHost } from './host.ts';
import { type Figure, median, quantile } from './measure.ts';

const QUEUED = 10_000;
const DEVICES = 8;
/** As often as NVML is read of devices that somebody looks at closely. */
const EVERY_MS = 100;
const SPEED_PX_S = 3000;
const SCROLL_PX = 12_000;

/**
 * The console in a real Chromium with ten thousand jobs waiting and eight devices whose readings come ten times a second:
 * frames while it scrolls and while a job is dragged (Chromium's own trace), input to paint (Event Timing), the first row
 * on a warm start, and what the page's process keeps after some minutes.
 * @param soakMin how long memory is watched.
 */
export async function frames(repetitions: number, soakMin: number): Promise<Figure[]> {
  if (isStale()) await buildAll(() => undefined);
  const template = mkdtempSync(join(tmpdir(), 'stint-bench-'));
  // They need more GPUs than there are, so that they wait for good.
  fillHome(template, { past: 0, queued: QUEUED, spec: { command: ['sleep', '600'], gpus: 16 } });
  const host = await startHost(['--devices', `virtual:${DEVICES}x24576`, '--policy', 'fifo'], {}, template);
  const browser = await launchChromium();
  try {
    await fillDevices(host);
    return await measured(browser, host, repetitions, soakMin);
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

async function measured(
  browser: Browser,
  host: BenchHost,
  repetitions: number,
  soakMin: number,
): Promise<Figure[]> {
  const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
  const page = await context.newPage();
  const readings = { came: 0 };
  await oftenRead(page, readings);
  await page.addInitScript(watchTheFirstRow);
  await page.goto(host.url);
  await page.locator('[data-job]').first().waitFor();
  const firstMs: number[] = [];
  for (let i = 0; i < repetitions; i++) {
    await page.reload();
    await page.locator('[data-job]').first().waitFor();
    firstMs.push(await page.evaluate(() => (window as unknown as { firstRowMs: number }).firstRowMs));
  }
  const cdp = await context.newCDPSession(page);
  const scrolled: number[] = [];
  const dragged: number[] = [];
  const reacted: number[] = [];
  const heap: number[] = [];
  for (const view of ['queue', 'machine']) {
    await page.evaluate((hash) => (location.hash = hash), `#/${view}`);
    await page.locator('[data-job]').first().waitFor();
    // What the view's coming costs is not what scrolling costs.
    await sleep(2000);
    for (let i = 0; i < repetitions; i++) {
      scrolled.push(quantile(await frameGaps(cdp, () => scroll(page, cdp)), 0.95));
      dragged.push(quantile(await frameGaps(cdp, () => drag(page)), 0.95));
      reacted.push(await inputToPaint(page));
    }
  }
  const before = readings.came;
  const startMs = performance.now();
  heap.push(await heapMib(cdp));
  while (performance.now() - startMs < 60_000 * soakMin) {
    await scroll(page, cdp);
    await sleep(10_000);
  }
  const perSecond = (1000 * (readings.came - before)) / (performance.now() - startMs);
  heap.push(await heapMib(cdp));
  const how = `${QUEUED} queued, ${DEVICES} devices, readings ${perSecond.toFixed(1)} times a second, 1920 × 1080, software rendering`;
  const less = (limit: number): Figure['target'] => ({ limit, better: 'less' });
  return [
    { what: 'frame while scrolling, p95', unit: 'ms', values: scrolled, target: less(20), how },
    { what: 'frame while dragging, p95', unit: 'ms', values: dragged, target: less(20), how },
    { what: 'input to paint, p95', unit: 'ms', values: reacted, target: less(50), how },
    { what: 'first row on a warm start', unit: 'ms', values: firstMs, target: less(800), how },
    {
      what: `heap after ${soakMin} min against the start`,
      unit: '×',
      values: [heap[1]! / heap[0]!],
      target: less(1.1),
      how,
    },
    { what: 'heap of the page', unit: 'MiB', values: [median(heap)], target: null, how },
    {
      what: 'page’s process, resident',
      unit: 'MiB',
      values: [await rendererMib(browser)],
      target: less(350),
      how,
    },
  ];
}

/** Repeats what the engine says of its devices as often as it would come from devices in focus, each time a little different. */
async function oftenRead(page: Page, readings: { came: number }): Promise<void> {
  await page.routeWebSocket(/\/rpc$/, (socket) => {
    const server = socket.connectToServer();
    let last: string | null = null;
    socket.onMessage((message) => server.send(message));
    server.onMessage((message) => {
      if (typeof message === 'string' && message.includes('"type":"devices"')) {
        last = message;
        readings.came += 1;
      }
      socket.send(message);
    });
    const timer = setInterval(() => {
      if (last === null) return;
      readings.came += 1;
      socket.send(
        last
          .replace(/"atMs":\d+(\.\d+)?/g, `"atMs":${Date.now()}`)
          .replace(/"utilisation":[^,]+/g, () => `"utilisation":${Math.random().toFixed(3)}`),
      );
    }, EVERY_MS);
    const stop = (): void => clearInterval(timer);
    server.onClose(() => {
      stop();
      void socket.close();
    });
    socket.onClose(() => {
      stop();
      void server.close();
    });
  });
}

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

interface TraceEvent {
  readonly name: string;
  readonly ts: number;
}

/** Times between the frames that Chromium drew meanwhile, ms. */
async function frameGaps(cdp: CDPSession, act: () => Promise<void>): Promise<number[]> {
  const drawn: number[] = [];
  const collect = ({ value }: { value: object[] }): void => {
    for (const { name, ts } of value as TraceEvent[]) if (name === 'DrawFrame') drawn.push(ts / 1000);
  };
  cdp.on('Tracing.dataCollected', collect as never);
  await cdp.send('Tracing.start', {
    traceConfig: {
      includedCategories: ['disabled-by-default-devtools.timeline.frame', 'devtools.timeline.frame'],
    },
  });
  await act();
  const complete = new Promise((done) => cdp.once('Tracing.tracingComplete', done));
  await cdp.send('Tracing.end');
  await complete;
  cdp.off('Tracing.dataCollected', collect as never);
  drawn.sort((a, b) => a - b);
  if (drawn.length < 30) throw new Error(`only ${drawn.length} frames were drawn: nothing moved`);
  return drawn.slice(1).map((at, i) => at - drawn[i]!);
}

async function scroll(page: Page, cdp: CDPSession): Promise<void> {
  const { x, y } = await middleOf(page);
  for (const yDistance of [-SCROLL_PX, SCROLL_PX])
    await cdp.send('Input.synthesizeScrollGesture', {
      x,
      y,
      yDistance,
      speed: SPEED_PX_S,
      gestureSourceType: 'mouse',
    });
}

/** Takes the second job in sight by its handle and leads it up and down for two seconds; it is let go where it was. */
async function drag(page: Page): Promise<void> {
  const handle = page.getByRole('button', { name: /^Move #/ }).nth(1);
  const { x, y } = (await handle.boundingBox())!;
  await page.mouse.move(x + 8, y + 16);
  await page.mouse.down();
  for (let i = 0; i < 120; i++) {
    await page.mouse.move(x + 8, y + 16 + 200 * Math.sin(i / 10));
    await sleep(12);
  }
  await page.keyboard.press('Escape');
  await page.mouse.up();
}

/** From a key to the frame that shows what it did, p95, ms: what is not reported took no longer than 16 ms. */
async function inputToPaint(page: Page): Promise<number> {
  await page.evaluate(() => {
    const slow: number[] = [];
    const seen = window as unknown as { slow: number[]; before: number; observer: PerformanceObserver };
    seen.slow = slow;
    seen.before = performance.eventCounts.get('keydown') ?? 0;
    seen.observer = new PerformanceObserver((list) => {
      for (const { name, duration } of list.getEntries()) if (name === 'keydown') slow.push(duration);
    });
    seen.observer.observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit);
  });
  for (const key of ['j', 'x', 'j', 'k', 'x', 'j']) {
    for (let i = 0; i < 10; i++) {
      await page.keyboard.press(key);
      await sleep(30);
    }
  }
  await page.keyboard.press('Escape');
  await sleep(500);
  const [slow, count] = await page.evaluate(() => {
    const seen = window as unknown as { slow: number[]; before: number; observer: PerformanceObserver };
    seen.observer.disconnect();
    return [seen.slow, (performance.eventCounts.get('keydown') ?? 0) - seen.before] as const;
  });
  return quantile([...slow, ...Array<number>(Math.max(0, count - slow.length)).fill(16)], 0.95);
}

async function middleOf(page: Page): Promise<{ x: number; y: number }> {
  const box = (await page.getByRole('grid', { name: 'Jobs' }).locator('..').boundingBox())!;
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

async function heapMib(cdp: CDPSession): Promise<number> {
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
