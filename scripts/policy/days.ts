import { seededRng } from '../../src/domain/rng.ts';
import type { SimulatedWorld } from '../../src/simulator/machine.ts';
import { randomWorld } from '../../src/simulator/workload.ts';

export const VALIDATION_DAYS = 24;

/** Largest seed of a training: beyond it its training days would meet the validation days of others. */
export const MAX_TRAINING_SEED = 9;

export const trainingDay = (seed: number, n: number): SimulatedWorld =>
  randomWorld(seededRng(1_000_000 + 100_000 * seed + n));

/** The days that choose when to stop a training with this seed. */
export const validationDays = (seed: number): SimulatedWorld[] =>
  Array.from({ length: VALIDATION_DAYS }, (_, n) => randomWorld(seededRng(2_000_000 + 100_000 * seed + n)));

/** Base seeds with a number of consecutive seeds from each, a day a seed. */
export interface DayRange {
  readonly baseSeeds: readonly number[];
  readonly daysEach: number;
}

/**
 * The days of the final comparison. Nothing may be chosen by them: not the weights, not the method, not a setting.
 * Whoever changes something after a look at the outcome has used them up and takes new base seeds here.
 *
 * Used up: 3,100,000 to 3,100,059. Three full trainings were scored on them during development, and the reward, the
 * demonstrator, the phases and the steps were changed in between.
 */
export const EVALUATION_RANGE: DayRange = {
  baseSeeds: [
    710_000_000, 720_000_000, 730_000_000, 740_000_000, 750_000_000, 760_000_000, 770_000_000, 780_000_000,
  ],
  daysEach: 25,
};

export const daysOf = ({ baseSeeds, daysEach }: DayRange): SimulatedWorld[] =>
  baseSeeds.flatMap((base) => Array.from({ length: daysEach }, (_, n) => randomWorld(seededRng(base + n))));
