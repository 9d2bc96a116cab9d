import type { IpcMain, IpcMainEvent, MessagePortMain, WebContents } from 'electron';
import { CONNECT_MESSAGE } from '../contract/host.ts';
import type { Log } from '../engine/ports.ts';
import { APP_ORIGIN, isAppUrl } from './appOrigin.ts';

export interface IpcPortOptions {
  readonly ipcMain: Pick<IpcMain, 'on'>;
  /** Whether these are the contents of the console's own window. */
  isConsole(contents: WebContents): boolean;
  /** Speaks the contract on the port. */
  serve(port: MessagePortMain): void;
  readonly log: Log;
}

/**
 * Accepts the ports that the console's preload hands over, and nothing else: the sender must be the main frame of
 * our window, on our origin. Whatever else arrives is logged and has its ports closed.
 */
export function acceptConsolePorts(options: IpcPortOptions): void {
  options.ipcMain.on(CONNECT_MESSAGE, (event) => {
    const [port, ...surplus] = event.ports;
    const reason = refusalReason(event, options);
    if (reason !== null || port === undefined || surplus.length > 0) {
      for (const each of event.ports) each.close();
      options.log.warn('a connection to the engine was refused', {
        reason: reason ?? 'it must bring exactly one port',
        url: event.senderFrame?.url ?? '',
      });
      return;
    }
    options.serve(port);
    port.start();
  });
}

/** Logs messages on channels that nobody serves. */
export function logStrayMessages(contents: WebContents, log: Log): void {
  const stray = (_event: unknown, channel: string): void => {
    if (channel !== CONNECT_MESSAGE) log.warn('a page sent a message that nobody expects', { channel });
  };
  contents.on('ipc-message', stray);
  contents.on('ipc-message-sync', stray);
}

function refusalReason(event: IpcMainEvent, options: IpcPortOptions): string | null {
  const frame = event.senderFrame;
  if (!options.isConsole(event.sender)) return "the sender is not the console's window";
  if (frame === null) return 'the sending frame is gone';
  if (frame.parent !== null) return 'the sender is an embedded frame';
  // The origin too: a sandboxed document has our URL, but not our origin.
  if (!isAppUrl(frame.url) || frame.origin !== APP_ORIGIN) return "the sender is not on the console's origin";
  return null;
}
