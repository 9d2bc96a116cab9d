import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { CONNECT_MESSAGE, HOST_KEY, type StintHost } from '../contract/host.ts';

/**
 * The one thing that crosses from the page to the main process: a message port, from this very window and its
 * own origin. Everything after that is the contract, which the engine validates.
 */
function forwardPort(event: MessageEvent): void {
  if (event.source !== window || event.origin !== location.origin) return;
  const data: unknown = event.data;
  if (typeof data !== 'object' || data === null || !('type' in data) || data.type !== CONNECT_MESSAGE) return;
  const [port] = event.ports;
  if (port === undefined || event.ports.length !== 1) return;
  window.removeEventListener('message', forwardPort);
  ipcRenderer.postMessage(CONNECT_MESSAGE, null, [port]);
}

const host: StintHost = {
  platform: 'desktop',
  // Adding the same listener twice is adding it once.
  connect: () => window.addEventListener('message', forwardPort),
  pathOf: (file) => webUtils.getPathForFile(file as File),
};
contextBridge.exposeInMainWorld(HOST_KEY, host);
