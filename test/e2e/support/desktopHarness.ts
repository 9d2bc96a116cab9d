import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { _electron, type Browser, chromium, type Page } from 'playwright-core';
import { findElectron, missingDisplay } from '../../../scripts/lib/electronBinary.ts';
import { findChromium } from './chromium.ts';

const root = resolve(import.meta.dirname, '../../..');
const out = process.env.STINT_BUILD_DIR ?? join(root, 'out');
const standIn = join(root, 'test', 'stand-ins', 'electron');

/** The module `electron` as functions that are run in the main process see it. */
export type ElectronModule = typeof import('electron');

/** One start of the desktop, whatever stands under it. */
export interface Desktop {
  /** The console's page, once it has loaded; a new one after a crash. */
  page(): Promise<Page>;
  /** Pages that are open now. */
  pages(): readonly Page[];
  /** Runs a function, which must be self-contained, in the main process. */
  evaluate<R, A = undefined>(
    work: (electron: ElectronModule, argument: A) => R | Promise<R>,
    argument?: A,
  ): Promise<R>;
  /** Status with which the main process ended. */
  readonly exited: Promise<number | null>;
  /** What it wrote to stderr so far. */
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
}

/** A way to run the desktop. */
export interface Flavour {
  readonly name: string;
  /** What the flavour needs and is not here, in a sentence; null if it can run. */
  readonly missing: string | null;
  /** Where the page finds its own files, as the page itself sees it. */
  readonly origin: string;
  /** Once before and after all. */
  open(): Promise<void>;
  close(): Promise<void>;
  start(home: string, flags?: readonly string[]): Promise<Desktop>;
  /** For a start that must end by itself. @returns its exit status and what it wrote to stderr. */
  startInVain(home: string, flags?: readonly string[]): Promise<Ending>;
}

export interface Ending {
  readonly status: number | null;
  readonly stderr: string;
}

/** Builds into `out` what the desktop runs from, if it is not there or old. */
export async function buildDesktop(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(root, 'scripts', 'build.ts'), '--if-stale'], {
    cwd: root,
  });
}

export const cliPath = join(out, 'cli', 'main.js');

export const flavours: readonly Flavour[] = [standInFlavour(), electronFlavour()];

