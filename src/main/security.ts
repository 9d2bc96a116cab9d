import type { Session, WebContents } from 'electron';
import type { Log } from '../engine/ports.ts';
import { isAppUrl } from './appOrigin.ts';

/** Denies every permission, granted by default, and every request that leaves the console's own origin. */
export function hardenSession(session: Session, log: Log): void {
  session.setPermissionRequestHandler((_contents, permission, answer) => {
    log.warn('a page asked for a permission, which was denied', { permission });
    answer(false);
  });
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest((details, answer) => {
    const allowed = isAppUrl(details.url) || isLocalToPage(details.url);
    if (!allowed) log.warn('a page asked for a foreign address, which was refused', { url: details.url });
    answer({ cancel: !allowed });
  });
}

/** Denies leaving the console, opening windows and embedding pages. For every web contents, as it is made. */
export function hardenContents(contents: WebContents, log: Log): void {
  const stay = (event: { preventDefault(): void; readonly url: string }): void => {
    if (isAppUrl(event.url)) return;
    event.preventDefault();
    log.warn('a page tried to leave the console, which was refused', { url: event.url });
  };
  contents.on('will-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-frame-navigate', stay);
  contents.on('will-attach-webview', (event) => {
    event.preventDefault();
    log.warn('a page tried to embed another, which was refused');
  });
  contents.setWindowOpenHandler(({ url }) => {
    log.warn('a page tried to open a window, which was refused', { url });
    return { action: 'deny' };
  });
}

/** Developer tools, and what a page made by itself; the content security policy governs the latter. */
function isLocalToPage(url: string): boolean {
  return url.startsWith('devtools://') || url.startsWith('blob:app://stint/') || url.startsWith('data:');
}
