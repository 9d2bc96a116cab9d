import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { messageOf } from '../domain/errors.ts';
import { withoutSecrets } from '../domain/secrets.ts';
import type { Log } from './ports.ts';

const MAX_BYTES = 4 * 1024 * 1024;

export interface EngineLog extends Log {
  close(): void;
}

/**
 * A log file that never grows past 4 MiB: the one before is kept as `PATH.1`. Warnings and errors also go to
 * stderr. Secrets are left out of all of it. A full disk silences the file, not the engine.
 */
export function openEngineLog(path: string, stderr: (line: string) => void, nowMs: () => number): EngineLog {
  let file = openSync(path, 'a', 0o600);
  let size = fstatSync(file).size;
  let broken = false;

  const append = (line: string): void => {
    try {
      if (size > MAX_BYTES) {
        closeSync(file);
        renameSync(path, `${path}.1`);
        file = openSync(path, 'a', 0o600);
        size = 0;
      }
      size += writeSync(file, line);
      broken = false;
    } catch (error) {
      if (!broken) stderr(`the log ${path} cannot be written (${messageOf(error)}); going on without it`);
      broken = true;
    }
  };
  const write = (level: string, message: string, detail?: Readonly<Record<string, unknown>>): void => {
    const rest = detail && Object.keys(detail).length > 0 ? ` ${JSON.stringify(detail)}` : '';
    const text = withoutSecrets(`${message}${rest}`);
    append(`${new Date(nowMs()).toISOString()} ${level} ${text.replace(/[\r\n]+/g, ' ')}\n`);
    if (level !== 'info') stderr(text);
  };
  return {
    info: (message, detail) => write('info', message, detail),
    warn: (message, detail) => write('warn', message, detail),
    error: (message, detail) => write('error', message, detail),
    close: () => closeSync(file),
  };
}
