import { type FileHandle, open, stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogChunk } from '../../contract/messages.ts';

const FOLLOW_INTERVAL_MS = 150;
const FOLLOW_CHUNK_BYTES = 256 * 1024;

/**
 * A piece of a log.
 * @param offset bytes from the start; negative: from the end.
 * @param over whether the job has ended, so that the end of the file is the end of the log.
 */
export async function readLog(
  path: string,
  offset: number,
  limitBytes: number,
  over: boolean,
): Promise<LogChunk> {
  const size = await sizeOf(path);
  const from = start(offset, size);
  const bytes = await readAt(path, from, Math.min(limitBytes, size - from));
  // A character cut at the end of the piece belongs to the next one.
  const whole = over && from + bytes.length >= size ? bytes.length : wholeCharacters(bytes);
  const nextOffset = from + whole;
  return {
    text: bytes.toString('utf8', 0, whole),
    offset: from,
    nextOffset,
    size,
    end: over && nextOffset >= size,
  };
}

/**
 * A log from `offset` on, as it grows, until the job is over and everything was read, or until aborted.
 * @param pathNow where the log is; it changes when the job is launched, or launched again.
 * @param isOver asked before each look at the file.
 */
export async function* followLog(
  pathNow: () => string,
  offset: number,
  isOver: () => boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogChunk> {
  let path = pathNow();
  let position = start(offset, await sizeOf(path));
  const decoder = new StringDecoder('utf8');
  for (;;) {
    signal?.throwIfAborted();
    const over = isOver();
    if (path !== pathNow()) {
      path = pathNow();
      position = 0;
    }
    const size = await sizeOf(path);
    const bytes = await readAt(path, position, Math.min(FOLLOW_CHUNK_BYTES, Math.max(0, size - position)));
    const from = position;
    position += bytes.length;
    const end = over && position >= size;
    const text = decoder.write(bytes) + (end ? decoder.end() : '');
    if (text !== '' || end) yield { text, offset: from, nextOffset: position, size, end };
    if (end) return;
    if (bytes.length < FOLLOW_CHUNK_BYTES)
      await sleep(FOLLOW_INTERVAL_MS, undefined, signal ? { signal } : {});
  }
}

function start(offset: number, size: number): number {
  return Math.min(size, Math.max(0, offset < 0 ? size + offset : offset));
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    // Nothing was written yet, or it never ran.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

async function readAt(path: string, from: number, length: number): Promise<Buffer> {
  if (length <= 0) return Buffer.alloc(0);
  let file: FileHandle | null = null;
  try {
    file = await open(path, 'r');
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file?.close();
  }
}

/** Length of the prefix that ends between two UTF-8 characters. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
