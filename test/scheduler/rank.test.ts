import { expect, it } from 'vitest';
import { seededRng } from '../../src/domain/rng.ts';
import { heuristicByName } from '../../src/scheduler/policies/heuristics.ts';
import type { Policy } from '../../src/scheduler/policy.ts';
import { rankOf } from '../../src/scheduler/rank.ts';
import { DEFAULT_LIMITS } from '../../src/scheduler/snapshot.ts';
import { device, snapshot, waiting } from './build.ts';

const jobs = [
  waiting(1, { priority: -5 }),
  waiting(2, { priority: 5 }),
  waiting(3, { gpus: 2, priority: 9 }),
  waiting(4),
];
const rank = (policy: Policy, of = jobs) =>
  rankOf({
    snapshot: snapshot({ devices: [device(0), device(1)], waiting: of }),
    policy,
    heuristic: heuristicByName('fifo'),
    rng: seededRng(1),
    limits: DEFAULT_LIMITS,
  });

it('puts what waits into the order of the policy, each as if it had the place to itself', () => {
  expect(rank(heuristicByName('priority'))).toEqual([3, 2, 4, 1]);
  expect(rank(heuristicByName('fifo'))).toEqual([1, 2, 3, 4]);
});

it('lets the heuristic go on where the policy would rather wait or fails, and loses nobody', () => {
  const idler: Policy = {
    name: 'dqn',
    version: '1',
    choose: ({ candidates }) => ({
      index: candidates.length - 1,
      scores: null,
      epsilon: null,
      explored: false,
      features: null,
    }),
  };
  expect(rank(idler)).toEqual([1, 2, 3, 4]);
  const broken: Policy = {
    ...idler,
    choose: () => {
      throw new Error('broken');
    },
  };
  expect(rank(broken)).toEqual([1, 2, 3, 4]);
  // Nobody can ever place this one here: it stays where it was, behind the others.
  expect(rank(heuristicByName('priority'), [waiting(7, { gpus: 8 }), ...jobs])).toEqual([3, 2, 4, 1, 7]);
});
