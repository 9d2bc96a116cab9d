import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { LogLine } from '../../domain/diagnosis.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * The end of a log in lines, oldest first: what stands between two line feeds or carriage returns, empty ones left
 * out. Invalid UTF-8 is replaced. Reads at most `bytes`, so that the first line may lack its beginning.
 * @returns none where there is no log.
 */
export function readLogTail(path: string, bytes: number): LogLine[] {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    // Nothing was written: it never ran.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    const from = Math.max(0, size - bytes);
    const buffer = Buffer.alloc(size - from);
    return splitLines(buffer.subarray(0, readSync(file, buffer, 0, buffer.length, from)), from);
  } finally {
    closeSync(file);
  }
}

function splitLines(bytes: Buffer, from: number): LogLine[] {
  const lines: LogLine[] = [];
  let number = 1;
  let begin = 0;
  for (let at = 0; at <= bytes.length; at++) {
    const byte = bytes[at];
    if (byte !== undefined && byte !== LINE_FEED && byte !== CARRIAGE_RETURN) continue;
    if (at > begin) {
      const text = bytes.toString('utf8', begin, at);
      lines.push({ text, offset: from + begin, number: from === 0 ? number : null });
    }
    if (byte === LINE_FEED) number += 1;
    begin = at + 1;
  }
  return lines;
}
