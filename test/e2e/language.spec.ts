import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { violationsIn } from './support/accessibility.ts';
import { launchChromium } from './support/chromium.ts';
import { shots } from './support/consolePage.ts';
import { type HeadlessHost, startHeadlessHost } from './support/headlessHost.ts';

let browser: Browser;
let host: HeadlessHost;
beforeAll(async () => {
  browser = await launchChromium();
  host = await startHeadlessHost('--devices', 'virtual:1x8192', '--policy', 'first-fit');
});
afterAll(async () => {
  await host.dispose();
  await browser.close();
});

/** What of a page is written in Latin letters, two words or more of it: untranslated, but for names and what is typed. */
const english = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const found: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const text = node.textContent ?? '';
      const element = node.parentElement;
      if (!element?.checkVisibility() || element.closest('code, .mono, script, style, [data-job]')) continue;
      if (/[a-z]{2,} [a-z]{2,}/.test(text) && !/\p{Script=Han}/u.test(text)) found.push(text);
    }
    return found;
  });

it('speaks Chinese to who reads Chinese, in every view, and English when it is told to', async () => {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    locale: 'zh-CN',
  });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    await page.goto(host.url);
    await page.getByRole('heading', { name: '还没有作业' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('zh-CN');
    const id = await host.submit({ name: 'works', gpus: 1, vramMib: 1024, command: ['sleep', '600'] });
    await page.locator(`[data-job="${id}"]`).getByText('运行中').waitFor();
    for (const [view, heading] of [
      ['queue', '等待中'],
      ['machine', '主机'],
      ['scheduler', '最近的决策'],
      ['history', '按项目'],
      ['settings', '安静时段'],
    ] as const) {
      await page.evaluate((hash) => (location.hash = hash), `#/${view}`);
      await page.getByRole('main').getByText(heading).first().waitFor();
      await page.screenshot({ path: `${shots}/${view} zh.png` });
      expect(await violationsIn(page), view).toEqual([]);
      // Policies, components and rungs have names; sentences of the engine are its own.
      if (view !== 'scheduler' && view !== 'settings') expect(await english(page), view).toEqual([]);
    }
    await page.getByLabel('语言').selectOption('English');
    await page.getByRole('heading', { name: 'Quiet hours' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Quiet hours' }).waitFor();
    await host.stint('cancel', String(id));
  } finally {
    await context.close();
  }
});
