import { FieldError } from '../../domain/errors.ts';
import type { Weights } from '../../scheduler/network.ts';
import { learnedDeeprm } from './learned.ts';
import { mersenneTwister } from './mersenneTwister.ts';
import { DEEPRM, type DeeprmJob, type DeeprmWorld } from './world.ts';

/** Chooses the next action of a world: a slot, or `DEEPRM.wait`. */
export type DeeprmPolicy = (world: DeeprmWorld) => number;

type Score = (job: DeeprmJob, world: DeeprmWorld) => number;

const REMEDY =
  'choose from sjf, packer, first-fit, random, dqn and tetris:K with a knob K from 0 to 1, such as tetris:0.001';

/**
 * The heuristics that DeepRM is held against. Each takes, among the visible jobs that fit from now on, the one of the
 * highest score, the lowest slot among equals, and waits where none fits:
 * - `sjf`, shortest job first: 1 / length.
 * - `packer`: free units now · demand (the alignment score of Grandl et al., "Multi-resource packing for cluster
 *   schedulers" (Tetris), SIGCOMM 2014).
 * - `tetris:K`: K · packer + (1 − K) · sjf.
 * - `first-fit`: the earliest to enter.
 *
 * `random` looks at nothing: any of the 11 actions, each as likely as the others. The others know the true lengths,
 * if only to see what fits.
 *
 * `dqn` is learned, may also wait for something better or reserve, and does not know how long the sequence is.
 *
 * @param seed of `random`, a whole number from 0 to 2³² − 1. It draws on from one episode to the next.
 * @param weights of `dqn`.
 * @throws {FieldError} for the field `policy`, when the name or the knob is not one of these.
 */
export function createDeeprmPolicy(name: string, seed: number, weights: Weights | null = null): DeeprmPolicy {
  switch (name) {
    case 'sjf':
      return highest(shortness);
    case 'packer':
      return highest(alignment);
    case 'first-fit':
      return highest((job) => -job.id);
    case 'random': {
      const rng = mersenneTwister(seed);
      return () => rng.below(DEEPRM.wait + 1);
    }
    case 'dqn':
      if (weights === null) throw new FieldError('policy', name, 'leave it out: its weights are missing');
      return learnedDeeprm(weights);
    default: {
      const knob = /^tetris:(\d+(?:\.\d+)?)$/.exec(name)?.[1];
      if (knob === undefined || Number(knob) > 1) throw new FieldError('policy', name, REMEDY);
      return highest(tetris(Number(knob)));
    }
  }
}

const shortness: Score = (job) => 1 / job.lengthSteps;

const alignment: Score = (job, world) => {
  const [first, second] = world.free[0]!;
  return first * job.demand[0] + second * job.demand[1];
};

const tetris =
  (knob: number): Score =>
  (job, world) =>
    knob * alignment(job, world) + (1 - knob) * shortness(job, world);

const highest =
  (score: Score): DeeprmPolicy =>
  (world) => {
    let action: number = DEEPRM.wait;
    let best = Number.NEGATIVE_INFINITY;
    for (const [slot, job] of world.slots.entries()) {
      if (job === null || !world.fits(job)) continue;
      const value = score(job, world);
      if (value > best) {
        best = value;
        action = slot;
      }
    }
    return action;
  };
