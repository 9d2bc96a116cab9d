import { scalarise } from '../domain/reward.ts';
import type { Transition } from './transition.ts';

/** The decisions of one simulated machine, in the order in which they were taken. S steps over N rows. */
export interface Trajectory {
  readonly featureCount: number;
  /** The candidates of every step, one after another: N × featureCount. */
  readonly features: Float32Array;
  /** First row of each step, and N at the end: S + 1. */
  readonly firstRow: Uint32Array;
  /** Row within its step that was done: S. */
  readonly chosen: Uint16Array;
  /** −∫ e^(−βs) Σ w_k c_k ds until the next decision, scaled by β: S. */
  readonly reward: Float32Array;
  /** e^(−βΔt) until the next decision, 1 at the same instant; 0: the machine went idle, and nothing comes after. */
  readonly discount: Float32Array;
  /** Whose acts are worth imitating did it. */
  readonly demonstrated: boolean;
}

export const stepsOf = (trajectory: Trajectory): number => trajectory.chosen.length;

/** Collects transitions that follow one another, as a recorder hands them out, into a trajectory. */
export class TrajectoryBuilder {
  readonly #transitions: Transition[] = [];

  push(transition: Transition): void {
    this.#transitions.push(transition);
  }

  /** The last decision ends it, whether or not the machine was idle then: what would have come is not known. */
  build(featureCount: number, demonstrated: boolean): Trajectory {
    const all = this.#transitions;
    const firstRow = new Uint32Array(all.length + 1);
    all.forEach(({ state }, i) => {
      firstRow[i + 1] = firstRow[i]! + state.rows;
    });
    const features = new Float32Array(firstRow[all.length]! * featureCount);
    all.forEach(({ state }, i) => {
      features.set(state.features, firstRow[i]! * featureCount);
    });
    return {
      featureCount,
      features,
      firstRow,
      chosen: Uint16Array.from(all, ({ chosen }) => chosen),
      reward: Float32Array.from(all, ({ reward, goals }) => scalarise(reward, goals)),
      discount: Float32Array.from(all, ({ discount, next }) => (next === null ? 0 : discount)),
      demonstrated,
    };
  }
}

/** Where an n-step return leads from a step. */
export interface NStep {
  /** Σ of the rewards, discounted. */
  readonly reward: number;
  /** Of what comes after; 0: nothing does. */
  readonly discount: number;
  /** The step after. */
  readonly next: number;
}

/**
 * The n-step semi-Markov return (Sutton 1988 with the discount of Bradtke & Duff 1995). Decisions at one instant are
 * steps of no time, of which any number counts as none: n counts the steps in which time passes.
 */
export function nStepReturn({ reward, discount }: Trajectory, from: number, n: number): NStep {
  let sum = 0;
  let factor = 1;
  let left = n;
  let step = from;
  for (; step < reward.length; step++) {
    sum += factor * reward[step]!;
    factor *= discount[step]!;
    if (factor === 0) break;
    if (discount[step]! < 1 && --left === 0) break;
  }
  const next = step + 1;
  return { reward: sum, discount: next < reward.length ? factor : 0, next };
}

const MAGIC = 0x4a544e53; // "SNTJ"
const HEAD_WORDS = 5;

/** As a blob: five uint32 (magic, featureCount, steps, rows, demonstrated), then the arrays in their order. */
export function encodeTrajectory(trajectory: Trajectory): Uint8Array<ArrayBuffer> {
  const { featureCount, features, firstRow, chosen, reward, discount, demonstrated } = trajectory;
  const head = Uint32Array.of(
    MAGIC,
    featureCount,
    chosen.length,
    features.length / featureCount,
    demonstrated ? 1 : 0,
  );
  const parts = [head, features, firstRow, reward, discount, chosen];
  const blob = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    blob.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  return blob;
}

/** @throws {RangeError} when the blob is none of {@link encodeTrajectory} for so many features. */
export function decodeTrajectory(blob: Uint8Array, featureCount: number): Trajectory {
  // Copied, so that every array lies where its type demands.
  const { buffer } = blob.slice();
  const [magic, width = 0, steps = 0, rows = 0, demonstrated] = new Uint32Array(
    buffer,
    0,
    Math.min(HEAD_WORDS, buffer.byteLength >> 2),
  );
  const floats = rows * width;
  const length = 4 * (HEAD_WORDS + floats + steps + 1 + 2 * steps) + 2 * steps;
  if (magic !== MAGIC || width !== featureCount || buffer.byteLength !== length) {
    throw new RangeError('a stored trajectory is damaged, or of other features; begin a new run');
  }
  let at = 4 * HEAD_WORDS;
  const take = (bytes: number): number => {
    at += bytes;
    return at - bytes;
  };
  return {
    featureCount,
    features: new Float32Array(buffer, take(4 * floats), floats),
    firstRow: new Uint32Array(buffer, take(4 * (steps + 1)), steps + 1),
    reward: new Float32Array(buffer, take(4 * steps), steps),
    discount: new Float32Array(buffer, take(4 * steps), steps),
    chosen: new Uint16Array(buffer, take(2 * steps), steps),
    demonstrated: demonstrated === 1,
  };
}
