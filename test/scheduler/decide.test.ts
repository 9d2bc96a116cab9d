import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/domain/decision.ts';
import { ConflictError } from '../../src/domain/errors.ts';
import { type Rng, seededRng } from '../../src/domain/rng.ts';
import { actedInstead, decide, withApplied } from '../../src/scheduler/decide.ts';
import { FEATURE_COUNT, featuresOf } from '../../src/scheduler/features.ts';
import { heuristicByName } from '../../src/scheduler/policies/heuristics.ts';
import type { Policy, PolicyChoice, PolicyInput } from '../../src/scheduler/policy.ts';
import { recordedCandidates } from '../../src/scheduler/recorded.ts';
import { DEFAULT_LIMITS, type Snapshot } from '../../src/scheduler/snapshot.ts';
import { brief, GIB, NOW_MS, running, snapshot, waiting } from './build.ts';

const firstFit = heuristicByName('first-fit');
const priority = heuristicByName('priority');

/** A scoring policy that answers as told. */
function policyOf(choose: (input: PolicyInput) => PolicyChoice): Policy {
  return { name: 'dqn', version: 'w1', choose };
}

function scoring(scoreOf: (index: number, count: number) => number): Policy {
  return policyOf(({ snapshot: snap, candidates }) => {
    const scores = candidates.map((_, i) => scoreOf(i, candidates.length));
    const index = scores.indexOf(Math.max(...scores));
    return { index, scores, epsilon: 0.1, explored: false, features: featuresOf(snap, candidates) };
  });
}

const decideWith = (snap: Snapshot, policy: Policy, heuristic = firstFit, rng: Rng = seededRng(1)) =>
  decide({ snapshot: snap, policy, heuristic, rng, limits: DEFAULT_LIMITS });

const two = snapshot({ waiting: [waiting(1), waiting(2, { priority: 5 }), waiting(3, { gpus: 4 })] });

