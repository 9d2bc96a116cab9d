import { resolve } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { violationsIn } from './support/accessibility.ts';
import { launchChromium } from './support/chromium.ts';
import { type HeadlessHost, startHeadlessHost } from './support/headlessHost.ts';

const shots = resolve(import.meta.dirname, '../../test-results');

let browser: Browser;
let host: HeadlessHost;
let context: BrowserContext;
let page: Page;
let troubles: string[];

beforeAll(async () => {
  browser = await launchChromium();
  host = await startHeadlessHost('--devices', 'virtual:1x8192', '--policy', 'fifo');
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

const open = (id: number): Promise<unknown> => page.evaluate((hash) => (location.hash = hash), `#/job/${id}`);

describe('a job that was tried again', () => {
  it('shows its attempts, each with its end and its log, and is tried once more', async () => {
    const id = await host.submit({
      command: ['sh', '-c', 'echo attempt $STINT_ATTEMPT wrote this; exit 3'],
      retries: 1,
      retryDelayS: 0,
      timeLimitS: 7200,
    });
    await open(id);
    const log = page.getByRole('log');
    await log.getByText('attempt 2 wrote this').waitFor();
    await page.getByText('1 of 1 used').waitFor();
    await page.getByText('2 h, pauses not counted').waitFor();
    await page.getByRole('button', { name: 'Log of 1' }).click();
    await log.getByText('attempt 1 wrote this').waitFor();
    await page.getByRole('button', { name: 'Log of 2' }).click();
    await log.getByText('attempt 2 wrote this').waitFor();
    expect(await violationsIn(page)).toEqual([]);
    await page.screenshot({ path: `${shots}/job with attempts.png` });
    await page.getByRole('button', { name: 'Retry' }).click();
    // It has its retry again.
    await log.getByText('attempt 4 wrote this').waitFor();
    await page.getByRole('button', { name: 'Log of 3' }).waitFor();
  });
});

describe('what is not to start yet', () => {
  it('says so in its row, also while the machine is drained, which the head of the page says and ends', async () => {
    const first = await host.submit({ command: ['true'], hold: true });
    const second = await host.submit({ command: ['true'], after: [{ jobId: first, on: 'any' }] });
    const third = await host.submit({ command: ['true'], beginAtMs: Date.now() + 86_400_000 });
    const row = (id: number) => page.locator(`[data-job="${id}"]`);
    await row(second).getByText(`waits for #${first} to end`).waitFor();
    await row(third).getByText('is to start at').waitFor();
    await host.stint('drain');
    await page.getByRole('banner').getByText('drained').waitFor();
    await row(first)
      .getByRole('button', { name: `Release #${first}` })
      .click();
    await row(first).getByText('the machine is drained').waitFor();
    expect(await violationsIn(page)).toEqual([]);
    await page.screenshot({ path: `${shots}/drained.png` });
    await page.getByRole('button', { name: 'Start jobs again' }).click();
    await row(second).getByText('succeeded').waitFor();
    expect(await page.getByRole('banner').getByText('drained').count()).toBe(0);
    await row(third)
      .getByRole('button', { name: `Cancel #${third}` })
      .click();
    await row(third)
      .getByRole('button', { name: `Retry #${third}` })
      .waitFor();
  });
});
