// `npm run pictures`: the console's pictures in docs/images/console, all views in both themes, from a machine at work.
//   npm run pictures -- [--review DIR]      --review takes the views in many sizes, to look at; docs/ stays as it is
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../test/e2e/support/chromium.ts';
import { startHost } from './bench/host.ts';
import { buildAll, isStale } from './lib/buildAll.ts';
import { installNeeds, PICTURE_NEEDS, TEST_NEEDS } from './lib/needs.ts';
import { ROOT } from './lib/run.ts';
import { makeWorld, type World } from './pictures/world.ts';

type Theme = 'light' | 'dark';

interface Size {
  readonly width: number;
  readonly height: number;
  /** In the browser's own zoom: 2 at 200 %. */
  readonly zoom?: number;
  readonly compact?: boolean;
}

/** A picture: where, and what is done there first. */
interface View {
  readonly name: string;
  readonly hash: (world: World) => string;
  readonly prepare?: (page: Page) => Promise<unknown>;
}

const SUBMITTED = 'python train.py --lr {lr} --seed {seed}';
const VIEWS: readonly View[] = [
  {
    name: 'now',
    hash: () => 'machine',
    async prepare(page) {
      await page.getByRole('article').first().waitFor();
      await page.getByText(/^10 (min|分)/).click();
    },
  },
  { name: 'queue', hash: () => 'queue' },
  {
    name: 'job',
    hash: ({ runs }) => `job/${runs}`,
    prepare: (page) =>
      page
        .getByText(/^epoch \d/)
        .first()
        .waitFor(),
  },
  { name: 'died', hash: ({ died }) => `job/${died}` },
  {
    name: 'scheduler',
    hash: () => 'scheduler',
    prepare: (page) =>
      page
        .getByRole('button', { name: /why|为什么/ })
        .first()
        .click(),
  },
  {
    name: 'history',
    hash: () => 'history',
    prepare: (page) => page.locator('[data-found]').first().waitFor(),
  },
  { name: 'settings', hash: () => 'settings' },
  {
    name: 'submit',
    hash: () => 'queue',
    async prepare(page) {
      await page.keyboard.press('n');
      await page.getByLabel('Command', { exact: true }).first().fill(SUBMITTED);
    },
  },
  {
    name: 'palette',
    hash: () => 'queue',
    async prepare(page) {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox').fill('text');
    },
  },
  {
    name: 'keys',
    hash: () => 'queue',
    async prepare(page) {
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
    },
  },
];
/** As a manual shows them, and as people have them. */
const SHOWN: Size = { width: 1440, height: 900 };
const REVIEWED: Readonly<Record<string, Size>> = {
  '1280': { width: 1280, height: 800 },
  '1920': { width: 1920, height: 1080 },
  '1024': { width: 1024, height: 768 },
  '2560': { width: 2560, height: 1440 },
  'zoom 80': { width: 1280, height: 800, zoom: 0.8 },
  'zoom 200': { width: 1280, height: 800, zoom: 2 },
  compact: { width: 1280, height: 800, compact: true },
};

// An end in between leaves no job behind.
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopped = true));

const { values } = parseArgs({ options: { review: { type: 'string' } } });
const out = values.review === undefined ? join(ROOT, 'docs', 'images', 'console') : resolve(values.review);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const missing = installNeeds([...TEST_NEEDS, ...PICTURE_NEEDS]);
if (missing.length > 0) throw new Error(missing.join('\n'));
if (isStale()) await buildAll(() => undefined);
const browser = await launchChromium();
try {
  await ofNothing(browser);
  const world = await makeWorld((line) => console.error(line));
  const named = (views: readonly View[], how: string) =>
    views.map((view) => [view, `${view.name}${how}`] as const);
  try {
    if (values.review === undefined) {
      for (const theme of ['light', 'dark'] as const)
        await series(browser, world, named(VIEWS, `-${theme}`), theme, SHOWN);
      await series(browser, world, named(VIEWS.slice(0, 1), '-chinese'), 'light', SHOWN, 'zh-CN');
    } else {
      for (const [name, size] of Object.entries(REVIEWED)) {
        const dark = name === '1920' || name === 'zoom 80';
        await series(browser, world, named(VIEWS, ` ${name}`), dark ? 'dark' : 'light', size);
      }
      await series(browser, world, named(VIEWS.slice(0, 7), ' chinese'), 'dark', SHOWN, 'zh-CN');
    }
  } finally {
    await world.dispose();
  }
} finally {
  await browser.close();
}
console.log(out);

/** How it looks before the first job. */
async function ofNothing(browser: Browser): Promise<void> {
  const host = await startHost(['--devices', 'virtual:2x24576']);
  const nowhere: World = { host, runs: 0, died: 0, dispose: () => Promise.resolve() };
  const shown = ['now', 'scheduler', 'history'];
  const views = VIEWS.filter(({ name }) => values.review !== undefined && shown.includes(name)).map(
    ({ name, hash }): View => ({ name: `empty-${name}`, hash }),
  );
  const all: readonly View[] = [{ name: 'empty', hash: () => 'queue' }, ...views];
  try {
    for (const theme of ['light', 'dark'] as const)
      await series(
        browser,
        nowhere,
        all.map((view) => [view, `${view.name}-${theme}`] as const),
        theme,
        SHOWN,
      );
  } finally {
    await host.dispose();
  }
}

/** A console in one theme, size and language, of which pictures are taken one after another. */
async function series(
  browser: Browser,
  world: World,
  views: readonly (readonly [View, name: string])[],
  theme: Theme,
  { width, height, zoom = 1, compact = false }: Size,
  locale = 'en-GB',
): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: Math.round(width / zoom), height: Math.round(height / zoom) },
    deviceScaleFactor: zoom,
    colorScheme: theme,
    locale,
    reducedMotion: 'reduce',
  });
  try {
    const page = await context.newPage();
    if (compact) await page.addInitScript(() => localStorage.setItem('stint.density', 'compact'));
    await page.goto(world.host.url);
    await page.getByRole('main').waitFor();
    const cdp = await context.newCDPSession(page);
    for (const [view, name] of views) {
      if (stopped) return;
      await page.evaluate((hash) => (location.hash = hash), `#/${view.hash(world)}`);
      await view.prepare?.(page);
      await page.evaluate(() => document.fonts.ready);
      // What a view asks for when it opens, expected starts among it, has come by then.
      await page.waitForTimeout(1200);
      const { data } = await cdp.send('Page.captureScreenshot', { format: 'webp', quality: 82 });
      writeFileSync(join(out, `${name}.webp`), Buffer.from(data, 'base64'));
      await page.keyboard.press('Escape');
    }
  } finally {
    await context.close();
  }
}
