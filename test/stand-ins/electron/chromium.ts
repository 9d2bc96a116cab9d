import { type Browser, type BrowserContext, chromium } from 'playwright-core';

/** The variable in which the test names the Chromium that it has started for this process. */
const ENDPOINT_VARIABLE = 'STAND_IN_CHROMIUM';

export interface Chromium {
  readonly browser: Browser;
  readonly context: BrowserContext;
}

let connecting: Promise<Chromium> | undefined;

/** Connects once. Ends this process when Chromium goes away, as Electron would. */
export function connectChromium(): Promise<Chromium> {
  connecting ??= connect();
  return connecting;
}

async function connect(): Promise<Chromium> {
  const endpoint = process.env[ENDPOINT_VARIABLE];
  if (!endpoint) throw new Error(`set ${ENDPOINT_VARIABLE} to the DevTools address of a running Chromium`);
  const browser = await chromium.connectOverCDP(endpoint);
  const [context] = browser.contexts();
  if (!context) throw new Error(`the Chromium at ${endpoint} has no default context`);
  return { browser, context };
}
