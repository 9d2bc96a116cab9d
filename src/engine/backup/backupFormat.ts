import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { messageOf, UnavailableError } from '../../domain/errors.ts';

/**
 * A backup is a gzip file. In it: a line of JSON about the whole (`BackupHead`), for each file a line of JSON
 * (`BackupEntry`) and then its bytes, and last a line with the number of entries and the SHA-256 of all before it. Not
 * tar, because names of any length and characters are to come back as they were.
 */
export const BACKUP_FORMAT = 1;

const headSchema = z.object({
  stint: z.literal('backup'),
  format: z.int(),
  /** Of the Stint that wrote it, and of its database. */
  version: z.string(),
  schema: z.int(),
  createdAtMs: z.number(),
  host: z.string(),
  home: z.string(),
  bootId: z.string(),
  jobs: z.int(),
  /** Jobs that had a process then. */
  live: z.array(z.int()),
});
export type BackupHead = z.output<typeof headSchema>;

/** Forward, below the directory, and with no way out of it. */
const pathSchema = z
  .string()
  .min(1)
  .refine(
    (path) =>
      !path.includes('\0') && !path.split('/').some((part) => part === '' || part === '.' || part === '..'),
  );
const common = { path: pathSchema, mode: z.int().min(0).max(0o777) };
const entrySchema = z.discriminatedUnion('type', [
  z.object({ ...common, type: z.literal('file'), size: z.int().min(0), mtimeMs: z.number() }),
  z.object({ ...common, type: z.literal('directory') }),
  z.object({ ...common, type: z.literal('link'), to: z.string().min(1) }),
]);
export type BackupEntry = z.output<typeof entrySchema>;

const endSchema = z.object({ entries: z.int(), sha256: z.string() });

/** The bytes of a backup, before they are compressed. */
export async function* backupBytes(
  head: BackupHead,
  entries: AsyncIterable<{ readonly entry: BackupEntry; readonly bytes: AsyncIterable<Buffer> | null }>,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  const counted = (bytes: Buffer): Buffer => {
    hash.update(bytes);
    return bytes;
  };
  const line = (value: object): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);
  yield counted(line(head));
  let count = 0;
  for await (const { entry, bytes } of entries) {
    count++;
    yield counted(line(entry));
    if (bytes !== null) for await (const piece of bytes) yield counted(piece);
  }
  yield line({ entries: count, sha256: hash.digest('hex') });
}

export interface BackupReader {
  /** Before anything else; may refuse it. */
  head(head: BackupHead): void;
  /** @param bytes of a file; whoever does not want them leaves them. */
  entry(entry: BackupEntry, bytes: AsyncIterable<Buffer>): Promise<void>;
}

/**
 * Reads a backup to its end.
 * @returns the number of entries.
 * @throws {UnavailableError} where it is no backup, of a newer format, cut off, or damaged: known for sure only at its end.
 */
export async function readBackup(file: string, reader: BackupReader): Promise<number> {
  const wrong = (problem: string): UnavailableError =>
    new UnavailableError(
      `${file} cannot be restored: ${problem}`,
      'take another backup; nothing was changed',
    );
  const source = createReadStream(file);
  const unpacked = source.pipe(createGunzip());
  source.on('error', (error) => unpacked.destroy(error));
  const input = new Input(unpacked);
  try {
    const head = headSchema.safeParse(json(await input.line()));
    if (!head.success) throw wrong('it is no backup of Stint');
    if (head.data.format !== BACKUP_FORMAT) throw wrong(`it is of a newer Stint (${head.data.version})`);
    reader.head(head.data);
    for (let count = 0; ; count++) {
      const before = input.digest();
      const value = json(await input.line());
      const end = endSchema.safeParse(value);
      if (end.success) {
        if (end.data.sha256 !== before || end.data.entries !== count) throw wrong('it is damaged');
        return count;
      }
      const entry = entrySchema.safeParse(value);
      if (!entry.success) throw wrong('it is damaged');
      const bytes = input.bytes(entry.data.type === 'file' ? entry.data.size : 0);
      await reader.entry(entry.data, bytes);
      // What was left.
      for await (const _rest of bytes);
    }
  } catch (error) {
    if (error instanceof UnavailableError) throw error;
    const { code } = error as { code?: string };
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR')
      throw wrong(`it cannot be read (${code})`);
    if (code?.startsWith('Z_') || error instanceof CutOff)
      throw wrong(`it is damaged or cut off (${messageOf(error)})`);
    throw error;
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}

function json(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // Whoever asked sees that it is not what it should be.
    return null;
  }
}

class CutOff extends Error {}
/** No line of a backup is longer. */
const LONGEST_LINE = 1024 * 1024;

/** Lines and bytes of a stream, in turn, with a digest of all that was taken. */
class Input {
  readonly #source: AsyncIterator<Buffer>;
  readonly #hash = createHash('sha256');
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  async line(): Promise<string> {
    for (;;) {
      const at = this.#held.indexOf(0x0a);
      if (at >= 0) return this.#take(at + 1).toString('utf8', 0, at);
      if (this.#held.length > LONGEST_LINE || !(await this.#more())) throw new CutOff('a line has no end');
    }
  }

  async *bytes(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; ) {
      if (this.#held.length === 0 && !(await this.#more())) throw new CutOff(`${left} bytes are missing`);
      const piece = this.#take(Math.min(left, this.#held.length));
      left -= piece.length;
      yield piece;
    }
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done) return false;
    this.#held = this.#held.length === 0 ? next.value : Buffer.concat([this.#held, next.value]);
    return true;
  }

  #take(length: number): Buffer {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    this.#hash.update(taken);
    return taken;
  }
}
