import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareDeeprm } from '../../src/simulator/deeprm/compare.ts';
import { mersenneTwister } from '../../src/simulator/deeprm/mersenneTwister.ts';
import { createDeeprmPolicy } from '../../src/simulator/deeprm/policies.ts';
import { generateSequences, parseSequences } from '../../src/simulator/deeprm/sequences.ts';
import { type DeeprmSequence, DeeprmWorld } from '../../src/simulator/deeprm/world.ts';

/** The sequences of DeepRM's program at a rate: seed 42, 100 episodes of 50 steps. */
const published = (rate: number): DeeprmSequence[] => generateSequences(mersenneTwister(42), rate, 100, 50);

it('draws as numpy’s RandomState does', () => {
  // RandomState(7): 20 × randint(11), rand(), 8 × randint(2), 5 × randint(2**32, dtype=uint32).
  const rng = mersenneTwister(7);
  const draw = (count: number, n: number) => Array.from({ length: count }, () => rng.below(n));
  expect(draw(20, 11)).toEqual([4, 9, 6, 3, 3, 7, 7, 9, 7, 8, 9, 10, 10, 8, 7, 6, 4, 0, 7, 0]);
  expect(rng.next()).toBe(0.06593634690590511);
  expect(draw(8, 2)).toEqual([0, 0, 1, 0, 0, 1, 1, 0]);
  expect(draw(5, 2 ** 32)).toEqual([3999499416, 1127788727, 106941365, 3224501360, 2579337979]);
  expect(draw(3, 1)).toEqual([0, 0, 0]);
});

describe('mean slowdowns in the authors’ program (commit fa784114), random from RandomState(7)', () => {
  const policies = ['sjf', 'packer', 'tetris:0.001', 'first-fit', 'random'];
  it.each([
    { rate: 0.1, jobs: 526, expected: ['1.494', '1.694', '1.494', '1.675', '6.668'] },
    { rate: 0.3, jobs: 1494, expected: ['2.484', '3.686', '2.491', '3.776', '6.991'] },
    { rate: 0.7, jobs: 3453, expected: ['4.925', '12.424', '4.733', '12.110', '9.262'] },
  ])('come out at rate $rate', ({ rate, jobs, expected }) => {
    const rows = compareDeeprm(published(rate), policies, 7);
    expect(rows.map((row) => row.meanSlowdown?.toFixed(3))).toEqual(expected);
    expect(rows.map((row) => [row.jobs, row.dropped])).toEqual(policies.map(() => [jobs, 0]));
  });
});

const FILES = resolve(import.meta.dirname, '../../../shared/deeprm');
const read = (name: string): unknown => JSON.parse(readFileSync(join(FILES, name), 'utf8'));

interface Summary {
  readonly rate: number;
  readonly policies: Record<
    string,
    { readonly jobs: number; readonly mean_slowdown: number; readonly dropped: number }
  >;
}
interface Trajectory {
  readonly actions: readonly number[];
  readonly rewards: readonly number[];
  readonly jobs: readonly Record<string, unknown>[];
}

const NAMES: Readonly<Record<string, string>> = {
  SJF: 'sjf',
  Packer: 'packer',
  FIFO: 'first-fit',
  Random: 'random',
};
const ourName = (theirs: string) => NAMES[theirs] ?? theirs.replace('knob=', 'tetris:');

function play(sequence: DeeprmSequence, policy: string, asPublished: boolean) {
  const world = new DeeprmWorld(sequence, { asPublished });
  const choose = createDeeprmPolicy(policy, 7);
  const actions: number[] = [];
  const rewards: number[] = [];
  while (!world.over) {
    actions.push(choose(world));
    rewards.push(world.act(actions.at(-1)!));
  }
  const jobs = [...world.finished]
    .sort((a, b) => a.id - b.id)
    .map((job) => ({
      id: job.id,
      len: job.lengthSteps,
      res: job.demand,
      enter: job.enteredStep,
      start: job.startStep,
      finish: job.finishStep,
    }));
  return { actions, rewards, jobs };
}

const present = existsSync(join(FILES, 'summary.json'));
const needs = 'summary.json, sequences_rate*.json and seq0_trajectories_rate*.json in ../shared/deeprm';
describe.skipIf(!present)(
  `against recordings of the authors’ program${present ? '' : ` (skipped: needs ${needs})`}`,
  () => {
    it.each([0.3, 0.7])('draws the same sequences at rate %d', (rate) => {
      expect(published(rate)).toEqual(parseSequences(read(`sequences_rate${rate}.json`)));
    });

    it.each([0.1, 0.3, 0.7])('has the mean slowdown of each of its policies at rate %d', (rate) => {
      const summary = (read('summary.json') as Summary[]).find((one) => one.rate === rate)!;
      const theirs = Object.entries(summary.policies);
      expect(theirs).toHaveLength(11);
      const rows = compareDeeprm(
        published(rate),
        theirs.map(([name]) => ourName(name)),
        7,
      );
      for (const [i, [, figures]] of theirs.entries()) {
        expect(rows[i]).toMatchObject({ jobs: figures.jobs, dropped: figures.dropped });
        expect(rows[i]?.meanSlowdown).toBeCloseTo(figures.mean_slowdown, 10);
      }
    });

    /** Where a job that leaves in time changes the reward: [action, ours, theirs]. Everywhere else they agree. */
    const otherRewards: Readonly<Record<string, readonly (readonly [number, number, number])[]>> = {
      '0.3 SJF': [
        [49, -1.901, -2.901],
        [52, -0.901, -1.901],
        [67, -1.567, -1.658],
      ],
      '0.3 Packer': [],
      '0.3 knob=0.001': [[67, -1.567, -1.667]],
      '0.7 SJF': [
        [17, -0.6, -1.6],
        [78, -2.498, -3.498],
      ],
      // Its last two jobs finish together: there the original waits once more, after action 146.
      '0.7 Packer': [
        [83, -7.648, -8.648],
        [109, -5.905, -6.405],
        [146, 0, -1],
      ],
      '0.7 knob=0.001': [
        [17, -0.6, -1.6],
        [87, -1.332, -1.832],
      ],
    };
    it.each(Object.entries(otherRewards))('acts alike in the first episode at %s', (name, differences) => {
      const [rate, policy] = name.split(' ') as [string, string];
      const theirs = (read(`seq0_trajectories_rate${rate}.json`) as Record<string, Trajectory>)[policy]!;
      const sequence = published(Number(rate))[0]!;
      const alike = play(sequence, ourName(policy), true);
      expect(alike.actions).toEqual(theirs.actions);
      expect(alike.jobs).toEqual(theirs.jobs);
      for (const [i, reward] of alike.rewards.entries()) expect(reward).toBeCloseTo(theirs.rewards[i]!, 10);

      const ours = play(sequence, ourName(policy), false);
      expect(ours.actions).toEqual(theirs.actions.slice(0, ours.actions.length));
      expect(theirs.actions.slice(ours.actions.length)).toEqual(name === '0.7 Packer' ? [10] : []);
      expect(ours.jobs).toEqual(theirs.jobs);
      const found = ours.rewards
        .map((reward, i) => [i, reward, theirs.rewards[i]!] as const)
        .filter(([, a, b]) => Math.abs(a - b) > 1e-9)
        .map(([i, a, b]) => [i, Number(a.toFixed(3)), Number(b.toFixed(3))]);
      expect(found).toEqual(differences);
    });
  },
);
