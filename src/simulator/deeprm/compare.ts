import type { Weights } from '../../scheduler/network.ts';
import { createDeeprmPolicy } from './policies.ts';
import { type DeeprmSequence, DeeprmWorld, slowdownOf } from './world.ts';

/** How one policy fared. */
export interface DeeprmRow {
  readonly policy: string;
  /** Over all finished jobs of all episodes; null where there were none. */
  readonly meanSlowdown: number | null;
  /** Finished jobs. */
  readonly jobs: number;
  /** Arrivals that found the backlog full: no figure above knows them. */
  readonly dropped: number;
}

/**
 * Plays every sequence to its end under each of the policies, as published: where that makes an episode a step longer,
 * `random` draws once more, and its figures are to be those of the authors' program too.
 * @param policies names, as `createDeeprmPolicy` knows them.
 * @param weights of `dqn`, where it is among them.
 * @throws {FieldError} for a name that is none, before anything is played.
 */
export function compareDeeprm(
  sequences: readonly DeeprmSequence[],
  policies: readonly string[],
  seed: number,
  weights: Weights | null = null,
): DeeprmRow[] {
  const named = policies.map((name) => [name, createDeeprmPolicy(name, seed, weights)] as const);
  return named.map(([policy, choose]) => {
    let sum = 0;
    let jobs = 0;
    let dropped = 0;
    for (const sequence of sequences) {
      const world = new DeeprmWorld(sequence, { asPublished: true });
      while (!world.over) world.act(choose(world));
      for (const job of world.finished) sum += slowdownOf(job);
      jobs += world.finished.length;
      dropped += world.dropped;
    }
    return { policy, meanSlowdown: jobs > 0 ? sum / jobs : null, jobs, dropped };
  });
}
