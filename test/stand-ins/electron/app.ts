import { EventEmitter } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectChromium } from './chromium.ts';
import { preventable } from './events.ts';

/** What the app must know of its windows, without the two modules needing each other. */
export interface ClosableWindow {
  /** Asks to close. @returns false if a listener prevented it. */
  close(): boolean;
  /** Closes without asking; resolves when the page is gone. */
  discard(): Promise<void>;
}

class StandInApp extends EventEmitter {
  readonly isPackaged = false;
  readonly windows = new Set<ClosableWindow>();
  #paths = new Map<string, string>([['userData', join(tmpdir(), 'stand-in-electron')]]);
  #ready: Promise<void>;
  #isReady = false;
  #exiting = false;
  #releaseLock: (() => void) | undefined;
  // Electron runs until it is told to quit, whatever else is open.
  #alive = setInterval(() => this.emit('stand-in-alive'), 60_000);

  constructor() {
    super();
    // After the main module has been evaluated, as in Electron.
    this.#ready = new Promise((resolve) => setImmediate(resolve)).then(async () => {
      const { browser } = await connectChromium();
      browser.on('disconnected', () => this.exit(1));
      this.#isReady = true;
      this.emit('ready', preventable({}), {});
    });
  }

  whenReady(): Promise<void> {
    return this.#ready;
  }
  isReady(): boolean {
    return this.#isReady;
  }
  setName(name: string): void {
    this.name = name;
  }
  name = 'Electron';
  setAppUserModelId(_id: string): void {
    // Of use on Windows only.
    this.emit('stand-in-user-model-id');
  }
  setPath(name: string, path: string): void {
    this.#paths.set(name, path);
  }
  getPath(name: string): string {
    const path = this.#paths.get(name);
    if (path === undefined) throw new Error(`the stand-in has no path ${name}`);
    return path;
  }

  /** One process for each userData folder; the others leave a note there, which the first reads. */
  requestSingleInstanceLock(): boolean {
    const folder = this.getPath('userData');
    mkdirSync(folder, { recursive: true });
    const lock = join(folder, 'stand-in.lock');
    const holder = readPid(lock);
    if (holder !== null && holder !== process.pid && isAlive(holder)) {
      const note = JSON.stringify({ argv: process.argv, cwd: process.cwd() });
      writeFileSync(join(folder, `stand-in.second.${process.pid}`), note);
      return false;
    }
    writeFileSync(lock, String(process.pid));
    const watcher = watch(folder, () => this.#readNotes(folder));
    watcher.unref();
    this.#releaseLock = () => {
      watcher.close();
      rmSync(lock, { force: true });
    };
    return true;
  }

  #readNotes(folder: string): void {
    for (const name of readdirSync(folder)) {
      if (!name.startsWith('stand-in.second.')) continue;
      const text = readFileSync(join(folder, name), 'utf8');
      // Written in one go, but perhaps seen between its creation and that; there will be another event.
      if (text === '') continue;
      rmSync(join(folder, name));
      const { argv, cwd } = JSON.parse(text) as { argv: string[]; cwd: string };
      this.emit('second-instance', preventable({}), argv, cwd, null);
    }
  }

  quit(): void {
    if (this.#exiting) return;
    const before = preventable({});
    this.emit('before-quit', before);
    if (before.defaultPrevented) return;
    for (const window of [...this.windows]) if (!window.close()) return;
    const will = preventable({});
    this.emit('will-quit', will);
    if (!will.defaultPrevented) this.exit(0);
  }

  exit(code = 0): void {
    if (this.#exiting) return;
    this.#exiting = true;
    this.emit('quit', preventable({}), code);
    clearInterval(this.#alive);
    this.#releaseLock?.();
    const end = (): never => process.exit(code);
    setTimeout(end, 5000);
    void Promise.allSettled([...this.windows].map((window) => window.discard())).then(end);
  }

  /** Called when a window was closed by itself, not by quitting. */
  windowGone(window: ClosableWindow): void {
    this.windows.delete(window);
    if (this.windows.size > 0 || this.#exiting) return;
    if (!this.emit('window-all-closed')) this.quit();
  }
}

function readPid(path: string): number | null {
  try {
    return Number(readFileSync(path, 'utf8')) || null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export const app = new StandInApp();
