import { FieldError } from '../../domain/errors.ts';
import type { IntegerRng } from './mersenneTwister.ts';
import { DEEPRM, type DeeprmArrival, type DeeprmDemand, type DeeprmSequence } from './world.ts';

/** The longest job that can be placed. */
const LONGEST_STEPS = DEEPRM.horizonSteps - 1;

/**
 * Reads what a file of sequences says: `{ "len": […], "size": […] }`, where `len[episode][step]` is the length of
 * the job that arrives there (0: none does) and `size[episode][step]` its demand for the two resources. Other fields
 * are left alone.
 * @throws {FieldError} naming the place, such as `len[3][17]`.
 */
export function parseSequences(content: unknown): DeeprmSequence[] {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new FieldError('content', content, 'give an object with the fields len and size');
  }
  const { len, size } = content as { len?: unknown; size?: unknown };
  const lengths = list(len, 'len', 'give a list with one list of lengths per episode');
  const sizes = list(size, 'size', 'give a list with one list of demands per episode');
  sameLength('size', sizes, lengths, 'episodes');
  return lengths.map((row, episode) => {
    const place = `[${episode}]`;
    const steps = list(row, `len${place}`, 'give a list with one length per step');
    const demands = list(sizes[episode], `size${place}`, 'give a list with one demand per step');
    sameLength(`size${place}`, demands, steps, 'steps');
    return steps.map((length, step) => arrivalOf(length, demands[step], `${place}[${step}]`));
  });
}

function arrivalOf(length: unknown, size: unknown, place: string): DeeprmArrival | null {
  const lengthSteps = whole(length, `len${place}`, LONGEST_STEPS);
  if (!Array.isArray(size) || size.length !== 2) {
    throw new FieldError(`size${place}`, size, 'give two numbers, the demand for each resource');
  }
  const demand: DeeprmDemand = [
    whole(size[0], `size${place}[0]`, DEEPRM.capacity),
    whole(size[1], `size${place}[1]`, DEEPRM.capacity),
  ];
  if (lengthSteps > 0) return { lengthSteps, demand };
  if (demand[0] + demand[1] > 0) {
    throw new FieldError(`size${place}`, size, `give [0, 0], or a length above 0 in len${place}`);
  }
  return null;
}

function whole(value: unknown, field: string, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most) {
    throw new FieldError(field, value, `give a whole number from 0 to ${most}`);
  }
  return value;
}

function list(value: unknown, field: string, remedy: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) throw new FieldError(field, value, remedy);
  return value;
}

function sameLength(field: string, value: readonly unknown[], model: readonly unknown[], what: string): void {
  if (value.length !== model.length) {
    throw new FieldError(`${field}.length`, value.length, `give as many ${what} as in len: ${model.length}`);
  }
}

/**
 * Draws sequences as DeepRM does (its `job_distribution.py`, and in the same order, so that `mersenneTwister(42)` gives
 * the ones of its experiments): at most one arrival a step; four jobs in five take 1 to 3 steps, the others 10 to 15; a
 * fair coin picks the resource of which 5 to 10 units are needed, and 1 or 2 of the other.
 * @param rate the probability of an arrival, from 0 to 1. About 0.54 of a resource is asked for at 0.3, and 1.3 at 0.7.
 */
export function generateSequences(
  rng: IntegerRng,
  rate: number,
  episodes: number,
  stepsPerEpisode: number,
): DeeprmSequence[] {
  const between = (least: number, most: number) => least + rng.below(most - least + 1);
  const arrival = (): DeeprmArrival | null => {
    if (rng.next() >= rate) return null;
    const lengthSteps = rng.next() < 0.8 ? between(1, 3) : between(10, 15);
    const dominant = rng.below(2);
    const demand = (resource: number) => (resource === dominant ? between(5, 10) : between(1, 2));
    return { lengthSteps, demand: [demand(0), demand(1)] };
  };
  return Array.from({ length: episodes }, () => Array.from({ length: stepsPerEpisode }, arrival));
}
