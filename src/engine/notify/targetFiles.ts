import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type NotifyTarget, notifyTargetSchema } from '../../domain/notifyRule.ts';

/**
 * Addresses and secrets of rules, each in a file that only its owner may read: they stay out of the database, which is
 * copied and looked into more often.
 */
export class TargetFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The file is there whole or not at all. */
  write(name: string, target: NotifyTarget): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const beside = join(this.#directory, `.${name}.tmp`);
    rmSync(beside, { force: true });
    const file = openSync(beside, 'wx', 0o600);
    try {
      writeSync(file, JSON.stringify(target));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, this.#path(name));
  }

  /** @throws if it is gone or was changed to something else. */
  read(name: string): NotifyTarget {
    return notifyTargetSchema.parse(JSON.parse(readFileSync(this.#path(name), 'utf8')));
  }

  remove(name: string): void {
    rmSync(this.#path(name), { force: true });
  }

  /** Removes what belongs to no rule: left by an engine that was killed in between. */
  keepOnly(names: ReadonlySet<string>): void {
    let files: string[];
    try {
      files = readdirSync(this.#directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    for (const file of files) {
      if (!names.has(file.replace(/\.json$/, ''))) rmSync(join(this.#directory, file), { force: true });
    }
  }

  #path(name: string): string {
    return join(this.#directory, `${name}.json`);
  }
}
