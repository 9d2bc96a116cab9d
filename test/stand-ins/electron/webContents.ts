import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import type { CDPSession, Page, Request as PageRequest, Route } from 'playwright-core';
import { fromChromium, toChromium } from './addresses.ts';
import { connectChromium } from './chromium.ts';
import { preventable } from './events.ts';
import { ipcMain } from './ipcMain.ts';
import { MessagePortMain } from './messagePort.ts';
import {
  CLOSE_FUNCTION,
  DELIVER_FUNCTION,
  mainWorldScript,
  preloadWorldScript,
  SEND_BINDING,
  WORLD_NAME,
  type WorldMessage,
} from './preloadWorld.ts';
import { handlerFor, session } from './session.ts';

type WindowOpenHandler = (details: { url: string }) => { action: 'deny' | 'allow' };

/** A frame as the main process sees it. Only main frames have preloads here, so none has a parent. */
interface Frame {
  readonly url: string;
  readonly origin: string;
  readonly parent: null;
}

/** One document's preload world, and the ports that live in it. */
interface World {
  readonly frame: Frame;
  readonly ports: Map<number, MessagePortMain>;
}

let lastId = 0;

export class WebContents extends EventEmitter {
  readonly id = ++lastId;
  readonly session = session.defaultSession;
  readonly #preload: string;
  #page: Page | null = null;
  #devtools: CDPSession | null = null;
  #worlds = new Map<number, World>();
  #openHandler: WindowOpenHandler = () => ({ action: 'allow' });
  /** The address that the main process itself is loading, as Chromium sees it. */
  #loading: string | null = null;
  #crashed = false;
  #opening: Promise<Page> | null = null;

  /** @param preload path of the preload's file. */
  constructor(preload: string) {
    super();
    this.#preload = preload;
  }

