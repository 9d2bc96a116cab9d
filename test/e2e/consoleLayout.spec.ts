import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { launchChromium } from './support/chromium.ts';
import { type HeadlessHost, startHeadlessHost } from './support/headlessHost.ts';

let browser: Browser;
let host: HeadlessHost;
beforeAll(async () => {
  // What the probe says about a machine without GPUs is the longest thing in the header; this one has none.
  vi.stubEnv('STINT_NVML_LIBRARY', '/nonexistent/libnvidia-ml.so.1');
  vi.stubEnv('STINT_NVIDIA_SMI', '/nonexistent/nvidia-smi');
  host = await startHeadlessHost('--devices', 'auto', '--policy', 'dqn');
  browser = await launchChromium();
  await host.submit({ name: 'x'.repeat(200), gpus: 2, command: ['sleep', '600'], project: 'p'.repeat(100) });
  await host.submit({ name: 'a long name with words '.repeat(8), gpus: 2, command: ['sleep', '600'] });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await browser.close();
  await host.dispose();
});

it.each([
  // 1920 × 1080 at 200 %.
  [960, 540, 'dark'],
  // 1280 × 800 at 150 %.
  [853, 533, 'light'],
  // And at 200 %.
  [640, 400, 'light'],
  [1024, 768, 'light'],
  [1280, 800, 'dark'],
  [1920, 1080, 'light'],
  [2560, 1440, 'dark'],
] as const)('nothing stands outside the window at %i × %i', async (width, height, colorScheme) => {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  await page.goto(host.url);
  await page.getByRole('navigation').waitFor();
  for (const view of ['queue', 'machine', 'scheduler', 'history', 'settings', 'job/1']) {
    await page.evaluate((hash) => {
      location.hash = hash;
    }, `#/${view}`);
    await page.getByRole('main').waitFor();
    const beyond = () =>
      page.evaluate(() => {
        const submit = [...document.querySelectorAll('button')].find((b) =>
          b.textContent?.includes('Submit'),
        );
        return {
          submitRight: submit?.getBoundingClientRect().right ?? Number.POSITIVE_INFINITY,
          page: document.documentElement.scrollWidth,
          main: Math.max(
            0,
            ...[...document.querySelectorAll('main')].map((m) => m.scrollWidth - m.clientWidth),
          ),
        };
      });
    await page.screenshot({
      path: join('test-results', `layout ${view.replace('/', ' ')} ${width} ${colorScheme}.png`),
    });
    const found = await beyond();
    expect(found.submitRight, view).toBeLessThanOrEqual(width);
    expect(found.page, view).toBeLessThanOrEqual(width);
    expect(found.main, view).toBe(0);
    const hidden = await page.evaluate(
      () =>
        [...document.querySelectorAll('[data-job] button')].filter(
          (button) => button.getBoundingClientRect().right > innerWidth,
        ).length,
    );
    expect(hidden, `actions out of sight, ${view}`).toBe(0);
  }
  await page.close();
});
