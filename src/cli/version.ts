import { readFileSync } from 'node:fs';

/** Read from the file, because the engine's own constant is not the client's to import. */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version?: unknown }).version);
}
