import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/**
 * Where Chromium is looked for, in this order; the environment first, Playwright's own download last. The headless shell is Chromium
 * without the windows and pages of its own that the whole browser keeps even where nobody sees them: half of the CPU time.
 */
export function findChromium(): string {
  const places = [
    process.env.STINT_CHROMIUM,
    '/usr/bin/chromium-headless-shell',
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/usr/bin/google-chrome-stable',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    chromium.executablePath(),
  ].flatMap((path) => (path ? [path] : []));
  const found = places.find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error(
      `no Chromium: looked for ${places.join(', ')}; install it (sudo apt install chromium-headless-shell, or chromium), or give its path in STINT_CHROMIUM`,
    );
  }
  return found;
}

/** A Chromium of this machine, without a window, that asks nobody anything. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    args: [
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-quic',
      '--no-first-run',
      // Chromium's sandbox refuses to run as root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
  });
}
