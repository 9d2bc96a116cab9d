/**
 * Draws places in proportion to their priorities in O(log capacity) (Schaul et al. 2016, "Prioritized experience
 * replay", appendix B.2.1). Sums are in double precision.
 */
export class SumTree {
  readonly #leaves: number;
  readonly #sums: Float64Array;

  constructor(capacity: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(2, capacity)));
    this.#sums = new Float64Array(2 * this.#leaves);
  }

  get total(): number {
    return this.#sums[1]!;
  }

  priorityOf(place: number): number {
    return this.#sums[this.#leaves + place]!;
  }

  set(place: number, priority: number): void {
    let at = this.#leaves + place;
    this.#sums[at] = priority;
    // Added anew instead of corrected, so that no error gathers.
    for (at >>= 1; at >= 1; at >>= 1) this.#sums[at] = this.#sums[2 * at]! + this.#sums[2 * at + 1]!;
  }

  /** The place at which the running sum of priorities passes `sum`, which lies in [0, total). */
  find(sum: number): number {
    let at = 1;
    let rest = sum;
    while (at < this.#leaves) {
      at *= 2;
      const left = this.#sums[at]!;
      // Never into an empty half, which rounding could lead to.
      if (rest >= left && this.#sums[at + 1]! > 0) {
        rest -= left;
        at++;
      }
    }
    return at - this.#leaves;
  }
}
