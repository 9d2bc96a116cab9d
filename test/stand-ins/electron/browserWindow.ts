import { EventEmitter } from 'node:events';
import { toChromium } from './addresses.ts';
import { app, type ClosableWindow } from './app.ts';
import { preventable } from './events.ts';
import { session } from './session.ts';
import { WebContents } from './webContents.ts';

interface WindowOptions {
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  readonly height?: number;
  readonly show?: boolean;
  readonly webPreferences?: {
    readonly preload?: string;
    readonly contextIsolation?: boolean;
    readonly sandbox?: boolean;
    readonly nodeIntegration?: boolean;
    readonly nodeIntegrationInWorker?: boolean;
    readonly nodeIntegrationInSubFrames?: boolean;
    readonly webSecurity?: boolean;
    readonly webviewTag?: boolean;
  };
}

export class BrowserWindow extends EventEmitter implements ClosableWindow {
  static getAllWindows(): BrowserWindow[] {
    return [...app.windows].filter((window) => window instanceof BrowserWindow);
  }

  readonly webContents: WebContents;
  #bounds: { x: number; y: number; width: number; height: number };
  #visible: boolean;
  #focused = false;
  #minimized = false;
  #maximized = false;
  #destroyed = false;
  #shownOnce = false;

  constructor(options: WindowOptions = {}) {
    super();
    const preferences = options.webPreferences ?? {};
    refuseUnsafe(preferences);
    if (!preferences.preload) throw new Error('the stand-in knows only windows with a preload');
    this.#bounds = {
      x: options.x ?? 320,
      y: options.y ?? 130,
      width: options.width ?? 800,
      height: options.height ?? 600,
    };
    this.#visible = options.show ?? true;
    this.webContents = new WebContents(preferences.preload);
    app.windows.add(this);
    app.emit('web-contents-created', preventable({}), this.webContents);
  }

  async loadURL(url: string): Promise<void> {
    const origin = new URL(toChromium(url)).origin;
    await session.defaultSession.applyPermissions(this.webContents, origin);
    await this.webContents.loadURL(url);
    if (this.#shownOnce) return;
    this.#shownOnce = true;
    this.emit('ready-to-show');
  }

  show(): void {
    this.#visible = true;
    this.#focused = true;
    this.emit('show');
  }
  hide(): void {
    this.#visible = false;
    this.#focused = false;
    this.emit('hide');
  }
  focus(): void {
    this.#focused = true;
  }
  blur(): void {
    this.#focused = false;
  }
  minimize(): void {
    this.#minimized = true;
  }
  restore(): void {
    this.#minimized = false;
  }
  maximize(): void {
    this.#maximized = true;
  }
  isVisible(): boolean {
    return this.#visible;
  }
  isFocused(): boolean {
    return this.#focused;
  }
  isMinimized(): boolean {
    return this.#minimized;
  }
  isMaximized(): boolean {
    return this.#maximized;
  }
  isDestroyed(): boolean {
    return this.#destroyed;
  }
  getNormalBounds(): { x: number; y: number; width: number; height: number } {
    return { ...this.#bounds };
  }
  setBounds(bounds: { x: number; y: number; width: number; height: number }): void {
    this.#bounds = { ...bounds };
  }

  close(): boolean {
    if (this.#destroyed) return true;
    const event = preventable({});
    this.emit('close', event);
    if (event.defaultPrevented) return false;
    void this.discard();
    return true;
  }
  destroy(): void {
    void this.discard();
  }

  async discard(): Promise<void> {
    if (!this.#destroyed) {
      this.#destroyed = true;
      this.emit('closed');
      app.windowGone(this);
    }
    await this.webContents.discard();
  }
}

/** What the stand-in cannot give must not look as if it had been asked for and given. */
function refuseUnsafe(preferences: NonNullable<WindowOptions['webPreferences']>): void {
  const wrong = (
    [
      ['contextIsolation', true],
      ['sandbox', true],
      ['webSecurity', true],
      ['nodeIntegration', false],
      ['nodeIntegrationInWorker', false],
      ['nodeIntegrationInSubFrames', false],
      ['webviewTag', false],
    ] as const
  ).filter(([name, value]) => preferences[name] !== undefined && preferences[name] !== value);
  if (wrong.length > 0) {
    throw new Error(`the stand-in has no windows with ${wrong.map(([name]) => name).join(', ')} so set`);
  }
}
