import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHttpHost, type HttpHost } from '../../src/headless/httpHost.ts';
import { violationsIn } from './support/accessibility.ts';
import { findChromium, launchChromium } from './support/chromium.ts';
import { fixedMachine, LOOKED_AT, NOW_MS } from './support/fixedMachine.ts';
import { differenceOf, differs, keptLook, MOST_PERCENT } from './support/looks.ts';

const root = resolve(import.meta.dirname, '../..');
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
let browser: Browser;
let host: HttpHost;
beforeAll(async () => {
  await promisify(execFile)(process.execPath, [resolve(root, 'scripts/build.ts'), '--if-stale'], {
    cwd: root,
  });
  host = await createHttpHost({
    router: fixedMachine(),
    tokens: { admit: () => null },
    scrape: () => Promise.resolve(''),
    port: 0,
    consoleDir: resolve(process.env.STINT_BUILD_DIR ?? resolve(root, 'out'), 'renderer'),
    log,
  });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  await host.close();
});

/** The view by its address, and what is there when all of it has come. */
const VIEWS: readonly [name: string, hash: string, complete: (page: Page) => Promise<unknown>][] = [
  [
    'now',
    'machine',
    (page) =>
      page
        .getByRole('link', { name: /#54 .*expected/ })
        .first()
        .waitFor(),
  ],
  ['queue', 'queue', (page) => page.locator('[data-job="54"]').waitFor()],
  [
    'job',
    `job/${LOOKED_AT}`,
    (page) =>
      page
        .getByText(/^epoch 62\//)
        .first()
        .waitFor(),
  ],
  ['scheduler', 'scheduler', (page) => page.getByRole('button', { name: /why/ }).first().waitFor()],
  ['history', 'history', (page) => page.locator('[data-found]').first().waitFor()],
];

// The whole browser places letters by fractions of a pixel elsewhere.
const drawnBySame = findChromium().includes('headless-shell');
if (!drawnBySame)
  console.log(
    `skipped: looks are compared with what Chromium's headless shell draws, and ${findChromium()} is another (sudo apt install chromium-headless-shell)`,
  );

it.skipIf(!drawnBySame).each(['light', 'dark'] as const)(
  'looks as it did when a person last looked, in the %s',
  async (colorScheme) => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      colorScheme,
      reducedMotion: 'reduce',
      locale: 'en-GB',
      timezoneId: 'UTC',
    });
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(30_000);
      await page.clock.setFixedTime(NOW_MS);
      await page.goto(host.url);
      await page.getByRole('navigation').waitFor();
      const found: string[] = [];
      for (const [name, hash, complete] of VIEWS) {
        await page.evaluate((to) => (location.hash = to), `#/${hash}`);
        await complete(page);
        await page.mouse.move(0, 0);
        await page.evaluate(() => document.fonts.ready);
        const look = `${name}-${colorScheme}`;
        // Charts come a moment after what they stand in.
        const deadlineMs = performance.now() + 8000;
        let said = await differs(browser, look, await stillPicture(page));
        while (said !== null && performance.now() < deadlineMs)
          said = await differs(browser, look, await stillPicture(page));
        if (said !== null) found.push(said);
        expect(await violationsIn(page), look).toEqual([]);
        // A comparison that overlooked what is missing would be none.
        if (name === 'now') {
          const hidden = await page.addStyleTag({ content: 'article dl { visibility: hidden }' });
          const { percent } = await differenceOf(browser, keptLook(look), await page.screenshot());
          expect(percent).toBeGreaterThan(MOST_PERCENT);
          await hidden.evaluate((element) => element.parentNode?.removeChild(element));
        }
      }
      // What is seldom looked at is readable in both themes, too.
      const readable = async (what: string): Promise<void> =>
        expect(await violationsIn(page), what).toEqual([]);
      for (const [hash, heading] of [
        ['decision/90', 'Decision 90'],
        ['episode/11', 'Episode 11'],
      ] as const) {
        await page.evaluate((to) => (location.hash = to), `#/${hash}`);
        await page.getByRole('heading', { name: heading }).waitFor();
        await readable(hash);
      }
      for (const key of ['Control+k', '?']) {
        await page.keyboard.press(key);
        await page.getByRole('dialog').waitFor();
        await readable(key);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      }
      expect(found).toEqual([]);
    } finally {
      await context.close();
    }
  },
);

/** What is seen once nothing moves any more. */
async function stillPicture(page: Page): Promise<Buffer> {
  let last = await page.screenshot();
  for (let same = 0; same < 4; ) {
    const next = await page.screenshot();
    same = next.equals(last) ? same + 1 : 0;
    last = next;
  }
  return last;
}
