import { EventEmitter } from 'node:events';

/** What arrives from preloads, by channel. */
export const ipcMain = new EventEmitter();
