import { type Rng, randomNormal } from '../../domain/rng.ts';

/** What durations are drawn from, s. */
export type Distribution =
  | { readonly type: 'logNormal'; readonly medianS: number; readonly sigma: number }
  /** P(> t) = (leastS / t)^shape. */
  | { readonly type: 'pareto'; readonly leastS: number; readonly shape: number }
  | { readonly type: 'exponential'; readonly meanS: number }
  /** Whole multiples of `unitS`, from `least` to `most` of them, each as likely. */
  | { readonly type: 'steps'; readonly unitS: number; readonly least: number; readonly most: number };

export function sample(distribution: Distribution, rng: Rng): number {
  return distribution.type === 'logNormal'
    ? distribution.medianS * Math.exp(distribution.sigma * randomNormal(rng))
    : quantile(distribution, rng.next());
}

/** @param u in [0, 1): the share of values below. */
function quantile(distribution: Exclude<Distribution, { type: 'logNormal' }>, u: number): number {
  switch (distribution.type) {
    case 'pareto':
      return distribution.leastS * Math.exp(-Math.log(1 - u) / distribution.shape);
    case 'exponential':
      return -distribution.meanS * Math.log(1 - u);
    case 'steps': {
      const { unitS, least, most } = distribution;
      return unitS * (least + Math.floor(u * (most - least + 1)));
    }
  }
}

/** A value and its probability. */
type Node = readonly [value: number, weight: number];

/**
 * The mean of a distribution times a log-normal error of median 1, after both were cut off at limits. Summed over a
 * grid, to about four digits: heavy tails make a mean of drawn values useless.
 */
export function meanBetween(distribution: Distribution, sigma: number, least: number, most: number): number {
  const errors = sigma > 0 ? normalNodes(24).map(([z, w]): Node => [Math.exp(sigma * z), w]) : [ONE];
  let mean = 0;
  for (const [value, weight] of nodesOf(distribution)) {
    for (const [error, share] of errors) {
      mean += weight * share * Math.min(most, Math.max(least, value * error));
    }
  }
  return mean;
}

const ONE: Node = [1, 1];

function nodesOf(distribution: Distribution): Node[] {
  switch (distribution.type) {
    case 'logNormal':
      return normalNodes(300).map(
        ([z, w]): Node => [distribution.medianS * Math.exp(distribution.sigma * z), w],
      );
    case 'pareto':
    case 'exponential': {
      // u = 1 − e^(−t): the tail gets as many nodes as the body.
      const [nodes, mostT] = [900, 36];
      const step = mostT / nodes;
      return Array.from({ length: nodes }, (_, i): Node => {
        const weight = Math.exp(-i * step) - Math.exp(-(i + 1) * step);
        return [quantile(distribution, 1 - Math.exp(-(i + 0.5) * step)), weight];
      });
    }
    case 'steps': {
      const count = distribution.most - distribution.least + 1;
      return Array.from(
        { length: count },
        (_, i): Node => [quantile(distribution, (i + 0.5) / count), 1 / count],
      );
    }
  }
}

/** Nodes of the standard normal, from −9 to 9. */
function normalNodes(count: number): Node[] {
  const step = 18 / count;
  return Array.from({ length: count }, (_, i): Node => {
    const z = -9 + (i + 0.5) * step;
    return [z, (step * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI)];
  });
}
