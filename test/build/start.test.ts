import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findElectron, missingDisplay } from '../../scripts/lib/electronBinary.ts';

const root = resolve(import.meta.dirname, '../..');
const asRoot = process.platform === 'linux' && process.getuid?.() === 0;
let place: string;
let children: Started[];

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'stint-start-'));
  children = [];
});
afterEach(async () => {
  for (const { child, ended } of children) {
    child.kill('SIGTERM');
    await ended;
  }
  rmSync(place, { recursive: true, force: true });
});

describe('npm start', { timeout: 120_000 }, () => {
  it('says in one line why there is no window, and prints the address of the console', async () => {
    const started = start({}, '--devices', 'virtual:1', '--data', join(place, 'home'));
    const address = await started.shows(/open (http:\/\/127\.0\.0\.1:\d+\/)#token=\S+/);
    const said = started
      .text()
      .split('\n')
      .filter((line) => line.startsWith('No window: '));
    expect(said).toEqual([
      'No window: there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set). Starting the headless host instead.',
    ]);
    const page = await fetch(address);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<title>Stint');
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(0);
    await expect(fetch(address)).rejects.toThrow('fetch failed');
  });

  it('opens the desktop where there is a display and a binary, and passes its flags on', async () => {
    const electron = join(place, 'electron');
    writeFileSync(electron, '#!/bin/sh\nprintf "electron got:%s\\n" "$*"\nexit 7\n');
    chmodSync(electron, 0o755);
    const surroundings = { DISPLAY: ':9', ELECTRON_OVERRIDE_DIST_PATH: place };
    const flags = ['--policy', 'fifo', '--devices', 'virtual:3', '--data', join(place, 'home')];
    const started = start(surroundings, '--no-sandbox', ...flags);
    expect(await started.ended).toBe(7);
    const got = /electron got:(.*)/.exec(started.text())?.[1]?.split(' ') ?? [];
    expect(got.slice(0, 2)).toEqual([root, '--no-sandbox']);
    for (const [index, flag] of flags.entries()) if (index % 2 === 0) expect(got).toContain(flag);
    expect(got).toEqual(expect.arrayContaining(flags));
  });

  it.runIf(asRoot)('does not switch the sandbox off by itself', async () => {
    const started = start(
      { DISPLAY: ':9', ELECTRON_OVERRIDE_DIST_PATH: place },
      '--devices',
      'virtual:none',
      '--data',
      join(place, 'home'),
    );
    expect(await started.ended).toBe(2);
    expect(started.text()).toContain(
      "No window: Electron's sandbox does not work as root (give --no-sandbox",
    );
  });

  it.each([
    [
      ['--policy', 'best'],
      '--policy: "best" is not usable; choose one of fifo, first-fit, easy, priority, aged, las',
    ],
    [['--device', 'virtual:2'], "Unknown option '--device'"],
    [['--data'], "Option '--data <value>' argument missing"],
    [['somewhere'], "Unexpected argument 'somewhere'"],
  ])('refuses %j and writes nothing', async (flags, sentence) => {
    const home = join(place, 'home');
    const started = start({ STINT_HOME: home }, ...flags);
    expect(await started.ended).toBe(2);
    expect(started.text()).toContain(sentence);
    expect(started.text()).toContain('Known flags: --data DIR, --devices SPEC, --policy NAME, --no-sandbox');
    expect(existsSync(home)).toBe(false);
  });
});

describe('findElectron', () => {
  it('believes only a file that is there', () => {
    const dist = join(place, 'node_modules', 'electron', 'dist');
    mkdirSync(dist, { recursive: true });
    expect(findElectron(place, {})).toEqual({ path: null, lookedIn: dist });
    writeFileSync(join(dist, '..', 'path.txt'), 'electron');
    expect(findElectron(place, {})).toEqual({ path: null, lookedIn: dist });
    writeFileSync(join(dist, 'electron'), '');
    expect(findElectron(place, {})).toEqual({ path: join(dist, 'electron'), lookedIn: dist });
    const elsewhere = join(place, 'elsewhere');
    expect(findElectron(place, { ELECTRON_OVERRIDE_DIST_PATH: elsewhere })).toEqual({
      path: null,
      lookedIn: elsewhere,
    });
  });
});

describe('missingDisplay', () => {
  it('knows where a display goes without saying', () => {
    expect(missingDisplay('darwin', {})).toBeNull();
    expect(missingDisplay('win32', {})).toBeNull();
    expect(missingDisplay('linux', { DISPLAY: ':0' })).toBeNull();
    expect(missingDisplay('linux', { WAYLAND_DISPLAY: 'wayland-0' })).toBeNull();
    expect(missingDisplay('linux', { DISPLAY: '' })).toContain('no display');
  });
});

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  /** stdout and stderr so far. */
  text(): string;
  /** First group of a pattern, once it has been printed. */
  shows(pattern: RegExp): Promise<string>;
}

function start(surroundings: Readonly<Record<string, string>>, ...flags: readonly string[]): Started {
  const { DISPLAY: _x, WAYLAND_DISPLAY: _wayland, ELECTRON_OVERRIDE_DIST_PATH: _dist, ...env } = process.env;
  const child = spawn(process.execPath, [join(root, 'scripts', 'start.ts'), ...flags], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, NODE_OPTIONS: '', ...surroundings },
  });
  let text = '';
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      for (const watcher of watchers) watcher();
    });
  }
  const ended = new Promise<number | null>((settle) => child.once('close', settle));
  const started: Started = {
    child,
    ended,
    text: () => text,
    shows: (pattern) =>
      new Promise((found, failed) => {
        const look = (): void => {
          const match = pattern.exec(text)?.[1];
          if (match !== undefined) found(match);
        };
        watchers.add(look);
        look();
        void ended.then((code) => failed(new Error(`it ended with status ${code} before: ${text}`)));
      }),
  };
  children.push(started);
  return started;
}
