import type { CDPSession } from 'playwright-core';
import { addScheme, fromChromium } from './addresses.ts';
import { connectChromium } from './chromium.ts';

type PermissionRequestHandler = (
  contents: unknown,
  permission: string,
  answer: (granted: boolean) => void,
  details: { requestingUrl: string },
) => void;
type PermissionCheckHandler = (contents: unknown, permission: string, origin: string) => boolean;
type BeforeRequest = (
  details: { url: string; method: string },
  answer: (response: { cancel?: boolean }) => void,
) => void;
export type ProtocolHandler = (request: Request) => Response | Promise<Response>;

/** Electron's names of permissions beside those of the DevTools protocol. */
const PERMISSIONS = [
  ['geolocation', 'geolocation'],
  ['notifications', 'notifications'],
  ['media', 'camera'],
  ['media', 'microphone'],
  ['midi', 'midi'],
  ['clipboard-read', 'clipboard-read'],
  ['idle-detection', 'idle-detection'],
] as const;

const handlers = new Map<string, ProtocolHandler>();

export const protocol = {
  registerSchemesAsPrivileged(schemes: readonly { scheme: string }[]): void {
    for (const { scheme } of schemes) addScheme(scheme);
  },
  handle(scheme: string, handler: ProtocolHandler): void {
    if (handlers.has(scheme)) throw new Error(`protocol ${scheme} has a handler already`);
    addScheme(scheme);
    handlers.set(scheme, handler);
  },
};

/** The handler for a URL as the main process sees it. */
export function handlerFor(url: string): ProtocolHandler | undefined {
  return handlers.get(new URL(url).protocol.slice(0, -1));
}

export class StandInSession {
  #request: PermissionRequestHandler | null = null;
  #check: PermissionCheckHandler | null = null;
  #beforeRequest: BeforeRequest | null = null;
  #devtools: CDPSession | null = null;
  readonly protocol = protocol;
  readonly webRequest = {
    onBeforeRequest: (listener: BeforeRequest | null): void => {
      this.#beforeRequest = listener;
    },
  };

  setPermissionRequestHandler(handler: PermissionRequestHandler | null): void {
    this.#request = handler;
  }
  setPermissionCheckHandler(handler: PermissionCheckHandler | null): void {
    this.#check = handler;
  }
  /** Devices cannot be chosen in a page without a screen, so there is nothing to ask it. */
  setDevicePermissionHandler(handler: ((details: unknown) => boolean) | null): void {
    this.deviceHandler = handler;
  }
  deviceHandler: ((details: unknown) => boolean) | null = null;

  async allowsRequest(url: string, method: string): Promise<boolean> {
    const listener = this.#beforeRequest;
    if (!listener) return true;
    const { cancel } = await new Promise<{ cancel?: boolean }>((resolve) =>
      listener({ url, method }, resolve),
    );
    return cancel !== true;
  }

  /** Makes what the handlers answer Chromium's settings for an origin. */
  async applyPermissions(contents: unknown, chromiumOrigin: string): Promise<void> {
    const origin = fromChromium(chromiumOrigin);
    const { browser } = await connectChromium();
    // Chromium forgets the settings with the session that made them.
    this.#devtools ??= await browser.newBrowserCDPSession();
    const devtools = this.#devtools;
    for (const [name, devtoolsName] of PERMISSIONS) {
      const checked = this.#check?.(contents, name, origin) ?? true;
      const request = this.#request;
      const granted = request
        ? await new Promise<boolean>((resolve) => request(contents, name, resolve, { requestingUrl: origin }))
        : true;
      await devtools.send('Browser.setPermission', {
        permission: { name: devtoolsName },
        setting: checked && granted ? 'granted' : 'denied',
        origin: chromiumOrigin,
      });
    }
  }
}

export const session = { defaultSession: new StandInSession() };
