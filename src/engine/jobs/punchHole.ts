import { open } from 'node:fs/promises';
import { promisify } from 'node:util';

/** The file system keeps what it has: it cannot give back a part of a file. */
export class NoHolesError extends Error {
  override readonly name = 'NoHolesError';
}

type Fallocate = (fd: number, mode: number, offset: number, length: number) => Promise<number>;

const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
let loading: Promise<Fallocate> | null = null;

/** Loaded when it is first needed: most engines never cut a log. */
async function load(): Promise<Fallocate> {
  const { default: koffi } = await import('koffi');
  if (process.platform !== 'linux') throw new NoHolesError('this is known for Linux only');
  const call = koffi.load(null).func('int fallocate(int fd, int mode, int64 offset, int64 length)');
  return promisify(call.async) as Fallocate;
}

/**
 * Gives back what a file takes between two places, which read as zeros then; all other bytes stay where they are, also for
 * who has it open. Not in this thread: a gigabyte takes a while.
 * @throws {NoHolesError} where that cannot be done here.
 */
export async function punchHole(path: string, from: number, to: number): Promise<void> {
  loading ??= load();
  const fallocate = await loading;
  const file = await open(path, 'r+');
  try {
    const done = await fallocate(file.fd, KEEP_SIZE | PUNCH_HOLE, from, to - from);
    // Whatever the reason is (another thread has the number of it), the file is as it was.
    if (done !== 0) throw new NoHolesError('its file system cannot give back a part of a file');
  } finally {
    await file.close();
  }
}
