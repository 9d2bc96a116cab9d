import { describe, expect, it } from 'vitest';
import { seededRng } from '../../src/domain/rng.ts';
import {
  BANDIT_ALGORITHMS,
  type BanditAlgorithm,
  type BanditState,
  createBandit,
  LONGEST_STRETCH,
} from '../../src/scheduler/policies/bandit.ts';
import { fifo } from '../../src/scheduler/policies/fifo.ts';
import { las } from '../../src/scheduler/policies/las.ts';
import { qssf } from '../../src/scheduler/policies/qssf.ts';
import type { Policy } from '../../src/scheduler/policy.ts';
import { simulate } from '../../src/simulator/machine.ts';
import type { SimulatedWorld } from '../../src/simulator/world.ts';

/** Long jobs go first: about the worst that there is. */
const longest: Policy = {
  name: 'longest',
  version: '1',
  choose({ snapshot, candidates }) {
    const needs = new Map(snapshot.waiting.map((job) => [job.id, job.remaining!.p50S]));
    const keys = candidates.map((c) => (c.kind === 'launch' ? needs.get(c.jobId)! : -1));
    const index = keys.indexOf(Math.max(...keys));
    return { index, scores: null, epsilon: null, explored: false, features: null };
  },
};

/** So many busy periods of six jobs each on one device, with an idle hour between them. */
function world(episodes: number, seed: number): SimulatedWorld {
  const rng = seededRng(seed);
  const jobs = Array.from({ length: 6 * episodes }, (_, i) => {
    const durationS = rng.next() < 0.5 ? 60 : 900;
    return {
      id: i + 1,
      submittedAtS: 20_000 * Math.floor(i / 6),
      durationS,
      predicted: { p10S: durationS, p50S: durationS, p90S: durationS },
      gpus: 1,
      vramMib: null,
      exclusive: false,
      priority: 0,
      user: 'somebody',
    };
  });
  return { devicesMib: [1024], jobs };
}

const bandit = (algorithm: BanditAlgorithm, state?: BanditState) =>
  createBandit({ name: 'bandit', algorithm, arms: [longest, qssf, fifo], ...(state ? { state } : {}) });

function run(policy: Policy, episodes: number, seed = 1): number {
  const outcomes = simulate(world(episodes, seed), { policy, heuristic: fifo, rng: seededRng(seed) });
  return (
    outcomes.reduce((sum, { job, finishedAtS }) => sum + finishedAtS - job.submittedAtS, 0) / outcomes.length
  );
}

describe.each(BANDIT_ALGORITHMS)('a bandit by %s', (algorithm) => {
  it('finds out whom to follow, one heuristic for each episode', () => {
    const policy = bandit(algorithm);
    run(policy, 40);
    const early = policy.save();
    run(policy, 260, 2);
    const late = policy.save();
    expect(late.all.pulls).toBe(300);
    const pulls = late.arms.map((arm, i) => arm.pulls - early.arms[i]!.pulls);
    // By chance it would be a third; Exp3 explores for ever.
    expect(pulls[1]!).toBeGreaterThan(algorithm === 'exp3' ? 130 : 150);
    expect(pulls[1]!).toBeGreaterThan(1.5 * pulls[0]!);
    expect(late.arms[1]!.mean).toBeLessThan(late.arms[0]!.mean);
  });

  it('goes on from what it was, through JSON', () => {
    const one = bandit(algorithm);
    run(one, 30);
    const other = bandit(algorithm, JSON.parse(JSON.stringify(one.save())) as BanditState);
    expect(other.save()).toEqual(one.save());
    expect(run(other, 30, 3)).toBe(run(one, 30, 3));
    expect(other.save()).toEqual(one.save());
  });

  it('does not believe a state of others, or a broken one', () => {
    const fresh = bandit(algorithm).save();
    const whole = bandit(algorithm);
    run(whole, 5);
    const state = whole.save();
    const { stretch: _, ...cut } = state;
    const strange = [
      { ...state, algorithm: 'nothing' },
      { ...state, arms: state.arms.slice(1) },
      { ...state, arms: state.arms.map((arm) => ({ ...arm, name: 'x' })) },
      { ...state, arms: state.arms.map((arm) => ({ ...arm, mean: null })) },
      { ...state, stretch: { ...state.stretch, arm: 7 } },
      cut,
      {},
    ];
    for (const one of strange) expect(bandit(algorithm, one as BanditState).save()).toEqual(fresh);
  });
});

it('chooses anew on a machine that is never idle, after so many jobs', () => {
  const jobs = world(40, 4).jobs.map((job, i) => ({ ...job, submittedAtS: i }));
  const policy = bandit('ucb1');
  simulate({ devicesMib: [1024], jobs, limits: FREE_LIMITS }, { policy, heuristic: fifo, rng: seededRng(1) });
  expect(policy.save().all.pulls).toBe(Math.ceil(jobs.length / LONGEST_STRETCH));
});

it('lets an arm that preempts do so, and asks to be looked at when that arm wants to', () => {
  const policy = createBandit({ name: 'bandit', algorithm: 'ucb1', arms: [las] });
  const [long, short] = world(1, 1).jobs;
  const jobs = [
    { ...long!, durationS: 5000, restartable: true, submittedAtS: 0 },
    { ...short!, durationS: 60, restartable: true, submittedAtS: 1000 },
  ];
  const outcomes = simulate(
    { devicesMib: [1024], jobs, limits: FREE_LIMITS },
    { policy, heuristic: fifo, rng: seededRng(1) },
  );
  expect(outcomes.map(({ job, preemptions }) => [job.id, preemptions])).toEqual([
    [2, 0],
    [1, 1],
  ]);
});

const FREE_LIMITS = {
  starvationAgeS: Number.POSITIVE_INFINITY,
  memoryMarginMib: 0,
  mostPerDevice: 2,
  maxPreemptions: Number.POSITIVE_INFINITY,
  minSpellS: 0,
  mayPause: false,
};
