import { resolve } from 'node:path';
import type { Browser, WebSocketRoute } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from './support/chromium.ts';
import { startHeadlessHost } from './support/headlessHost.ts';

const shots = resolve(import.meta.dirname, '../../test-results');
let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe('a lost connection', () => {
  it('is shown, and mended without a reload once there is a key again', async () => {
    const host = await startHeadlessHost('--devices', 'virtual:1', '--policy', 'fifo');
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      await page.goto(host.url);
      const id = await host.submit({ name: 'outlives it', command: ['sleep', '600'] });
      await page.locator(`[data-job="${id}"] [data-status="running"]`).waitFor();
      await page.evaluate(() => Object.assign(window, { sameDocument: true }));
      await page.locator(`[data-job="${id}"]`).getByRole('link').click();
      await page.getByText('Nothing written yet.').waitFor();
      await page.getByText('submitted by a person').waitFor();
      await host.kill();
      await page.getByText(/Connection to the engine lost/).waitFor();
      // One place says so, in words for people.
      expect(await page.getByRole('region', { name: 'Log', exact: true }).textContent()).not.toContain(
        'Queue',
      );
      await page.screenshot({ path: `${shots}/lost.png` });
      await host.restart();
      // A new start has a new token: the browser's old cookie opens nothing.
      await page.getByRole('heading', { name: 'This browser has no key to the machine' }).waitFor();
      await page.screenshot({ path: `${shots}/refused.png` });
      await page.goto(host.url);
      await page.locator(`[data-job="${id}"] [data-status="running"]`).waitFor();
      expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true);
      expect(page.url()).not.toContain('token');
      await host.stint('pause', String(id));
      await page.locator(`[data-job="${id}"] [data-status="paused"]`).waitFor();
    } finally {
      await context.close();
      await host.dispose();
    }
  });

  it('is mended by itself while the session lasts, with everything that happened meanwhile', async () => {
    const host = await startHeadlessHost('--devices', 'virtual:1', '--policy', 'fifo');
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      const open: WebSocketRoute[] = [];
      let cut = false;
      await page.routeWebSocket(/\/rpc$/, (socket) => {
        if (cut) {
          void socket.close();
          return;
        }
        socket.connectToServer();
        open.push(socket);
      });
      await page.goto(host.url);
      const before = await host.submit({ name: 'before', command: ['sleep', '600'] });
      await page.locator(`[data-job="${before}"] [data-status="running"]`).waitFor();
      cut = true;
      for (const socket of open) await socket.close({ code: 1001, reason: 'the cable is out' });
      await page.getByText(/Connection to the engine lost/).waitFor();
      const during = await host.submit({ name: 'during', command: ['echo', 'unseen'] });
      await host.reaches(during, 'succeeded');
      await host.stint('cancel', String(before));
      await host.reaches(before, 'cancelled');
      cut = false;
      await page.getByText(/Connection to the engine lost/).waitFor({ state: 'hidden' });
      await page.locator(`[data-job="${before}"] [data-status="cancelled"]`).waitFor();
      await page.locator(`[data-job="${during}"] [data-status="succeeded"]`).waitFor();
      // And it follows on from there.
      const after = await host.submit({ name: 'after', command: ['true'] });
      await page.locator(`[data-job="${after}"] [data-status="succeeded"]`).waitFor();
    } finally {
      await context.close();
      await host.dispose();
    }
  });
});