  setWindowOpenHandler(handler: WindowOpenHandler): void {
    this.#openHandler = handler;
  }
  getURL(): string {
    return this.#page ? fromChromium(this.#page.url()) : '';
  }
  isCrashed(): boolean {
    return this.#crashed;
  }
  async executeJavaScript(code: string): Promise<unknown> {
    return (await this.#livePage()).evaluate(code);
  }
  forcefullyCrashRenderer(): void {
    // Never answered: nobody is left to answer.
    this.#devtools?.send('Page.crash').catch(() => this.emit('stand-in-crashing'));
  }

  async loadURL(url: string): Promise<void> {
    const page = await this.#livePage();
    this.#loading = toChromium(url);
    try {
      await page.goto(this.#loading, { waitUntil: 'load' });
    } finally {
      this.#loading = null;
    }
    this.emit('did-finish-load');
  }

  async reload(): Promise<void> {
    await this.loadURL(this.getURL());
  }

  /** The page goes away with the window. */
  async discard(): Promise<void> {
    const page = this.#page;
    this.#page = null;
    this.#closeWorlds();
    if (page && !page.isClosed()) await page.close();
  }

  /** The page, opened anew if there is none or it has crashed. */
  #livePage(): Promise<Page> {
    if (this.#page && !this.#crashed) return Promise.resolve(this.#page);
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #open(): Promise<Page> {
    const { context } = await connectChromium();
    const crashed = this.#page;
    const page = await context.newPage();
    this.#page = page;
    this.#crashed = false;
    if (crashed) await crashed.close();
    await page.setViewportSize({ width: 1280, height: 820 });
    await page.route('**/*', (route) => this.#answer(page, route));
    page.on('popup', (popup) => void this.#judgePopup(popup));
    page.on('crash', () => {
      this.#crashed = true;
      this.#closeWorlds();
      this.emit('render-process-gone', preventable({}), { reason: 'crashed', exitCode: 133 });
    });
    const devtools = await context.newCDPSession(page);
    this.#devtools = devtools;
    this.#listen(page, devtools);
    await devtools.send('Page.enable');
    await devtools.send('Runtime.enable');
    await devtools.send('Runtime.addBinding', { name: SEND_BINDING, executionContextName: WORLD_NAME });
    // In this order: the page's world must be ready to receive when the preload exposes.
    await devtools.send('Page.addScriptToEvaluateOnNewDocument', { source: mainWorldScript() });
    const source = preloadWorldScript(readFileSync(this.#preload, 'utf8'));
    await devtools.send('Page.addScriptToEvaluateOnNewDocument', { source, worldName: WORLD_NAME });
    return page;
  }

  #listen(page: Page, devtools: CDPSession): void {
    devtools.on('Runtime.executionContextCreated', ({ context }) => {
      if (context.name !== WORLD_NAME) return;
      const url = fromChromium(page.url());
      const frame = {
        // Asked for when it is needed: the address is not known yet when the world is made.
        get url() {
          return page.isClosed() ? url : fromChromium(page.url());
        },
        origin: fromChromium(context.origin),
        parent: null,
      };
      this.#worlds.set(context.id, { frame, ports: new Map() });
    });
    devtools.on('Runtime.executionContextDestroyed', ({ executionContextId }) => {
      this.#closeWorld(executionContextId);
    });
    devtools.on('Runtime.executionContextsCleared', () => this.#closeWorlds());
    devtools.on('Runtime.bindingCalled', ({ name, payload, executionContextId }) => {
      const world = this.#worlds.get(executionContextId);
      if (name !== SEND_BINDING || !world) return;
      this.#receive(devtools, executionContextId, world, JSON.parse(payload) as WorldMessage);
    });
  }

  #receive(devtools: CDPSession, contextId: number, world: World, message: WorldMessage): void {
    const event = (ports: readonly MessagePortMain[]) =>
      preventable({ sender: this, senderFrame: world.frame, ports, processId: 1, frameId: 1 });
    switch (message.type) {
      case 'ipc': {
        const ports = message.ports.map((id) => {
          const call = (name: string, ...args: unknown[]): void => {
            devtools
              .send('Runtime.callFunctionOn', {
                functionDeclaration: `(...args) => ${name}(...args)`,
                executionContextId: contextId,
                arguments: args.map((value) => ({ value })),
              })
              // The document went away in between; its ports are being closed.
              .catch(() => world.ports.get(id)?.gone());
          };
          const port = new MessagePortMain(
            (data) => call(DELIVER_FUNCTION, id, data),
            () => call(CLOSE_FUNCTION, id),
          );
          world.ports.set(id, port);
          return port;
        });
        ipcMain.emit(message.channel, event(ports), message.message);
        return;
      }
      case 'ipc-send':
        this.emit('ipc-message', event([]), message.channel, ...message.args);
        ipcMain.emit(message.channel, event([]), ...message.args);
        return;
      case 'port-message':
        world.ports.get(message.port)?.receive(message.data);
        return;
      case 'port-close':
        world.ports.get(message.port)?.gone();
        return;
    }
  }

  #closeWorld(contextId: number): void {
    const world = this.#worlds.get(contextId);
    this.#worlds.delete(contextId);
    for (const port of world?.ports.values() ?? []) port.gone();
  }
  #closeWorlds(): void {
    for (const id of [...this.#worlds.keys()]) this.#closeWorld(id);
  }

  async #answer(page: Page, route: Route): Promise<void> {
    const request = route.request();
    const url = fromChromium(request.url());
    if (request.isNavigationRequest() && request.url() !== this.#loading) {
      const isMainFrame = request.frame() === page.mainFrame();
      const event = preventable({ url, isMainFrame });
      if (isMainFrame) this.emit('will-navigate', event, url);
      this.emit('will-frame-navigate', event);
      if (event.defaultPrevented) return route.abort('aborted');
    }
    if (!(await session.defaultSession.allowsRequest(url, request.method()))) {
      return route.abort('blockedbyclient');
    }
    const handler = handlerFor(url);
    if (!handler) return route.abort('addressunreachable');
    const response = await handler(new Request(url, await requestInit(request)));
    await route.fulfill({
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.from(await response.arrayBuffer()),
    });
  }

  async #judgePopup(popup: Page): Promise<void> {
    const { action } = this.#openHandler({ url: fromChromium(popup.url()) });
    if (action === 'deny') await popup.close();
  }
}

async function requestInit(request: PageRequest): Promise<RequestInit> {
  const body = request.postDataBuffer();
  return {
    method: request.method(),
    headers: await request.allHeaders(),
    ...(body && { body: new Uint8Array(body) }),
  };
}
