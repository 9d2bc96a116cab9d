import { closeSync, openSync, readSync } from 'node:fs';

const MOST_BYTES = 4096;
const buffer = Buffer.allocUnsafe(MOST_BYTES);

/**
 * The first 4 KiB of a file, as Latin-1. For /proc, where whole lists of files are read again and again: the size of none is known
 * beforehand, for which `readFileSync` gathers pieces, at four times the cost.
 * @throws what `open` and `read` do.
 */
export function readStart(path: string): string {
  const file = openSync(path, 'r');
  try {
    return buffer.toString('latin1', 0, readSync(file, buffer, 0, MOST_BYTES, 0));
  } finally {
    closeSync(file);
  }
}
