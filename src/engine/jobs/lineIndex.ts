import { type FileHandle, open, readFile, rename, writeFile } from 'node:fs/promises';
import { setImmediate as breath } from 'node:timers/promises';
import type { LogGap } from '../../domain/logGap.ts';

/** So many bytes lie between two places whose line is known; what is dropped from a log are whole such steps. */
export const STEP_BYTES = 4 * 1024 * 1024;
const LINE_FEED = 0x0a;

/**
 * Where a line of a log begins. What was counted is kept beside the log (`lines`), so that a long one is read whole once
 * at most, and from then on only what was added.
 * @param line from 1; negative: so many before the end, of which the first is meant.
 * @param gap what of the log is not kept: a line in it is where the rest begins. Its lines were counted before.
 * @returns bytes from the start; null: the log has fewer lines.
 */
export async function offsetOfLine(
  path: string,
  line: number,
  gap: LogGap | null = null,
): Promise<number | null> {
  if (line === 1) return 0;
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    // Nothing was written yet, or it never ran.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { size } = await file.stat();
    if (line < 0) return await fromEnd(file, size, -line, gap?.to ?? 0);
    const counts = await readIndex(path);
    const known = counts.length;
    const buffer = Buffer.alloc(STEP_BYTES);
    /** Line feeds before `step`. */
    const before = (step: number): number => (step === 0 ? 0 : counts[step - 1]!);
    // The last step whose beginning is known to lie before the line.
    let step = counts.findIndex((count) => count >= line - 1);
    if (step < 0) step = counts.length;
    for (; step * STEP_BYTES < size; step++) {
      const missing = gap !== null && step * STEP_BYTES >= gap.from && step * STEP_BYTES < gap.to;
      if (missing && (counts[step] ?? 0) >= line - 1) return gap.to;
      const { bytesRead } = await file.read(buffer, 0, STEP_BYTES, step * STEP_BYTES);
      let feeds = before(step);
      for (
        let at = buffer.indexOf(LINE_FEED);
        at >= 0 && at < bytesRead;
        at = buffer.indexOf(LINE_FEED, at + 1)
      ) {
        if (++feeds < line - 1) continue;
        if (counts.length > known) await writeIndex(path, counts);
        return step * STEP_BYTES + at + 1;
      }
      // Only a whole step will never change.
      if (bytesRead < STEP_BYTES) break;
      counts[step] = feeds;
      await breath();
    }
    if (counts.length > known) await writeIndex(path, counts);
    return null;
  } finally {
    await file.close();
  }
}

/** Where the last `lines` begin; at `least` if there are no more from there on. What follows the last line feed counts as a line. */
async function fromEnd(file: FileHandle, size: number, lines: number, least: number): Promise<number> {
  const buffer = Buffer.alloc(Math.min(size, STEP_BYTES));
  let left = lines;
  for (let end = size; end > least; end = Math.max(least, end - STEP_BYTES)) {
    const from = Math.max(least, end - STEP_BYTES);
    await file.read(buffer, 0, end - from, from);
    for (let at = end - from; ; ) {
      at = at === 0 ? -1 : buffer.lastIndexOf(LINE_FEED, at - 1);
      if (at < 0) break;
      // That of the last line ends it.
      if (from + at === size - 1) continue;
      if (--left === 0) return from + at + 1;
    }
    await breath();
  }
  return least;
}

const indexOf = (path: string): string => path.replace(/output\.log$/, 'lines');

async function readIndex(path: string): Promise<number[]> {
  try {
    const counts: unknown = JSON.parse(await readFile(indexOf(path), 'utf8'));
    return Array.isArray(counts) ? counts.map(Number) : [];
  } catch {
    // Not there, or cut short: it is made again.
    return [];
  }
}

async function writeIndex(path: string, counts: readonly number[]): Promise<void> {
  try {
    await writeFile(`${indexOf(path)}.tmp`, JSON.stringify(counts));
    await rename(`${indexOf(path)}.tmp`, indexOf(path));
  } catch {
    // A full disk: it is only slower the next time.
  }
}
