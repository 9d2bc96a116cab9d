import { randomInt } from '../../domain/rng.ts';
import type { Policy } from '../policy.ts';
import { chosen } from './fifo.ts';

/**
 * Any of the launches that are allowed, each with the same chance: what a policy has to beat to know anything. It
 * never waits while something may start. Jobs with more placements are drawn more often; that is our choice, since a
 * policy chooses among placements.
 */
export const random: Policy = {
  name: 'random',
  version: '1',
  choose({ candidates, rng }) {
    const waits = candidates.at(-1)?.kind === 'wait' ? 1 : 0;
    return chosen(randomInt(rng, Math.max(1, candidates.length - waits)));
  },
};
