import { type Rng, randomInt } from '../domain/rng.ts';

/** What was drawn: the items, and for each the weight that its loss gets. */
export interface Sample<T> {
  readonly items: readonly T[];
  /** Importance weights, 1 each under uniform sampling. Prioritised replay would fill them differently. */
  readonly lossWeights: Float32Array;
}

/** A ring buffer of experience: the newest `capacity` items, drawn uniformly with replacement. */
export class Replay<T> {
  readonly capacity: number;
  private readonly ring: T[] = [];
  private pushed = 0;

  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`replay capacity: ${capacity} is not usable; give a whole number of at least 1`);
    }
    this.capacity = capacity;
  }

  get size(): number {
    return this.ring.length;
  }

  /** Adds an item; the oldest gives way once the ring is full. */
  push(item: T): void {
    this.ring[this.pushed % this.capacity] = item;
    this.pushed++;
  }

  /** `count` items with replacement; none from an empty buffer. */
  sample(count: number, rng: Rng): Sample<T> {
    const { length } = this.ring;
    const drawn = length === 0 ? 0 : count;
    // By age and not by place in the ring, so that a restored buffer draws the same.
    return {
      items: Array.from({ length: drawn }, () => this.ring[(this.oldest + randomInt(rng, length)) % length]!),
      lossWeights: new Float32Array(drawn).fill(1),
    };
  }

  /** Oldest first. */
  items(): T[] {
    return [...this.ring.slice(this.oldest), ...this.ring.slice(0, this.oldest)];
  }

  /** Place of the oldest item. */
  private get oldest(): number {
    return this.ring.length < this.capacity ? 0 : this.pushed % this.capacity;
  }
}
