import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type NotifyTarget, notifyTargetSchema } from '../../domain/notifyRule.ts';
import { namesIn, writePrivateFile } from '../privateFile.ts';

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
    writePrivateFile(this.#path(name), JSON.stringify(target));
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
    for (const file of namesIn(this.#directory)) {
      if (!names.has(file.replace(/\.json$/, ''))) rmSync(join(this.#directory, file), { force: true });
    }
  }

  #path(name: string): string {
    return join(this.#directory, `${name}.json`);
  }
}
