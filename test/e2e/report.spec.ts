import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Report, renderReport } from '../../src/lab/report/renderReport.ts';
import { fifo } from '../../src/scheduler/policies/fifo.ts';
import { firstFit } from '../../src/scheduler/policies/firstFit.ts';
import { srtf } from '../../src/scheduler/policies/remainingTime.ts';
import type { Metrics } from '../../src/simulator/metrics.ts';
import { simulatedReport } from '../lab/support/simulatedReport.ts';
import { violationsIn } from './support/accessibility.ts';
import { launchChromium } from './support/chromium.ts';

const shots = resolve(import.meta.dirname, '../../test-results');

let browser: Browser;
let directory: string;
beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  directory = mkdtempSync(join(tmpdir(), 'stint-report-'));
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  rmSync(directory, { recursive: true });
});

describe('the report of two simulated runs', () => {
  let context: BrowserContext | undefined;
  let page: Page;
  let troubles: string[];

  const open = async (report: Report, options: Parameters<Browser['newContext']>[0] = {}): Promise<void> => {
    const file = join(directory, 'report.html');
    writeFileSync(file, renderReport(report));
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    troubles = [];
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (message) => troubles.push(message.text()));
    page.on('dialog', (dialog) => {
      troubles.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (request.url() !== pathToFileURL(file).href) troubles.push(`asked for ${request.url()}`);
    });
    await page.goto(pathToFileURL(file).href);
  };
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await page.screenshot({ path: `${shots}/failed ${task.name}.png` });
    await context?.close();
    expect(troubles).toEqual([]);
  });

  const lab = simulatedReport({
    preset: 'workstation',
    regime: 'lab',
    jobs: 200,
    gpus: 4,
    load: 0.9,
    policies: [fifo, srtf],
  });
  const plots = (): Locator => page.locator('canvas.over');
  const shown = (): Promise<string | null> => page.locator('#window').textContent();
  const tip = (): Locator => page.locator('#tip');
  /** Pixels of a plot's bars that are not empty, in a window of the plot. */
  const ink = (
    index: number,
    part: { x: number; y: number; width: number; height: number },
  ): Promise<number> =>
    page
      .locator('canvas.bars')
      .nth(index)
      .evaluate((canvas: HTMLCanvasElement, { x, y, width, height }) => {
        const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
        copy.drawImage(canvas, -x, -y);
        const { data } = copy.getImageData(0, 0, width, height);
        let pixels = 0;
        for (let i = 3; i < data.length; i += 4) if (data[i]! > 0) pixels++;
        return pixels;
      }, part);
  /** What a plot shows, as a picture. */
  const picture = (index: number): Promise<string> =>
    page
      .locator('canvas.bars')
      .nth(index)
      .evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());

  it('draws a track for every GPU under both policies', async () => {
    await open(lab);
    expect(await page.locator('.run h3').allInnerTexts()).toEqual(['fifo', 'srtf knows true durations']);
    for (const index of [0, 1]) {
      expect(await page.locator('.plot').nth(index).locator('.track').allInnerTexts()).toEqual([
        'GPU 0',
        'GPU 1',
        'GPU 2',
        'GPU 3',
      ]);
      for (const gpu of [0, 1, 2, 3]) {
        // Grid lines alone are a hundredth of this.
        expect(await ink(index, { x: 0, y: gpu * 36 + 4, width: 1100, height: 28 })).toBeGreaterThan(6000);
      }
    }
  });

  it('zooms and pans both together: by key, button, wheel and drag', async () => {
    await open(lab);
    const whole = await shown();
    expect(whole).toMatch(/^all of /);
    const wholePictures = [await picture(0), await picture(1)];
    const changes = async (act: () => Promise<unknown>): Promise<void> => {
      const [before, pictures] = [await shown(), [await picture(0), await picture(1)]];
      await act();
      await page.waitForFunction((text) => document.getElementById('window')!.textContent !== text, before);
      // Drawn before the next frame.
      await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
      );
      expect(await picture(0)).not.toBe(pictures[0]);
      expect(await picture(1)).not.toBe(pictures[1]);
    };
    await plots().first().focus();
    await changes(() => page.keyboard.press('+'));
    await changes(() => page.keyboard.press('ArrowRight'));
    await changes(() => page.keyboard.press('ArrowLeft'));
    await changes(() => page.keyboard.press('-'));
    expect(await shown()).toBe(whole);
    await changes(() => page.getByRole('button', { name: 'Zoom in' }).click());
    const box = (await plots().nth(1).boundingBox())!;
    await page.mouse.move(box.x + 300, box.y + 40);
    await changes(() => page.mouse.wheel(0, -400));
    await changes(async () => {
      await page.mouse.down();
      await page.mouse.move(box.x + 200, box.y + 44, { steps: 4 });
      await page.mouse.up();
    });
    expect(await tip().isVisible()).toBe(false);
    await changes(() => page.getByRole('button', { name: 'Whole run' }).click());
    expect([await picture(0), await picture(1)]).toEqual(wholePictures);
  });

  it('scrolls on by wheel where there is nothing more to show', async () => {
    await open(lab);
    const box = (await plots().first().boundingBox())!;
    await page.mouse.move(box.x + 300, box.y + 40);
    await page.mouse.wheel(0, 300);
    await page.waitForFunction(() => scrollY > 0);
    expect(await shown()).toMatch(/^all of /);
  });

  it('tells about a stretch that the keyboard is on, and says it aloud', async () => {
    await open(lab);
    await plots().first().focus();
    await page.keyboard.press('ArrowDown');
    const first = lab.runs[0].jobs.find(({ id }) => id === 1)!;
    await tip().getByText(`#1 ${first.name}`).waitFor();
    await tip()
      .getByText(/asks for \d GPUs? · submitted 0 ms$/)
      .waitFor();
    await tip()
      .getByText(/^Ran here .* on GPU 0/)
      .waitFor();
    expect(await tip().getByRole('columnheader').allInnerTexts()).toEqual(['fifo', 'srtf']);
    const rows = await tip().locator('tbody tr').allInnerTexts();
    expect(rows.map((row) => row.replace(/\s+/g, ' '))).toEqual([
      expect.stringMatching(/^Started 0 ms /),
      expect.stringMatching(/^Finished \d+ (s|min|h)/),
      expect.stringMatching(/^Waited 0 ms /),
      expect.stringMatching(/^Slowdown 1\.00× /),
    ]);
    expect(await page.locator('#said').textContent()).toMatch(
      /^Job #1, .*, of \w+, asks for .*, started 0 ms,/,
    );
    await page.keyboard.press('ArrowDown');
    await tip().getByText('#2 ').waitFor();
    await page.keyboard.press('ArrowUp');
    await tip().getByText('#1 ').waitFor();
    await page.keyboard.press('Escape');
    await tip().waitFor({ state: 'hidden' });
  });

  it('tells about a stretch under the pointer, and keeps it when it is clicked', async () => {
    await open(lab);
    await plots().first().focus();
    // Until the first job fills the window.
    for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowLeft');
    const { startS, finishS } = lab.runs[0].jobs.find(({ id }) => id === 1)!;
    const endS = Math.max(...lab.runs.flatMap(({ jobs }) => jobs.map((job) => job.finishS))) - startS;
    const box = (await plots().first().boundingBox())!;
    const x = box.x + ((finishS - startS) / 2 / endS) * box.width;
    await page.mouse.move(x, box.y + 18);
    await tip().getByText('#1 ').waitFor();
    await page.mouse.click(x, box.y + 18);
    await page.mouse.move(x + 400, box.y + 18);
    await tip().getByText('#1 ').waitFor();
    await page.keyboard.press('Escape');
    await tip().waitFor({ state: 'hidden' });
  });

  it('finds, orders and turns the table of every job', async () => {
    await open(lab);
    const rows = page.locator('#jobs-table tbody tr');
    expect(await rows.count()).toBe(50);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('51–100 of 200').waitFor();
    await page.getByLabel('Order').selectOption('largest gain first');
    await page.getByText('1–50 of 200').waitFor();
    const gains = lab.runs[1].jobs.map(({ id, slowdown }) => {
      const before = lab.runs[0].jobs.find((job) => job.id === id)!;
      return { id, gain: before.slowdown - slowdown };
    });
    const best = gains.reduce((a, b) => (b.gain > a.gain ? b : a));
    expect(await rows.first().getByRole('rowheader').textContent()).toBe(`#${best.id}`);
    await page.getByLabel('Find').fill('#117');
    await page.getByText('1–1 of 1').waitFor();
    expect(await rows.first().getByRole('rowheader').textContent()).toBe('#117');
  });

  it.each(['light', 'dark'] as const)('has nothing that axe finds, in the %s', async (colorScheme) => {
    await open(lab, { colorScheme });
    expect(await violationsIn(page)).toEqual([]);
    await plots().nth(1).focus();
    await page.keyboard.press('ArrowDown');
    await tip().waitFor();
    expect(await violationsIn(page)).toEqual([]);
    await page.screenshot({ path: `${shots}/report-${colorScheme}.png` });
  });

  it.each([1280, 1920])('needs no sideways scrolling at %i pixels', async (width) => {
    await open(lab, { viewport: { width, height: width === 1280 ? 800 : 1080 } });
    const wider = await page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll('.scroll')]
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
        .map((element) => element.getAttribute('aria-label') ?? element.tagName),
    );
    expect(wider).toEqual([]);
  });

  it('turns dark and light while it is open, and prints on white', async () => {
    await open(lab, { colorScheme: 'dark' });
    const ground = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = [await ground(), await picture(0)];
    await page.emulateMedia({ colorScheme: 'light' });
    const light = [await ground(), await picture(0)];
    expect(light[0]).toBe('rgb(253, 253, 251)');
    expect(light[1]).not.toBe(dark[1]);
    await page.emulateMedia({ colorScheme: 'dark', media: 'print' });
    expect(await ground()).toBe(light[0]);
    expect((await page.pdf()).length).toBeGreaterThan(10_000);
  });

  it('draws ten thousand stretches, and all that is seen of them after a zoom', async () => {
    const many = simulatedReport({
      preset: 'philly-like',
      regime: 'lab',
      jobs: 10_000,
      gpus: 8,
      load: 0.5,
      policies: [firstFit, firstFit],
    });
    expect(many.runs[0].spans.length).toBeGreaterThan(9_900);
    await open(many);
    for (const gpu of [0, 7]) {
      expect(await ink(0, { x: 0, y: gpu * 20 + 3, width: 1100, height: 14 })).toBeGreaterThan(4000);
    }
    await plots().first().focus();
    for (let i = 0; i < 10; i++) await page.keyboard.press('+');
    for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowDown');
    await tip().waitFor();
    await page.getByText('1–50 of ').waitFor();
  });

  it('runs nothing that a job is called', async () => {
    const name = `<img src=x onerror="alert(1)"></script><script>alert(2)</script>`;
    const evil = lab.runs.map((run) => ({
      ...run,
      jobs: run.jobs.map((job) => ({ ...job, name, user: name })),
    }));
    await open({ ...lab, title: name, runs: [evil[0]!, evil[1]!] });
    await plots().first().focus();
    await page.keyboard.press('ArrowDown');
    await tip().getByText(`#1 ${name}`).waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('#jobs-table tbody td').first().textContent()).toBe(name);
  });

  it('says so where nothing ran', async () => {
    const metrics = Object.fromEntries(Object.keys(lab.runs[0].metrics).map((key) => [key, Number.NaN]));
    const [one, two] = lab.runs.map((run) => ({
      ...run,
      metrics: metrics as unknown as Metrics,
      spans: [],
      jobs: [],
    }));
    await open({ ...lab, runs: [one!, two!] });
    expect(await page.getByText('Nothing ran under this policy.').count()).toBe(2);
    expect(await page.getByRole('button', { name: 'Zoom in' }).isDisabled()).toBe(true);
    expect(await violationsIn(page)).toEqual([]);
  });
});
