import { JobHeap } from './jobHeap.ts';

/**
 * The queue, as one heap a number of GPUs: whoever is first among those that fit is then found without looking at
 * those that do not.
 */
export class WaitingJobs {
  readonly #keys: Float64Array;
  readonly #gpus: Int32Array;
  /** By number of GPUs, ascending. */
  readonly #heaps: { readonly gpus: number; readonly heap: JobHeap }[];
  readonly #heapOf: ReadonlyMap<number, JobHeap>;
  #size = 0;

  /**
   * @param keys one a row: the order. Must not change while a row is inside.
   * @param gpus one a row.
   * @param most no row with more GPUs will be added.
   */
  constructor(keys: Float64Array, gpus: Int32Array, most: number) {
    this.#keys = keys;
    this.#gpus = gpus;
    const sizes = [...new Set(gpus)].filter((size) => size <= most).sort((a, b) => a - b);
    this.#heaps = sizes.map((size) => ({ gpus: size, heap: new JobHeap(keys) }));
    this.#heapOf = new Map(this.#heaps.map(({ gpus: size, heap }) => [size, heap]));
  }

  get size(): number {
    return this.#size;
  }

  add(row: number): void {
    this.#heapOf.get(this.#gpus[row]!)!.add(row);
    this.#size++;
  }

  /**
   * Takes out the first row that needs at most `free` GPUs; −1 if there is none.
   * @param strict true: only if it is the first of all.
   */
  takeFitting(free: number, strict: boolean): number {
    let best: JobHeap | null = null;
    let bestRow = -1;
    for (const { gpus, heap } of this.#heaps) {
      if (!strict && gpus > free) break;
      if (heap.size === 0) continue;
      const row = heap.first;
      if (bestRow >= 0 && !this.#before(row, bestRow)) continue;
      best = heap;
      bestRow = row;
    }
    if (best === null || this.#gpus[bestRow]! > free) return -1;
    this.#size--;
    return best.take();
  }

  #before(a: number, b: number): boolean {
    const keyA = this.#keys[a]!;
    const keyB = this.#keys[b]!;
    return keyA < keyB || (keyA === keyB && a < b);
  }
}
