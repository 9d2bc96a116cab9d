import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn, UNFINISHED, writePrivateFile } from '../privateFile.ts';

/**
 * Where secrets of jobs lie: a file a submission, readable by its owner alone, and nowhere else. It is called as the
 * submission's first job.
 */
export class SecretVault {
  readonly #dir: string;

  /** @param dir made when it is needed. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Whole or not at all, and on disk when it returns. */
  write(id: number, values: readonly string[]): void {
    writePrivateFile(this.#path(id), JSON.stringify({ values }));
  }

  /** null: nothing is kept under that number. */
  read(id: number): readonly string[] | null {
    let text: string;
    try {
      text = readFileSync(this.#path(id), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    const { values } = JSON.parse(text) as { values: string[] };
    return values;
  }

  forget(id: number): void {
    rmSync(this.#path(id), { force: true });
  }

  /** Numbers under which something is kept. What a death left half written is removed. */
  ids(): number[] {
    const names = namesIn(this.#dir);
    for (const name of names) if (name.endsWith(UNFINISHED)) rmSync(join(this.#dir, name), { force: true });
    return names.flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? []).map(Number);
  }

  #path(id: number): string {
    return join(this.#dir, `${id}.json`);
  }
}
