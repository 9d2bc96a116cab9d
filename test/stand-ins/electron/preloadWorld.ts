/**
 * The scripts that run in the page before its own: one in the page's world, which receives what the context
 * bridge exposes, and one in the preload's world, which gives it `require('electron')`. They talk through DOM
 * events, which both worlds see, at once and with text only.
 */

/** Name of the world, as in Electron. */
export const WORLD_NAME = 'Electron Isolated Context';
/** Calls the main process; exists in the preload's world only. */
export const SEND_BINDING = '__standInSend';
/** Called by the main process; exist in the preload's world only. */
export const DELIVER_FUNCTION = '__standInDeliver';
export const CLOSE_FUNCTION = '__standInClose';

/** What the preload's world tells the main process. Ports are numbers; bytes are `{ bytes: base64 }`. */
export type WorldMessage =
  | { readonly type: 'ipc'; readonly channel: string; readonly message: unknown; readonly ports: number[] }
  | { readonly type: 'ipc-send'; readonly channel: string; readonly args: unknown[] }
  | { readonly type: 'port-message'; readonly port: number; readonly data: Carried }
  | { readonly type: 'port-close'; readonly port: number };
export type Carried = { readonly text: string } | { readonly bytes: string };

export function mainWorldScript(): string {
  return `(${receiveExposed.toString()})();`;
}

/** @param preload source of the preload, a CommonJS module. */
export function preloadWorldScript(preload: string): string {
  const names = { send: SEND_BINDING, deliver: DELIVER_FUNCTION, close: CLOSE_FUNCTION };
  return `(${runPreload.toString()})(${JSON.stringify(names)}, function (require, module, exports) {\n${preload}\n});`;
}

// The two functions below are turned into text: they may use nothing from outside themselves.

function receiveExposed(): void {
  if (window !== window.top) return;
  type Shape = { value?: unknown; call?: number; fields?: Record<string, Shape> };
  const call = (id: number, args: unknown[]): unknown => {
    let result: unknown;
    const take = (event: Event): void => {
      result = JSON.parse((event as CustomEvent<string>).detail);
    };
    window.addEventListener('stand-in-result', take);
    window.dispatchEvent(new CustomEvent('stand-in-call', { detail: JSON.stringify({ id, args }) }));
    window.removeEventListener('stand-in-result', take);
    return result;
  };
  const build = (shape: Shape): unknown => {
    const { call: id, fields } = shape;
    if (id !== undefined) return (...args: unknown[]) => call(id, args);
    if (!fields) return shape.value;
    return Object.freeze(
      Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, build(field)])),
    );
  };
  const expose = (event: Event): void => {
    const { key, shape } = JSON.parse((event as CustomEvent<string>).detail) as { key: string; shape: Shape };
    Object.defineProperty(window, key, { value: build(shape), enumerable: true });
  };
  window.addEventListener('stand-in-expose', expose);
  window.addEventListener(
    'stand-in-preload-done',
    () => window.removeEventListener('stand-in-expose', expose),
    { once: true },
  );
}

function runPreload(
  names: { send: string; deliver: string; close: string },
  preload: (require: (name: string) => unknown, module: { exports: object }, exports: object) => void,
): void {
  if (window !== window.top) return;
  const world = globalThis as unknown as Record<string, unknown>;
  const send = (message: unknown): void =>
    (world[names.send] as (text: string) => void)(JSON.stringify(message));

  const ports = new Map<number, MessagePort>();
  const carry = (data: unknown): unknown => {
    if (typeof data === 'string') return { text: data };
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
    if (!(bytes instanceof Uint8Array)) throw new TypeError('the stand-in carries text and bytes only');
    return { bytes: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')) };
  };
  const adopt = (port: MessagePort): number => {
    const id = ports.size + 1;
    ports.set(id, port);
    port.addEventListener('message', (event) =>
      send({ type: 'port-message', port: id, data: carry(event.data) }),
    );
    port.addEventListener('close', () => send({ type: 'port-close', port: id }));
    port.start();
    return id;
  };
  world[names.deliver] = (id: number, data: { text: string } | { bytes: string }): void => {
    const payload =
      'text' in data ? data.text : Uint8Array.from(atob(data.bytes), (letter) => letter.charCodeAt(0));
    ports.get(id)?.postMessage(payload);
  };
  world[names.close] = (id: number): void => ports.get(id)?.close();

  const calls: ((...args: unknown[]) => unknown)[] = [];
  const describe = (value: unknown): unknown => {
    if (typeof value === 'function') return { call: calls.push(value as (typeof calls)[number]) - 1 };
    if (typeof value !== 'object' || value === null) return { value };
    if (Array.isArray(value)) return { value };
    return {
      fields: Object.fromEntries(Object.entries(value).map(([key, field]) => [key, describe(field)])),
    };
  };
  window.addEventListener('stand-in-call', (event) => {
    const { id, args } = JSON.parse((event as CustomEvent<string>).detail) as { id: number; args: unknown[] };
    const result = calls[id]?.(...args);
    const detail = JSON.stringify(result === undefined ? null : result);
    window.dispatchEvent(new CustomEvent('stand-in-result', { detail }));
  });

  const electron = {
    contextBridge: {
      exposeInMainWorld: (key: string, api: unknown): void => {
        const detail = JSON.stringify({ key, shape: describe(api) });
        window.dispatchEvent(new CustomEvent('stand-in-expose', { detail }));
      },
    },
    ipcRenderer: {
      postMessage: (channel: string, message: unknown, transfer: MessagePort[] = []): void =>
        send({ type: 'ipc', channel, message, ports: transfer.map(adopt) }),
      send: (channel: string, ...args: unknown[]): void => send({ type: 'ipc-send', channel, args }),
    },
    // Files do not get across; as Electron says of one that lies nowhere.
    webUtils: { getPathForFile: (): string => '' },
  };
  const require = (name: string): unknown => {
    if (name === 'electron') return electron;
    throw new Error(`module not found: ${name}; a sandboxed preload can require electron only`);
  };
  const module = { exports: {} };
  preload(require, module, module.exports);
  window.dispatchEvent(new CustomEvent('stand-in-preload-done'));
}
