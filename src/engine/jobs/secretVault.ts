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
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    const beside = `${this.#path(id)}.tmp`;
    rmSync(beside, { force: true });
    const file = openSync(beside, 'wx', 0o600);
    try {
      const bytes = Buffer.from(JSON.stringify({ values }));
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, this.#path(id));
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
    let names: string[];
    try {
      names = readdirSync(this.#dir);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    for (const name of names) if (name.endsWith('.tmp')) rmSync(join(this.#dir, name), { force: true });
    return names.flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? []).map(Number);
  }

  #path(id: number): string {
    return join(this.#dir, `${id}.json`);
  }
}
