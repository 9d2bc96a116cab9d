import { countUpTo } from '../../domain/sorted.ts';

/** Of a longer history as many quantiles are looked at. */
const MOST_POINTS = 512;

/** What the service that earlier jobs took says about how much one will take. All in GPU-seconds. */
export interface PastService {
  /** How many jobs it rests on, at least 1. */
  readonly jobs: number;
  /** Mean service of the jobs that took more than `attainedGpuS`; twice that where none did. */
  meanBeyond(attainedGpuS: number): number;
  /**
   * The Gittins index of a job that has attained so much: over all quanta Δ the most of
   * P(S − a ≤ Δ | S > a) / E[min(S − a, Δ) | S > a], the chance of an end for each GPU-second that is spent
   * (Gittins 1979, "Bandit processes and dynamic allocation indices"; for queues Aalto, Ayesta & Righter 2009, "On the
   * Gittins index in the M/G/1 queue"). 0 where no job took more: nothing is known of such.
   */
  gittinsIndex(attainedGpuS: number): number;
}

const known = new WeakMap<readonly number[], { readonly length: number; readonly past: PastService }>();

/**
 * Reads a history; null where it is empty. What was read is kept as long as the array lives and is as long as it was:
 * histories grow, and never change otherwise. Of more than 512 entries it looks at as many quantiles.
 * @param history ascending.
 */
export function pastServiceOf(history: readonly number[]): PastService | null {
  const { length } = history;
  if (length === 0) return null;
  const before = known.get(history);
  if (before?.length === length) return before.past;
  const points = Float64Array.from({ length: Math.min(length, MOST_POINTS) }, (_, i) =>
    length <= MOST_POINTS ? history[i]! : history[Math.floor(((i + 0.5) * length) / MOST_POINTS)]!,
  );
  const past = new Quantiles(points, length);
  known.set(history, { length, past });
  return past;
}

/**
 * Seen as the total time on test: with all jobs started at once and stopped at x, Y(x) is the service they have had and
 * N(x) how many have ended. The Gittins index at a is then the steepest line from (Y(a), N(a)) to a later point of that
 * curve, and the points that such lines can touch are the corners of its upper hull. Built in O(points); an index costs
 * a binary search and a short walk along the hull.
 */
class Quantiles implements PastService {
  readonly jobs: number;
  private readonly points: Float64Array;
  /** Sum of the first i points. */
  private readonly below: Float64Array;
  /** Y at each point. */
  private readonly spent: Float64Array;
  /** The next corner of the upper hull of the points from here on; −1: none. */
  private readonly next: Int32Array;

  constructor(points: Float64Array, jobs: number) {
    const { length } = points;
    this.jobs = jobs;
    this.points = points;
    this.below = new Float64Array(length + 1);
    for (let i = 0; i < length; i++) this.below[i + 1] = this.below[i]! + points[i]!;
    this.spent = points.map((x, i) => this.below[i + 1]! + (length - 1 - i) * x);
    this.next = new Int32Array(length).fill(-1);
    for (let i = length - 2; i >= 0; i--) this.next[i] = this.touch(i + 1, this.spent[i]!, i + 1);
  }

  meanBeyond(attainedGpuS: number): number {
    const { below, points } = this;
    const from = countUpTo(this.points, attainedGpuS);
    if (from === points.length) return 2 * attainedGpuS;
    return (below[points.length]! - below[from]!) / (points.length - from);
  }

  gittinsIndex(attainedGpuS: number): number {
    const { points } = this;
    const ended = countUpTo(this.points, attainedGpuS);
    if (ended === points.length) return 0;
    const spent = this.below[ended]! + (points.length - ended) * attainedGpuS;
    return this.slope(this.touch(ended, spent, ended), spent, ended);
  }

  /** Where the steepest line from (spent, ended) touches the hull of the points from `from` on. */
  private touch(from: number, spent: number, ended: number): number {
    let at = from;
    let steepest = this.slope(at, spent, ended);
    for (let next = this.next[at]!; next >= 0; next = this.next[at]!) {
      const slope = this.slope(next, spent, ended);
      if (slope < steepest) break;
      at = next;
      steepest = slope;
    }
    return at;
  }

  private slope(to: number, spent: number, ended: number): number {
    return (to + 1 - ended) / (this.spent[to]! - spent);
  }
}
