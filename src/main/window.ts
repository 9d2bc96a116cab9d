import { fileURLToPath } from 'node:url';
import { BrowserWindow, nativeTheme, screen, type WebContents } from 'electron';
import { resourcePath } from '../engine/packageRoot.ts';
import type { Clock, Log } from '../engine/ports.ts';
import { START_URL } from './appOrigin.ts';
import { isReachable, loadWindowState, saveWindowState } from './windowState.ts';

export interface ConsoleWindowOptions {
  /** Where the window's place is kept between runs. */
  readonly statePath: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The window was closed by a person and now hides; the engine goes on. */
  onHidden(): void;
  /** The page crashed again and again and was given up. */
  onGivenUp(): void;
}

export interface ConsoleWindow {
  /** Brings the window to the front, from wherever it is. */
  show(): void;
  isShowing(contents: WebContents): boolean;
  /** From now on closing the window closes it. */
  letClose(): void;
}

const DEFAULT_SIZE = { width: 1280, height: 820 };
const CRASHES_BEFORE_GIVING_UP = 3;
const CRASH_SPELL_MS = 60_000;

/** Opens the console's window. Its page is sandboxed and has nothing of Node; closing it only hides it. */
export function openConsoleWindow(options: ConsoleWindowOptions): ConsoleWindow {
  const { log } = options;
  const state = loadWindowState(options.statePath, log);
  const areas = screen.getAllDisplays().map((display) => display.workArea);
  const window = new BrowserWindow({
    ...(state && isReachable(state.bounds, areas) ? state.bounds : DEFAULT_SIZE),
    minWidth: 800,
    minHeight: 560,
    show: false,
    title: 'Stint',
    icon: resourcePath('icons', 'stint-256.png'),
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#14171a' : '#ffffff',
    webPreferences: {
      preload: fileURLToPath(new URL('../preload/index.cjs', import.meta.url)),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    },
  });
  if (state?.maximized) window.maximize();
  window.once('ready-to-show', () => window.show());

  let closing = false;
  window.on('close', (event) => {
    const { x, y, width, height } = window.getNormalBounds();
    saveWindowState(
      options.statePath,
      { bounds: { x, y, width, height }, maximized: window.isMaximized() },
      log,
    );
    if (closing) return;
    event.preventDefault();
    window.hide();
    options.onHidden();
  });
  reloadAfterCrash(window, options);
  loadConsole(window, log);

  return {
    show: () => {
      if (window.isDestroyed()) return;
      if (window.isMinimized()) window.restore();
      window.show();
      window.focus();
    },
    isShowing: (contents) => !window.isDestroyed() && contents === window.webContents,
    letClose: () => {
      closing = true;
    },
  };
}

function loadConsole(window: BrowserWindow, log: Log): void {
  window.loadURL(START_URL).catch((error: unknown) => {
    log.error('the console did not load', { error: String(error) });
  });
}

/** A crashed page is loaded anew, but not for ever. The engine lives in another process and notices nothing. */
function reloadAfterCrash(window: BrowserWindow, options: ConsoleWindowOptions): void {
  let crashesMs: number[] = [];
  window.webContents.on('render-process-gone', (_event, details) => {
    if (details.reason === 'clean-exit' || window.isDestroyed()) return;
    const nowMs = options.clock.monotonicMs();
    crashesMs = [...crashesMs.filter((atMs) => nowMs - atMs < CRASH_SPELL_MS), nowMs];
    const givenUp = crashesMs.length > CRASHES_BEFORE_GIVING_UP;
    options.log.error('the page of the console ended unexpectedly', { ...details, loadedAnew: !givenUp });
    if (givenUp) options.onGivenUp();
    else loadConsole(window, options.log);
  });
}
