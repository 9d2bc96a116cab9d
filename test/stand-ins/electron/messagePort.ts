import { EventEmitter } from 'node:events';
import type { Carried } from './preloadWorld.ts';

/** The main process's end of a port whose other end lives in a page. Holds messages until it is started. */
export class MessagePortMain extends EventEmitter {
  readonly #deliver: (data: Carried) => void;
  readonly #shut: () => void;
  #started = false;
  #closed = false;
  #held: unknown[] = [];

  constructor(deliver: (data: Carried) => void, shut: () => void) {
    super();
    this.#deliver = deliver;
    this.#shut = shut;
  }

  postMessage(message: unknown): void {
    if (this.#closed) return;
    if (typeof message === 'string') this.#deliver({ text: message });
    else if (message instanceof Uint8Array) this.#deliver({ bytes: Buffer.from(message).toString('base64') });
    else throw new TypeError('the stand-in carries text and bytes only');
  }

  start(): void {
    this.#started = true;
    const held = this.#held;
    this.#held = [];
    for (const data of held) this.emit('message', { data, ports: [] });
  }

  close(): void {
    if (this.#closed) return;
    this.#shut();
    this.gone();
  }

  /** From the page. */
  receive(carried: Carried): void {
    const data = 'text' in carried ? carried.text : new Uint8Array(Buffer.from(carried.bytes, 'base64'));
    if (this.#started) this.emit('message', { data, ports: [] });
    else this.#held.push(data);
  }

  /** The other end, or its page, is gone. */
  gone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.emit('close');
  }
}