function standInFlavour(): Flavour {
  let chromiumProcess: ChildProcess | null = null;
  let browser: Browser | null = null;
  let endpoint = '';
  const profile = mkdtempSync(join(tmpdir(), 'stint-chromium-'));
  const launch = (home: string, flags: readonly string[]): ChildProcess =>
    spawn(
      process.execPath,
      ['--import', join(standIn, 'register.ts'), join(out, 'main', 'index.js'), '--data', home, ...flags],
      {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        env: { ...process.env, STAND_IN_CHROMIUM: endpoint, NODE_OPTIONS: '' },
      },
    );
  return {
    name: 'the stand-in over Chromium',
    missing: null,
    origin: 'https://stint.app.stand-in.invalid',
    async open() {
      [chromiumProcess, endpoint] = await startChromium(profile);
      browser = await chromium.connectOverCDP(endpoint);
    },
    async close() {
      if (chromiumProcess && browser) {
        const gone = exited(chromiumProcess);
        // Of its own accord, so that it takes its helpers with it. The answer may not come any more.
        await (await browser.newBrowserCDPSession())
          .send('Browser.close')
          .catch(() => chromiumProcess?.kill());
        await gone;
      }
      // Helpers of Chromium may still be writing their last.
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
    async startInVain(home, flags = []) {
      return ending(launch(home, flags));
    },
    async start(home, flags = []) {
      const child = launch(home, flags);
      // Those of an earlier start may still be on their way out.
      const earlier = new Set(browser?.contexts()[0]?.pages());
      const pages = () => (browser?.contexts()[0]?.pages() ?? []).filter((page) => !earlier.has(page));
      return {
        ...observed(child),
        pages,
        page: () => livePage(pages, this.origin),
        evaluate: remoteControl(child),
      };
    },
  };
}

function electronFlavour(): Flavour {
  const { path, lookedIn } = findElectron(root);
  const display = missingDisplay();
  const needs = [
    path === null ? `Electron's binary, which is not in ${lookedIn} (npx install-electron)` : null,
    display === null ? null : `a display: ${display}`,
  ].filter((need) => need !== null);
  const asRoot = process.getuid?.() === 0;
  const argv = (home: string, flags: readonly string[]): string[] => [
    '-r',
    join(standIn, 'recorder.cjs'),
    join(out, 'main', 'index.js'),
    '--data',
    home,
    ...flags,
  ];
  return {
    name: 'Electron',
    missing: needs.length > 0 ? `needs ${needs.join(' and ')}` : null,
    origin: 'app://stint',
    // Each start brings its own browser.
    open: () => Promise.resolve(),
    close: () => Promise.resolve(),
    // Playwright takes an early end for a failure of its own.
    async startInVain(home, flags = []) {
      const sandbox = asRoot ? ['--no-sandbox'] : [];
      return ending(
        spawn(path ?? '', [...sandbox, ...argv(home, flags)], { stdio: ['ignore', 'ignore', 'pipe'] }),
      );
    },
    async start(home, flags = []) {
      const app = await _electron.launch({
        ...(path !== null && { executablePath: path }),
        args: argv(home, flags),
        chromiumSandbox: !asRoot,
      });
      return {
        ...observed(app.process()),
        pages: () => app.windows(),
        page: () => livePage(() => app.windows(), this.origin),
        evaluate: (work, argument) => app.evaluate(work as never, argument) as Promise<never>,
      };
    },
  };
}

function observed(child: ChildProcess): Pick<Desktop, 'exited' | 'stderr' | 'kill'> {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  return {
    exited: new Promise((resolve) => child.once('close', resolve)),
    stderr: () => text,
    kill: (signal) => void child.kill(signal),
  };
}

async function ending(child: ChildProcess): Promise<Ending> {
  const { exited: ended, stderr } = observed(child);
  const limit = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const status = await ended;
  clearTimeout(limit);
  return { status, stderr: stderr() };
}

/** The page on the console's origin that still answers, when it has loaded. */
async function livePage(pages: () => readonly Page[], origin: string): Promise<Page> {
  const deadlineMs = performance.now() + 60_000;
  let trouble: unknown;
  while (performance.now() < deadlineMs) {
    for (const page of pages()) {
      if (page.isClosed() || !page.url().startsWith(`${origin}/`)) continue;
      try {
        await page.waitForLoadState('load', { timeout: 5000 });
        // A page that has crashed has loaded, too, but answers no more.
        if (await page.evaluate(() => document.readyState === 'complete')) return page;
      } catch (error) {
        trouble = error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`no page on ${origin} within 60 s`, { cause: trouble });
}

function remoteControl(child: ChildProcess): Desktop['evaluate'] {
  let lastId = 0;
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  child.on('message', (answer: { id: number; value?: unknown; error?: string }) => {
    const order = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) order?.resolve(answer.value);
    else order?.reject(new Error(answer.error));
  });
  child.once('close', () => {
    for (const order of waiting.values()) order.reject(new Error('the main process has ended'));
  });
  return (work, argument) =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      child.send({ id, source: work.toString(), argument }, (error) => {
        if (error) reject(error);
      });
    });
}

/** Starts a Chromium that others can connect to. @returns its process and its DevTools address. */
async function startChromium(profile: string): Promise<[ChildProcess, string]> {
  const child = spawn(
    findChromium(),
    [
      '--headless=new',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-quic',
      '--no-first-run',
      // Chromium's sandbox refuses to run as root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const endpoint = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      const found = /DevTools listening on (ws:\/\/\S+)/.exec(text)?.[1];
      if (found) resolve(found);
    });
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`Chromium ended with status ${code}: ${text}`)));
  });
  return [child, endpoint];
}

function exited(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', resolve));
}

/** What was written into the engine's log of a home. */
export function engineLog(home: string): string {
  const path = join(home, 'engine.log');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
