import type { Rng } from '../../domain/rng.ts';

/** Draws one of several with given weights. */
export class WeightedChoice<T> {
  readonly #values: readonly T[];
  /** Share of this and all before it. */
  readonly #upTo: Float64Array;

  /** @param weights one a value, at least 0, one of them above. */
  constructor(values: readonly T[], weights: readonly number[]) {
    this.#values = values;
    this.#upTo = new Float64Array(values.length);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let sum = 0;
    for (const [i, weight] of weights.entries()) {
      sum += weight / total;
      this.#upTo[i] = sum;
    }
  }

  draw(rng: Rng): T {
    const u = rng.next();
    let [first, last] = [0, this.#values.length - 1];
    while (first < last) {
      const middle = (first + last) >> 1;
      if (u < this.#upTo[middle]!) last = middle;
      else first = middle + 1;
    }
    return this.#values[first]!;
  }
}