describe('decide', () => {
  it('asks the policy about what is allowed and aligns its scores with all candidates', () => {
    const step = decideWith(
      two,
      scoring((i) => [0.25, 0.75, 0.5][i] as number),
    );
    expect(step.candidates.map(({ action }) => brief(action))).toEqual(['1>g0', '2>g0', '3>g0+g1', 'wait']);
    expect(step.allowed).toEqual([0, 1, 3]);
    expect(step.allowedActions.map(brief)).toEqual(['1>g0', '2>g0', 'wait']);
    expect(step.scores).toEqual([0.25, 0.75, null, 0.5]);
    expect(brief(step.chosen)).toBe('2>g0');
    expect(brief(step.heuristicAction)).toBe('1>g0');
    expect(step.choice?.features).toHaveLength(3 * FEATURE_COUNT);
    expect([step.asked, step.fallback, step.policyName, step.policyVersion]).toEqual([
      true,
      null,
      'dqn',
      'w1',
    ]);
  });

  it('asks nobody when there is nothing to choose', () => {
    const never = policyOf(() => expect.fail('must not be asked'));
    for (const snap of [snapshot(), snapshot({ waiting: [waiting(1, { gpus: 4 })] })]) {
      const step = decideWith(snap, never, never);
      expect([step.chosen, step.choice, step.asked]).toEqual([{ kind: 'wait' }, null, false]);
      expect(step.heuristicAction).toEqual({ kind: 'wait' });
    }
    const forced = snapshot({ waiting: [waiting(1), waiting(2, { waitingSinceMs: 0 })] });
    expect(brief(decideWith(forced, never, never).chosen)).toBe('2>g0');
  });

  it('tells what somebody else did instead, beside what the policy had scored', () => {
    const step = decideWith(
      two,
      scoring((i) => [0.25, 0.75, 0.5][i] as number),
    );
    const instead = (action: Action) => actedInstead({ snapshot: two, limits: DEFAULT_LIMITS }, step, action);
    const offered = instead({ kind: 'launch', jobId: 1, deviceIds: ['g0'] });
    expect(brief(offered.chosen)).toBe('1>g0');
    expect(offered.scores).toEqual(step.scores);
    expect([offered.choice?.index, offered.choice?.features]).toEqual([0, step.choice?.features]);
    expect(offered.sentence).toMatch(/^started #1 on GPU 0/);
    expect(offered.sentence).not.toMatch(/scored/);
    // Nobody offered the larger GPU to it.
    const added = instead({ kind: 'launch', jobId: 1, deviceIds: ['g1'] });
    expect(added.candidates.map(({ action }) => brief(action))).toEqual([
      '1>g0',
      '2>g0',
      '3>g0+g1',
      'wait',
      '1>g1',
    ]);
    expect([added.allowed, brief(added.chosen), added.choice?.features]).toEqual([
      [0, 1, 3, 4],
      '1>g1',
      null,
    ]);
    expect(recordedCandidates(added)).toMatchObject({ chosen: 4, candidateCount: 5 });
    expect(brief(step.chosen)).toBe('2>g0');
  });

  const good: PolicyChoice = { index: 0, scores: null, epsilon: null, explored: false, features: null };
  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () =>
        (() => {
          throw new RangeError('weights are gone');
        })(),
      'weights are gone',
    ],
    [
      'throws a word',
      () =>
        (() => {
          throw 'odd';
        })(),
      'odd',
    ],
    ['answers nothing', () => undefined, 'undefined'],
    ['chooses too far', () => ({ ...good, index: 3 }), 'it chose candidate 3 of 3'],
    ['chooses below', () => ({ ...good, index: -1 }), 'it chose candidate -1 of 3'],
    ['chooses between', () => ({ ...good, index: 0.5 }), 'it chose candidate 0.5 of 3'],
    ['chooses NaN', () => ({ ...good, index: Number.NaN }), 'it chose candidate NaN of 3'],
    ['scores NaN', () => ({ ...good, scores: [1, Number.NaN, 0] }), 'a score is not a finite number'],
    ['scores infinity', () => ({ ...good, scores: [1, 2, -1 / 0] }), 'a score is not a finite number'],
    ['scores holes', () => ({ ...good, scores: new Array(3) }), 'a score is not a finite number'],
    ['scores too few', () => ({ ...good, scores: [1] }), 'it scored 1 of 3 candidates'],
    ['has a bad epsilon', () => ({ ...good, epsilon: Number.NaN }), 'its epsilon is not a finite number'],
    ['keeps silent on exploring', () => ({ ...good, explored: 1 }), 'it does not say whether it explored'],
    ['gives short features', () => ({ ...good, features: new Float32Array(5) }), 'it gave 5 features for 3'],
  ])('lets the heuristic decide when the policy %s', (_, answer, error) => {
    const step = decideWith(two, policyOf(answer as () => PolicyChoice), priority);
    expect(brief(step.chosen)).toBe('2>g0');
    expect(step.chosen).toBe(step.heuristicAction);
    expect(step.fallback).toEqual({ failed: 'dqn', error: expect.stringContaining(error) });
    expect(step.sentence).toMatch(/; dqn failed, so priority decided$/);
    expect([step.policyName, step.asked]).toEqual(['dqn', true]);
  });

  it('does not let a policy change what it is held to', () => {
    const thief = policyOf(({ candidates }) => {
      (candidates as unknown[]).length = 0;
      return good;
    });
    expect(decideWith(two, thief).fallback?.error).toMatch(/Cannot/);
  });

  it('waits when policy and heuristic both fail, and launches where waiting is not allowed', () => {
    const broken = policyOf(() => {
      throw new Error('broken');
    });
    const step = decideWith(two, broken, { ...broken, name: 'also' });
    expect([step.chosen.kind, step.fallback?.error]).toEqual(['wait', 'broken']);
    expect(step.sentence).toMatch(/dqn failed, so the safest choice was taken$/);
    const devices = two.devices.map((d) => ({ ...d, memoryTotalMib: (d.index + 8) * GIB }));
    const forced = snapshot({ devices, waiting: [waiting(1, { waitingSinceMs: 0 })] });
    expect(brief(decideWith(forced, broken, broken).chosen)).toBe('1>g1');
  });

  it('gives the same answer for the same input and seed', () => {
    const random = policyOf(({ candidates, rng }) => ({
      ...good,
      index: Math.floor(rng.next() * candidates.length),
    }));
    const run = () => decideWith(two, random, priority, seededRng(7));
    expect(run()).toEqual(run());
  });
});

