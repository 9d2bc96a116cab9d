/**
 * What the desktop's preload puts on `window` for the console, and nothing more: data goes over the port.
 *
 * To connect, the console makes a MessageChannel and posts `{ type: CONNECT_MESSAGE }` with one of its ports to
 * its own window; the preload hands that port to the main process, and the console speaks the contract on the
 * other.
 */
export interface StintHost {
  readonly platform: 'desktop';
  /** Asks the preload to listen for the port that the next message brings. Call it before posting. */
  connect(): void;
  /** Where a file lies that a person dropped or chose; empty: it lies nowhere. `file`: the page's `File`. */
  pathOf(file: object): string;
}

/** Name on `window` under which the preload exposes the host. Absent in a browser. */
export const HOST_KEY = 'stintHost';

/** `type` of the window message that carries the port. */
export const CONNECT_MESSAGE = 'stint:connect';
