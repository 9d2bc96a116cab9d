/** Rows of jobs, the one with the least key first; ties go by row. The keys must not change while a row is inside. */
export class JobHeap {
  readonly #keys: Float64Array;
  readonly #rows: number[] = [];

  /** @param keys one a row, kept by the caller. */
  constructor(keys: Float64Array) {
    this.#keys = keys;
  }

  get size(): number {
    return this.#rows.length;
  }

  /** The first row; only to be asked for while there is one. */
  get first(): number {
    return this.#rows[0]!;
  }

  add(row: number): void {
    const rows = this.#rows;
    let at = rows.length;
    rows.push(row);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(row, rows[parent]!)) break;
      rows[at] = rows[parent]!;
      at = parent;
    }
    rows[at] = row;
  }

  /** Takes the first row out; only while there is one. */
  take(): number {
    const rows = this.#rows;
    const first = rows[0]!;
    const row = rows.pop()!;
    const size = rows.length;
    if (size === 0) return first;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && this.#before(rows[child + 1]!, rows[child]!)) child++;
      if (!this.#before(rows[child]!, row)) break;
      rows[at] = rows[child]!;
      at = child;
    }
    rows[at] = row;
    return first;
  }

  #before(a: number, b: number): boolean {
    const keyA = this.#keys[a]!;
    const keyB = this.#keys[b]!;
    return keyA < keyB || (keyA === keyB && a < b);
  }
}
