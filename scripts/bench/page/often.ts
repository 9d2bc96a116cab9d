import type { Page } from 'playwright-core';

/** What the page was made to do, as it says itself. */
interface Readings {
  /** Messages about devices that the page was given. */
  readonly given: number;
  /** By how much its clock is ahead, ms. */
  readonly aheadMs: number;
}

/**
 * Has the page be told of its devices every `everyMs`, as if they were all in focus: the engine's last message once more, with
 * another use each time. It goes the way of every message, through the WebSocket's listeners.
 */
export async function tellOften(page: Page, everyMs: number): Promise<void> {
  await page.addInitScript(repeat, everyMs);
}

export const readingsOf = (page: Page): Promise<Readings> =>
  page.evaluate(() => {
    const { given, aheadMs } = (window as unknown as { often: Readings }).often;
    return { given, aheadMs };
  });

/**
 * Lets `seconds` pass in the page as quickly as it can draw them: in each frame a second, with the messages of one.
 * @param limitMs it stops then, wherever it is.
 */
export const hasten = (page: Page, seconds: number, limitMs: number): Promise<void> =>
  page.evaluate(
    ([seconds, limitMs]) =>
      (
        window as unknown as { often: { hasten(seconds: number, limitMs: number): Promise<void> } }
      ).often.hasten(seconds, limitMs),
    [seconds, limitMs] as const,
  );

/** Runs in the page, before anything else of it. */
function repeat(everyMs: number): void {
  const clock = Date.now.bind(Date);
  const often = { given: 0, aheadMs: 0, hasten };
  (window as unknown as { often: typeof often }).often = often;
  Date.now = () => clock() + often.aheadMs;
  let last: { socket: WebSocket; text: string } | null = null;
  const give = (): void => {
    if (last === null || last.socket.readyState !== WebSocket.OPEN) return;
    often.given += 1;
    const data = last.text
      .replace(/"atMs":\d+(\.\d+)?/g, `"atMs":${Date.now()}`)
      .replace(/"utilisation":[^,]+/g, () => `"utilisation":${Math.random().toFixed(3)}`);
    last.socket.dispatchEvent(new MessageEvent('message', { data }));
  };
  async function hasten(seconds: number, limitMs: number): Promise<void> {
    const startMs = performance.now();
    for (let i = 0; i < seconds && performance.now() - startMs < limitMs; i++) {
      for (let at = 0; at < 1000; at += everyMs) {
        often.aheadMs += everyMs;
        give();
      }
      await new Promise(requestAnimationFrame);
    }
  }
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...given: ConstructorParameters<typeof Native>) {
      super(...given);
      this.addEventListener('message', ({ data, isTrusted }) => {
        // Those that are repeated are not the engine's.
        if (!isTrusted || typeof data !== 'string' || !data.includes('"type":"devices"')) return;
        last = { socket: this, text: data };
        often.given += 1;
      });
    }
  };
  setInterval(give, everyMs);
}
