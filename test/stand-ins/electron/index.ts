/**
 * A stand-in for the module `electron` as the main process sees it, so that the built main process and preload
 * run in plain Node where there is no Electron binary. A window is a page in a real Chromium, driven over the
 * DevTools protocol; the preload runs there in a world of its own beside the page's.
 *
 * What it does not imitate, and a run on it therefore does not prove:
 * - Custom schemes. `app://stint/x` is loaded as `https://stint.app.stand-in.invalid/x`, answered by the handler
 *   of `protocol.handle`, and reported to the main process as `app://stint/x`. In the page, `location` and
 *   origins show the https form, and the privileges of `registerSchemesAsPrivileged` have no effect.
 * - Processes. Main runs in Node, not in Electron's browser process; `sandbox` and fuses mean nothing, and
 *   Chromium is sandboxed as the test starts it. Only isolated, sandboxed pages can be asked for.
 * - The context bridge beyond plain data and functions with plain arguments and results; the page could forge
 *   the events that carry these calls.
 * - Message ports beyond text and bytes, and transferring them further.
 * - Denying a new window before it exists: it appears and is closed at once, and `window.open` is not null.
 * - Asking for permissions: for every known permission the handlers are called when a window opens, and what
 *   they answer (without handlers: yes, as in Electron) becomes Chromium's setting for the origin.
 * - A crashed page is replaced by a new one when it is loaded again.
 * - The network: what no protocol handler serves does not load. Redirects do not occur.
 * - Tray, menus, notifications and dialogs are recorded under `globalThis.shellRecords` and not drawn.
 */
export { app } from './app.ts';
export { BrowserWindow } from './browserWindow.ts';
export { ipcMain } from './ipcMain.ts';
export { protocol, session } from './session.ts';
export { dialog, Menu, Notification, nativeImage, nativeTheme, screen, Tray } from './shell.ts';

import './remoteControl.ts';
