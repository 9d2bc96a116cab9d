import { resolve } from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { launchChromium } from './chromium.ts';
import { type HeadlessHost, startHeadlessHost } from './headlessHost.ts';

/** Where pictures go. */
export const shots = resolve(import.meta.dirname, '../../../test-results');

/** A host for the file, and for each test a fresh console on it. */
export interface ConsolePage {
  readonly host: HeadlessHost;
  readonly page: Page;
  row(jobId: number): Locator;
  /** Goes to a view by its address, such as `job/12`. */
  go(view: string): Promise<unknown>;
  /** Waits until the job's row shows the status. */
  shows(jobId: number, status: string): Promise<void>;
}

/**
 * Registers what starts and ends them. A test fails, too, when the page reported an error or a warning.
 * @param flags of `stint serve`.
 */
export function consolePage(...flags: readonly string[]): ConsolePage {
  let browser: Browser;
  let host: HeadlessHost;
  let context: BrowserContext;
  let page: Page;
  let troubles: string[];

  beforeAll(async () => {
    browser = await launchChromium();
    host = await startHeadlessHost(...flags);
  });
  afterAll(async () => {
    await host.dispose();
    await browser.close();
  });
  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    troubles = [];
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text());
    });
    await page.goto(host.url);
    await page.getByRole('navigation').waitFor();
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await page.screenshot({ path: `${shots}/failed ${task.name}.png` });
    await context.close();
    expect(troubles).toEqual([]);
  });

  const row = (jobId: number): Locator => page.locator(`[data-job="${jobId}"]`);
  return {
    get host() {
      return host;
    },
    get page() {
      return page;
    },
    row,
    go: (view) => page.evaluate((hash) => (location.hash = hash), `#/${view}`),
    shows: (jobId, status) => row(jobId).locator(`[data-status="${status}"]`).waitFor(),
  };
}