describe('withApplied', () => {
  it('moves the job from the queue to its devices at the same instant', () => {
    const after = withApplied(two, { kind: 'launch', jobId: 1, deviceIds: ['g1'] });
    const { waitingSinceMs: _, urgentSinceMs: ___, moved: __, ...common } = waiting(1);
    expect(after).toEqual({
      ...two,
      waiting: two.waiting.slice(1),
      running: [
        {
          ...common,
          deviceIds: ['g1'],
          startedAtMs: NOW_MS,
          changedAtMs: NOW_MS,
          pausedBy: null,
          progress: null,
        },
      ],
    });
    expect(withApplied(two, { kind: 'wait' })).toBe(two);
  });

  it('refuses a job that does not wait', () => {
    expect(() => withApplied(two, { kind: 'launch', jobId: 9, deviceIds: [] })).toThrow(ConflictError);
  });
});

describe('heuristics', () => {
  /** The whole epoch under a policy. */
  function epoch(snap: Snapshot, policy: Policy): string[] {
    const actions: string[] = [];
    let current = snap;
    for (;;) {
      const { chosen, fallback } = decideWith(current, policy, policy);
      expect(fallback).toBeNull();
      actions.push(brief(chosen));
      if (chosen.kind === 'wait') return actions;
      current = withApplied(current, chosen);
    }
  }
  const whole = { vramMib: null };
  const queue = snapshot({
    waiting: [
      waiting(1, whole),
      waiting(2, { gpus: 2, ...whole }),
      waiting(3, whole),
      waiting(4, { ...whole, priority: 9 }),
      waiting(5, { gpus: 0, priority: -1 }),
    ],
  });

  it.each([
    // The head starts, the second needs both GPUs, and nobody passes it.
    ['fifo', ['1>g0', 'wait']],
    ['first-fit', ['1>g0', '3>g1', '5>', 'wait']],
    ['priority', ['4>g0', '1>g1', '5>', 'wait']],
  ] as const)('%s', (name, actions) => {
    expect(heuristicByName(name).name).toBe(name);
    expect(epoch(queue, heuristicByName(name))).toEqual(actions);
  });

  it('fifo is not stopped by a job that this machine can never hold', () => {
    const jobs = [waiting(1, { gpus: 3 }), waiting(2, { vramMib: 99 * GIB }), waiting(3), waiting(4, whole)];
    expect(epoch(snapshot({ waiting: jobs }), heuristicByName('fifo'))).toEqual(['3>g0', '4>g1', 'wait']);
  });

  it('fifo follows the shield where waiting is not allowed', () => {
    const devices = two.devices.map((d) => ({ ...d, memoryTotalMib: (d.index + 8) * GIB }));
    const old = { waitingSinceMs: 0 };
    const jobs = [waiting(1, { gpus: 2 }), waiting(2, old)];
    const snap = snapshot({ devices, waiting: jobs, running: [running(9, ['g0'], { vramMib: GIB })] });
    expect(decideWith(snap, heuristicByName('fifo')).fallback).toBeNull();
    expect(epoch(snap, heuristicByName('fifo'))[0]).toMatch(/^2>/);
  });

  it('all prefer an empty device to sharing', () => {
    const snap = snapshot({ waiting: [waiting(1)], running: [running(9, ['g0'])] });
    for (const name of ['fifo', 'first-fit', 'priority'] as const) {
      expect(epoch(snap, heuristicByName(name))).toEqual(['1>g1', 'wait']);
    }
  });
});
