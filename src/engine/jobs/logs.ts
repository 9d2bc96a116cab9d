import { type FileHandle, open, stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogChunk } from '../../contract/messages.ts';
import { gapText, type LogGap } from '../../domain/logGap.ts';

const FOLLOW_INTERVAL_MS = 150;
/** Strings above 128 KiB are several times as dear a byte: each takes pages of its own in the heap. */
const FOLLOW_CHUNK_BYTES = 64 * 1024;

/**
 * A piece of a log. Where it begins in what is not kept any more, a line says so, and the piece stands for all of that.
 * @param offset bytes from the start; negative: from the end.
 * @param over whether the job has ended, so that the end of the file is the end of the log.
 */
export async function readLog(
  path: string,
  offset: number,
  limitBytes: number,
  over: boolean,
  gap: LogGap | null,
): Promise<LogChunk> {
  const size = Math.max(await sizeOf(path), gap?.to ?? 0);
  const begin = start(offset, size);
  const missing = gap !== null && begin >= gap.from && begin < gap.to ? gap : null;
  const from = missing?.to ?? begin;
  const before = gap !== null && begin < gap.from ? gap.from : size;
  const until = Math.min(before, Math.max(from, begin + limitBytes));
  const bytes = await readAt(path, from, until - from);
  // A character cut at the end of the piece belongs to the next one, where there is one.
  const last = from + bytes.length;
  const whole =
    (over && last >= size) || (before < size && last >= before) ? bytes.length : wholeCharacters(bytes);
  const nextOffset = from + whole;
  return {
    text: (missing === null ? '' : gapText(missing)) + bytes.toString('utf8', 0, whole),
    offset: missing?.from ?? begin,
    nextOffset,
    size,
    end: over && nextOffset >= size,
    dropped: missing === null ? 0 : missing.to - missing.from,
  };
}

/**
 * A log from `offset` on, as it grows, until the job is over and everything was read, or until aborted.
 * @param pathNow where the log is; it changes when the job is launched, or launched again.
 * @param gapNow what of it is not kept.
 * @param isOver asked before each look at the file.
 */
export async function* followLog(
  pathNow: () => string,
  gapNow: () => LogGap | null,
  offset: number,
  isOver: () => boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogChunk> {
  let path = pathNow();
  let position = start(offset, Math.max(await sizeOf(path), gapNow()?.to ?? 0));
  let decoder = new StringDecoder('utf8');
  // Kept open: to open it for each piece is most of what a piece costs.
  let file: FileHandle | null = null;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const over = isOver();
      if (path !== pathNow()) {
        path = pathNow();
        position = 0;
        await file?.close();
        file = null;
      }
      file ??= await openIfThere(path);
      const gap = gapNow();
      const size = Math.max(file === null ? 0 : (await file.stat()).size, gap?.to ?? 0);
      if (gap !== null && position >= gap.from && position < gap.to) {
        position = gap.to;
        decoder = new StringDecoder('utf8');
        const end = over && position >= size;
        const { from, to } = gap;
        yield { text: gapText(gap), offset: from, nextOffset: to, size, end, dropped: to - from };
        if (end) return;
        continue;
      }
      const until = gap !== null && position < gap.from ? gap.from : size;
      const length = Math.min(FOLLOW_CHUNK_BYTES, Math.max(0, until - position));
      const bytes = await piece(file, position, length);
      // It was cut short under the reader's hands: what was read may be the hole.
      const cut = gapNow();
      if (cut !== null && cut.to !== gap?.to && position >= cut.from && position < cut.to) continue;
      const from = position;
      position += bytes.length;
      const end = over && position >= size;
      const text = decoder.write(bytes) + (end ? decoder.end() : '');
      if (text !== '' || end) yield { text, offset: from, nextOffset: position, size, end, dropped: 0 };
      if (end) return;
      if (bytes.length < FOLLOW_CHUNK_BYTES && position >= size)
        await sleep(FOLLOW_INTERVAL_MS, undefined, signal ? { signal } : {});
    }
  } finally {
    await file?.close();
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

/** Null: nothing was written yet, or it never ran. */
async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function readAt(path: string, from: number, length: number): Promise<Buffer> {
  if (length <= 0) return Buffer.alloc(0);
  const file = await open(path, 'r');
  try {
    return await piece(file, from, length);
  } finally {
    await file.close();
  }
}

async function piece(file: FileHandle | null, from: number, length: number): Promise<Buffer> {
  if (file === null || length <= 0) return Buffer.alloc(0);
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, from);
  return buffer.subarray(0, bytesRead);
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
