import type { Rng } from '../domain/rng.ts';
import { SumTree } from './sumTree.ts';
import { stepsOf, type Trajectory } from './trajectory.ts';

/** A decision in memory. */
export interface Experienced {
  readonly trajectory: Trajectory;
  readonly step: number;
  /** Where it lies in memory. */
  readonly place: number;
  /** Probability of being drawn × size of the memory: 1 for each when all are equal. */
  readonly likelihood: number;
}

/** What is needed beside the trajectories to go on exactly. */
export interface ExperienceState {
  /** Steps that were ever added. */
  readonly added: number;
  /** Priorities by place. */
  readonly priorities: Float64Array;
  readonly largest: number;
}

/**
 * The newest `capacity` decisions of trajectories, drawn in proportion to their priority. New ones get the largest
 * priority that any has had, so that each is looked at once.
 */
export class Experience {
  readonly capacity: number;
  readonly #tree: SumTree;
  readonly #trajectories: Trajectory[];
  readonly #steps: Int32Array;
  #added = 0;
  #largest = 1;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#tree = new SumTree(capacity);
    this.#trajectories = new Array<Trajectory>(capacity);
    this.#steps = new Int32Array(capacity);
  }

  get size(): number {
    return Math.min(this.#added, this.capacity);
  }

  /** Steps that were ever added. */
  get added(): number {
    return this.#added;
  }

  add(trajectory: Trajectory): void {
    for (let step = 0; step < stepsOf(trajectory); step++) {
      const place = this.#added % this.capacity;
      this.#trajectories[place] = trajectory;
      this.#steps[place] = step;
      this.#tree.set(place, this.#largest);
      this.#added++;
    }
  }

  /** `count` decisions, one from each of as many equal parts of the priorities. None from an empty memory. */
  sample(count: number, rng: Rng): Experienced[] {
    if (this.size === 0) return [];
    const total = this.#tree.total;
    return Array.from({ length: count }, (_, i) => {
      const place = this.#tree.find(((i + rng.next()) / count) * total);
      return {
        trajectory: this.#trajectories[place]!,
        step: this.#steps[place]!,
        place,
        likelihood: (this.#tree.priorityOf(place) / total) * this.size,
      };
    });
  }

  /** @param priority above 0. */
  setPriority(place: number, priority: number): void {
    this.#tree.set(place, priority);
    this.#largest = Math.max(this.#largest, priority);
  }

  save(): ExperienceState {
    const priorities = Float64Array.from({ length: this.size }, (_, place) => this.#tree.priorityOf(place));
    return { added: this.#added, priorities, largest: this.#largest };
  }

  /** Fills an empty memory. @param trajectories those that were added last, oldest first; at least what is remembered. */
  restore({ added, priorities, largest }: ExperienceState, trajectories: readonly Trajectory[]): void {
    const steps = trajectories.reduce((sum, trajectory) => sum + stepsOf(trajectory), 0);
    this.#added = added - steps;
    for (const trajectory of trajectories) this.add(trajectory);
    for (const [place, priority] of priorities.entries()) this.#tree.set(place, priority);
    this.#largest = largest;
  }
}
