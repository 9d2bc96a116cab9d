import { closeSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { FieldError, messageOf } from '../domain/errors.ts';

/**
 * A file that appears whole or not at all: it is written beside its place and moved there at the end. A place that is
 * no regular file (a pipe, a terminal) is written to as it is.
 */
export class OutputFile {
  readonly #path: string;
  readonly #flag: string;
  readonly #aside: string | null;
  readonly #descriptor: number;
  #open = true;

  /**
   * @param flag how errors call it.
   * @throws {FieldError} at once where it could not be written.
   */
  constructor(flag: string, path: string) {
    this.#flag = flag;
    this.#path = path;
    try {
      const there = statSync(path, { throwIfNoEntry: false });
      if (there?.isDirectory()) throw new FieldError(flag, path, 'name a file, not a folder');
      this.#aside = there === undefined || there.isFile() ? `${path}.${process.pid}.part` : null;
      // Whoever may not write the file shall not replace it either.
      if (there?.isFile()) closeSync(openSync(path, 'r+'));
      this.#descriptor = openSync(this.#aside ?? path, 'w');
    } catch (error) {
      throw this.#trouble(error);
    }
  }

  /** @throws {FieldError} naming the flag, such as on a full disk. */
  write(text: string): void {
    try {
      let rest = Buffer.from(text);
      while (rest.length > 0) rest = rest.subarray(writeSync(this.#descriptor, rest));
    } catch (error) {
      throw this.#trouble(error);
    }
  }

  /** Puts the file in its place. */
  keep(): void {
    this.#close();
    try {
      if (this.#aside !== null) renameSync(this.#aside, this.#path);
    } catch (error) {
      throw this.#trouble(error);
    }
  }

  /** Leaves nothing behind, unless it was kept. */
  discard(): void {
    this.#close();
    if (this.#aside !== null) rmSync(this.#aside, { force: true });
  }

  #close(): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }

  #trouble(error: unknown): FieldError {
    if (error instanceof FieldError) return error;
    const why = (error as NodeJS.ErrnoException).code ?? messageOf(error);
    return new FieldError(this.#flag, this.#path, `name a file that can be written (${why})`);
  }
}
