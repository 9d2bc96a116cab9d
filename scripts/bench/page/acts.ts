import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from 'playwright-core';
import { quantile } from '../measure.ts';

const SPEED_PX_S = 3000;
const SCROLL_PX = 6000;

/** What is moved in a page, and where. */
export interface Stage {
  readonly page: Page;
  readonly cdp: CDPSession;
  /** The middle of what scrolls. */
  scrolls(): Promise<{ x: number; y: number }>;
  /** Where what can be dragged is taken. */
  handle(): Promise<{ x: number; y: number }>;
}

/** Two seconds of the wheel. */
export async function scroll({ cdp, scrolls }: Stage, way: 'down' | 'up'): Promise<void> {
  await cdp.send('Input.synthesizeScrollGesture', {
    ...(await scrolls()),
    yDistance: way === 'down' ? -SCROLL_PX : SCROLL_PX,
    speed: SPEED_PX_S,
    gestureSourceType: 'mouse',
  });
}

/**
 * Leads what is dragged up and down for two seconds; it is let go where it was. As a mouse does, it says where it is 125 times a
 * second and waits for nobody: whoever waits for the answer to one movement before the next is late for frames that the page was in time for.
 */
export async function drag({ page, cdp, handle }: Stage): Promise<void> {
  const { x, y } = await handle();
  await page.mouse.move(x, y);
  await page.mouse.down();
  const heard: Promise<unknown>[] = [];
  const startMs = performance.now();
  for (let ms = 0; ms < 2000; ms = performance.now() - startMs) {
    const at = { x, y: y + 200 * Math.sin(ms / 160) };
    const told = cdp.send('Input.dispatchMouseEvent', {
      type: 'mouseMoved',
      ...at,
      button: 'left',
      buttons: 1,
    });
    // Told of at the end.
    told.catch(() => undefined);
    heard.push(told);
    await sleep(8);
  }
  await Promise.all(heard);
  await page.keyboard.press('Escape');
  // Away from where it was pressed, which would be a click.
  await page.mouse.move(x, y + 100);
  await page.mouse.up();
}

/** From a key to the frame that shows what it did (Event Timing), p95, ms: what is not reported took no longer than 16 ms. */
export async function inputToPaint(page: Page, keys: readonly string[]): Promise<number> {
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
  for (const key of keys) {
    for (let i = 0; i < 8; i++) {
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
