import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HOST_KEY, StintHost } from '../../src/contract/host.ts';
import type { JobView } from '../../src/contract/messages.ts';
import { isTerminal } from '../../src/domain/job.ts';
import {
  buildDesktop,
  cliPath,
  type Desktop,
  engineLog,
  type Flavour,
  flavours,
} from './support/desktopHarness.ts';
import { printedBy } from './support/headlessHost.ts';

declare global {
  interface Window {
    readonly [HOST_KEY]?: StintHost;
  }
}

beforeAll(async () => {
  await buildDesktop();
});

for (const flavour of flavours) {
  if (flavour.missing === null) {
    describe(`the desktop on ${flavour.name}`, () => desktop(flavour));
  } else {
    process.stderr.write(`skipped: the desktop on ${flavour.name} ${flavour.missing}\n`);
    describe.skip(`the desktop on ${flavour.name} (${flavour.missing})`, () => desktop(flavour));
  }
}

function desktop(flavour: Flavour): void {
  let home: string;
  let running: Desktop[];
  let others: ChildProcess[];
  let sleepers: { end(): Promise<void> }[];

  beforeAll(() => flavour.open());
  afterAll(() => flavour.close());
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'stint-desktop-'));
    running = [];
    others = [];
    sleepers = [];
  });
  afterEach(async () => {
    for (const { kill, exited } of running) {
      kill('SIGTERM');
      await exited;
    }
    for (const other of others) await ended(other);
    for (const { end } of sleepers) await end();
    rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });

  const start = async (...flags: string[]): Promise<Desktop> => {
    const started = await flavour.start(home, ['--devices', 'virtual:2', ...flags]);
    running.push(started);
    return started;
  };
  /** A job that really runs until the test ends it, and the pid of its process. */
  const sleeper = async (name: string): Promise<{ id: number; pid: number }> => {
    const id = Number(await printedBy(home)('submit', '--name', name, '--', 'sleep', '600'));
    const job = await until(`job ${id} runs`, async () => {
      const seen = await show(id);
      return seen.status === 'running' && seen.process !== null ? seen : null;
    });
    const pid = job.process!.pid;
    const end = async (): Promise<void> => {
      if (isAlive(pid)) process.kill(-pid, 'SIGKILL');
      await until('the job is gone', () => !isAlive(pid) || null);
    };
    sleepers.push({ end });
    return { id, pid };
  };
  const show = async (id: number): Promise<JobView> =>
    JSON.parse(await printedBy(home)('show', String(id), '--json'));

  it('opens its window on its own scheme and shows what the engine knows', async () => {
    const app = await start();
    const page = await app.page();
    expect(
      await app.evaluate(({ BrowserWindow }) =>
        BrowserWindow.getAllWindows().map((w) => w.webContents.getURL()),
      ),
    ).toEqual([expect.stringMatching(/^app:\/\/stint\/index\.html/)]);
    const job = await sleeper('a-real-sleeper');
    await page.getByText('a-real-sleeper').first().waitFor();
    expect(await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.isVisible())).toBe(
      true,
    );
    await printedBy(home)('cancel', String(job.id));
    await until('the cancelled job is over', async () => isTerminal((await show(job.id)).status) || null);
    expect(isAlive(job.pid)).toBe(false);
  });

  it('connects anew when its page is loaded again, and nothing in it complains', async () => {
    const app = await start();
    const page = await app.page();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.evaluate(() => location.reload());
    await sleeper('seen-after-loading-again');
    await page.getByText('seen-after-loading-again').first().waitFor();
    expect(complaints).toEqual([]);
  });

  // One start for what changes nothing; whatever the page could have been given, it has been given by then.
  describe('its page', () => {
    let data: string;
    let app: Desktop;
    let page: Awaited<ReturnType<Desktop['page']>>;
    beforeAll(async () => {
      data = mkdtempSync(join(tmpdir(), 'stint-desktop-'));
      app = await flavour.start(data, ['--devices', 'virtual:2']);
      page = await app.page();
    });
    afterAll(async () => {
      app.kill('SIGTERM');
      await app.exited;
      rmSync(data, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    });

    it('gives the page nothing but the host object', async () => {
      expect(
        await page.evaluate(() => ({
          host: Object.entries(window.stintHost ?? {}).map(([name, value]) => [name, typeof value]),
          platform: window.stintHost?.platform,
          node: ['require', 'process', 'module', 'Buffer', 'global', 'ipcRenderer', 'electron'].filter(
            (name) => name in window,
          ),
          fixed: Object.getOwnPropertyDescriptor(window, 'stintHost')?.writable === false,
        })),
      ).toEqual({
        host: [
          ['platform', 'string'],
          ['connect', 'function'],
          ['pathOf', 'function'],
        ],
        platform: 'desktop',
        node: [],
        fixed: true,
      });
    });

    it('answers with a content security policy, and the policy holds', async () => {
      const policies = await page.evaluate(() =>
        Promise.all(
          ['/index.html', '/nothing-here.js'].map(async (path) =>
            (await fetch(path)).headers.get('content-security-policy'),
          ),
        ),
      );
      for (const policy of policies) {
        expect(policy).toContain("default-src 'none'");
        expect(policy).toContain("script-src 'self';");
      }
      const ran = await page.evaluate(async () => {
        const script = document.createElement('script');
        script.textContent = 'window.inlineRan = true';
        document.head.append(script);
        return 'inlineRan' in window;
      });
      expect(ran).toBe(false);
    });

    it('serves its own folder only', async () => {
      const statuses = await page.evaluate(async () => {
        const status = async (path: string, method = 'GET') => (await fetch(path, { method })).status;
        return {
          index: await status('/'),
          missing: await status('/nothing-here.html'),
          folder: await status('/assets'),
          dots: await status('/../../package.json'),
          escapedDots: await status('/%2e%2e/%2e%2e/package.json'),
          escapedSlashes: await status('/..%2f..%2fpackage.json'),
          escapedBackslashes: await status('/..%5c..%5cpackage.json'),
          absolute: await status('/%2fetc%2fpasswd'),
          nul: await status('/index.html%00.js'),
          notUtf8: await status('/%ff'),
          writing: await status('/index.html', 'POST'),
        };
      });
      expect(statuses).toEqual({
        index: 200,
        missing: 404,
        folder: 404,
        dots: 404,
        escapedDots: 404,
        escapedSlashes: 403,
        escapedBackslashes: 400,
        absolute: 404,
        nul: 400,
        notUtf8: 400,
        writing: 405,
      });
    });

    it('does not leave the console, open windows or load foreign things', async () => {
      const address = page.url();
      await page.evaluate(() => {
        location.href = 'https://elsewhere.example/';
      });
      await until(
        'the navigation was refused',
        () => engineLog(data).includes('tried to leave the console') || null,
      );
      expect(page.url()).toBe(address);
      await page.evaluate(() => void window.open('https://elsewhere.example/popup'));
      await until('the window was refused', () => engineLog(data).includes('tried to open a window') || null);
      await until(
        'no other page is left',
        () => app.pages().filter((each) => !each.isClosed()).length === 1 || null,
      );
      expect(await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
      expect(
        await page.evaluate(() =>
          fetch('https://elsewhere.example/').then(
            () => 'loaded',
            () => 'refused',
          ),
        ),
      ).toBe('refused');
    });

    it('denies every permission', async () => {
      expect(
        await page.evaluate(async () => ({
          geolocation: (await navigator.permissions.query({ name: 'geolocation' })).state,
          camera: (await navigator.permissions.query({ name: 'camera' as PermissionName })).state,
          notifications: await Notification.requestPermission(),
        })),
      ).toEqual({ geolocation: 'denied', camera: 'denied', notifications: 'denied' });
    });

    it('refuses ports of foreign frames and windows', async () => {
      const refusals = (): number =>
        engineLog(data).match(/a connection to the engine was refused/g)?.length ?? 0;
      const before = refusals();
      const outcomes = await app.evaluate(({ BrowserWindow, ipcMain }) => {
        const sender = BrowserWindow.getAllWindows()[0]!.webContents;
        const own = { url: 'app://stint/index.html', origin: 'app://stint', parent: null };
        const attempt = (from: object, frame: object | null, count = 1): string => {
          const done: string[] = [];
          const port = () => ({
            start: () => done.push('started'),
            close: () => done.push('closed'),
            on: () => done.push('heard'),
            postMessage: () => done.push('answered'),
          });
          const event = { sender: from, senderFrame: frame, ports: Array.from({ length: count }, port) };
          ipcMain.emit('stint:connect', event as never);
          return done.join(' ');
        };
        return {
          otherWindow: attempt({}, own),
          noFrame: attempt(sender, null),
          emptyUrl: attempt(sender, { ...own, url: '' }),
          blank: attempt(sender, { ...own, url: 'about:blank' }),
          foreign: attempt(sender, {
            ...own,
            url: 'https://elsewhere.example/',
            origin: 'https://elsewhere.example',
          }),
          alike: attempt(sender, { ...own, url: 'app://stint.example/', origin: 'app://stint.example' }),
          otherScheme: attempt(sender, { ...own, url: 'https://stint/index.html', origin: 'https://stint' }),
          sandboxed: attempt(sender, { ...own, origin: 'null' }),
          embedded: attempt(sender, { ...own, parent: own }),
          twoPorts: attempt(sender, own, 2),
          noPort: attempt(sender, own, 0),
          right: attempt(sender, own),
        };
      });
      const { right, noPort, twoPorts, ...refused } = outcomes;
      expect(right).toBe('heard heard started');
      expect(noPort).toBe('');
      expect(twoPorts).toBe('closed closed');
      expect(new Set(Object.values(refused))).toEqual(new Set(['closed']));
      expect(refusals() - before).toBe(11);
    });

    it('hands over ports from its own window only', async () => {
      await app.evaluate(({ ipcMain }) => {
        const seen: string[] = [];
        (globalThis as unknown as { seenPorts: string[] }).seenPorts = seen;
        ipcMain.on('stint:connect', (event) => void seen.push(event.senderFrame?.url ?? ''));
      });
      const seen = () => app.evaluate(() => (globalThis as unknown as { seenPorts: string[] }).seenPorts);
      await page.evaluate(() => {
        document.body.append(document.createElement('iframe'));
        window.stintHost?.connect();
        // After the preload's listener, so that it has seen what this one sees.
        const arrived = new Promise((resolve) => window.addEventListener('message', resolve, { once: true }));
        Object.assign(window, { arrived });
      });
      const frame = page.frames().find((each) => each !== page.mainFrame())!;
      await frame.evaluate(() => {
        parent.postMessage({ type: 'stint:connect' }, '*', [new MessageChannel().port1]);
      });
      await page.evaluate(async () => {
        await (window as unknown as { arrived: Promise<unknown> }).arrived;
        // Should the frame's port have been taken, this lets a second one through.
        window.stintHost?.connect();
        // Of the wrong kind, and without a port.
        window.postMessage({ type: 'stint:other' }, location.origin, [new MessageChannel().port1]);
        window.postMessage({ type: 'stint:connect' }, location.origin);
        const { port1, port2 } = new MessageChannel();
        window.postMessage({ type: 'stint:connect' }, location.origin, [port1]);
        // Not asked for: nobody listens any more.
        window.postMessage({ type: 'stint:connect' }, location.origin, [new MessageChannel().port1]);
        Object.assign(window, { kept: port2 });
      });
      // Messages keep their order, so whatever the others could have caused comes no later than another round trip.
      await until('a port has arrived', async () => (await seen()).length > 0 || null);
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 0)));
      expect(await seen()).toEqual([expect.stringMatching(/^app:\/\/stint\/index\.html/)]);
    });
  });

  it('hides when its window is closed, says so once, and leaves jobs running', async () => {
    const app = await start();
    await app.page();
    const job = await sleeper('goes-on');
    const closeWindow = () => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.close());
    const visible = () => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.isVisible());
    await closeWindow();
    await until('the window is hidden', async () => !(await visible()) || null);
    expect(isAlive(job.pid)).toBe(true);
    expect((await show(job.id)).status).toBe('running');
    await clickTray(app, 'open');
    await until('the window is back', async () => (await visible()) || null);
    await closeWindow();
    await until('the window is hidden again', async () => !(await visible()) || null);
    const { notifications, messageBoxes } = await app.evaluate(() => ({
      notifications: globalThis.shellRecords.notifications.map(({ title, body }) => `${title} ${body}`),
      messageBoxes: globalThis.shellRecords.messageBoxes.map(({ message, detail }) => `${message} ${detail}`),
    }));
    expect([...notifications, ...messageBoxes]).toEqual([
      'Jobs go on running. Stint stays in the tray; Quit ends the console, never a job.',
    ]);
  });

  it('counts jobs in the tray, pauses them all, and quits without ending one', async () => {
    const app = await start();
    await app.page();
    const toolTip = () => app.evaluate(() => globalThis.shellRecords.trays[0]?.toolTip ?? '');
    await until('an idle tray', async () => (await toolTip()) === 'Stint: 0 running, 0 waiting' || null);
    const job = await sleeper('counted');
    await printedBy(home)('submit', '--gpus', '2', '--', 'true');
    await until(
      'one runs, one waits',
      async () => (await toolTip()) === 'Stint: 1 running, 1 waiting' || null,
    );
    await clickTray(app, 'pause-all');
    await until('the job is paused', async () => (await show(job.id)).status === 'paused' || null);
    await until('the tray says so', async () => /: 0 running, 1 paused, /.test(await toolTip()) || null);
    // The reply may be cut off by the end.
    await clickTray(app, 'quit').catch((error: unknown) => expect(String(error)).toMatch(/ended|closed/));
    expect(await app.exited).toBe(0);
    expect(isAlive(job.pid)).toBe(true);
  });

  it('brings its window to the front instead of starting twice', async () => {
    const app = await start();
    await app.page();
    await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.hide());
    const second = await flavour.startInVain(home);
    expect(second.status).toBe(0);
    expect(second.stderr).toContain('Stint is open on this data already');
    await until('the window is in front', () =>
      app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.isVisible() || null),
    );
    expect(await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
  });

  it('loads the page anew when it crashes, and jobs notice nothing', async () => {
    const app = await start();
    await app.page();
    const job = await sleeper('undisturbed');
    await app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]!.webContents.forcefullyCrashRenderer(),
    );
    await until('the crash was seen', () => engineLog(home).includes('ended unexpectedly') || null);
    const page = await app.page();
    await page.getByText('undisturbed').first().waitFor();
    expect(isAlive(job.pid)).toBe(true);
  });

  it('gives up a page that crashes again and again, and says so', async () => {
    const app = await start();
    for (let crashes = 1; crashes <= 4; crashes++) {
      await app.page();
      await app.evaluate(({ BrowserWindow }) =>
        BrowserWindow.getAllWindows()[0]!.webContents.forcefullyCrashRenderer(),
      );
      const seen = new RegExp(`(?:ended unexpectedly[^]*){${crashes}}`);
      await until(`crash ${crashes} was seen`, () => seen.test(engineLog(home)) || null);
    }
    expect(await app.evaluate(() => globalThis.shellRecords.errorBoxes)).toEqual([
      {
        title: 'The console keeps ending unexpectedly',
        content: expect.stringContaining('Jobs go on running.'),
      },
    ]);
  });

  it('keeps the place of its window', async () => {
    const place = { x: 60, y: 70, width: 1000, height: 700 };
    const first = await start();
    await first.page();
    await first.evaluate(
      ({ BrowserWindow }, bounds) => BrowserWindow.getAllWindows()[0]!.setBounds(bounds),
      place,
    );
    first.kill('SIGTERM');
    expect(await first.exited).toBe(0);
    const second = await start();
    await second.page();
    expect(
      await second.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.getNormalBounds()),
    ).toEqual(place);
  });

  it('says what is wrong and ends when the engine cannot start', async () => {
    const wrongFlag = await flavour.startInVain(home, ['--policy', 'best']);
    expect(wrongFlag.status).toBe(1);
    expect(wrongFlag.stderr).toContain('--policy: "best" is not usable; choose one of fifo');
    expect(readdirSync(home)).toEqual([]);

    const wrongDevices = await flavour.startInVain(home, ['--devices', 'virtual:none']);
    expect(wrongDevices.status).toBe(1);
    expect(wrongDevices.stderr).toMatch(/Stint cannot start\n.*virtual:none/);

    writeFileSync(join(home, 'stint.db'), 'this is no database, and somebody may still want it');
    const damaged = await flavour.startInVain(home);
    expect(damaged.status).toBe(1);
    expect(damaged.stderr).toMatch(/Stint cannot start\n.*stint\.db/);
    expect(readFileSync(join(home, 'stint.db'), 'utf8')).toBe(
      'this is no database, and somebody may still want it',
    );
    rmSync(join(home, 'stint.db'));

    const holder = spawn(
      process.execPath,
      [cliPath, 'serve', '--data', home, '--devices', 'virtual:1', '--json'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    others.push(holder);
    await new Promise((resolve, reject) => {
      holder.stdout.once('data', resolve);
      holder.once('exit', (code) => reject(new Error(`stint serve ended with status ${code}`)));
    });
    const late = await flavour.startInVain(home);
    expect(late.status).toBe(1);
    expect(late.stderr).toMatch(/Stint cannot start\n.+;.+/);
    expect(holder.exitCode).toBeNull();
  });
}

function clickTray(app: Desktop, id: string): Promise<void> {
  return app.evaluate((_electron, item) => {
    globalThis.shellRecords.trays[0]?.menu?.getMenuItemById(item)?.click();
  }, id);
}

/** Waits for something that is not null. */
async function until<T>(what: string, look: () => Promise<T | null> | T | null): Promise<T> {
  const deadlineMs = performance.now() + 30_000;
  while (performance.now() < deadlineMs) {
    const found = await look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not within 30 s: ${what}`);
}

/** Whether a process runs; one that has ended and that nobody has asked about does not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/\) [ZX] /.test(readFileSync(stat, 'utf8'));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}
