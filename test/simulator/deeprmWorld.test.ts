import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDeeprmPolicy } from '../../src/simulator/deeprm/policies.ts';
import {
  DEEPRM,
  type DeeprmArrival,
  type DeeprmOptions,
  type DeeprmSequence,
  DeeprmWorld,
  slowdownOf,
} from '../../src/simulator/deeprm/world.ts';

const WAIT = DEEPRM.wait;
const job = (lengthSteps: number, first: number, second: number): DeeprmArrival => ({
  lengthSteps,
  demand: [first, second],
});
const times = <T>(n: number, value: T): T[] => Array.from({ length: n }, () => value);

/** A world after some actions, with what each of them brought. */
function played(sequence: DeeprmSequence, actions: readonly number[], options?: DeeprmOptions) {
  const world = new DeeprmWorld(sequence, options);
  const rewards = actions.map((action) => world.act(action));
  return { world, rewards };
}

function finish(world: DeeprmWorld, policy: string): DeeprmWorld {
  const choose = createDeeprmPolicy(policy, 1);
  while (!world.over) world.act(choose(world));
  return world;
}

describe("DeepRM's world", () => {
  it('plays a small episode as computed by hand', () => {
    const { world, rewards } = played(
      [null, job(2, 10, 1), job(1, 5, 1)],
      [
        WAIT, // step 1: the first job comes
        0, // it starts; time stands still
        WAIT, // step 2: the second job comes
        WAIT, // step 3: the first is over
        0, // the second starts
        WAIT, // step 4: it is over, and all is done
      ],
    );
    expect(rewards).toEqual([-1 / 2, 0, -3 / 2, -1, 0, 0]);
    expect(world.over).toBe(true);
    expect(world.finished).toEqual([
      { ...job(2, 10, 1), id: 0, enteredStep: 1, startStep: 1, finishStep: 3 },
      { ...job(1, 5, 1), id: 1, enteredStep: 2, startStep: 3, finishStep: 4 },
    ]);
    expect(world.finished.map(slowdownOf)).toEqual([1, 2]);
  });

  it('reserves the earliest gap, without letting a step pass', () => {
    const { world } = played([null, job(2, 10, 1), job(1, 5, 1)], [WAIT, 0, WAIT, 0]);
    expect(world.step).toBe(2);
    expect(world.placed.map((placed) => placed.startStep)).toEqual([1, 3]);
    expect(world.free.slice(0, 3)).toEqual([
      [0, 9],
      [5, 9],
      [10, 10],
    ]);
  });

  it('lets nothing enter from the first element, and a step pass for an empty slot', () => {
    const { world, rewards } = played([job(1, 1, 1), null, null], [7, WAIT, WAIT]);
    expect(rewards).toEqual([0, 0, 0]);
    expect([world.over, world.finished.length, world.step]).toEqual([true, 0, 3]);
  });

  it('leaves the last step of the horizon free, and lets a step pass for a job that finds no gap', () => {
    // Each wants all of the first resource. After the first, the horizon has 11 steps left, and the last is not for use.
    const { world, rewards } = played([null, job(10, 10, 1), job(10, 10, 1)], [WAIT, 0, WAIT, 0]);
    expect(rewards.at(-1)).toBe(0);
    expect(world.placed.map((placed) => placed.startStep)).toEqual([1, 11]);
    const tight = played([null, job(10, 10, 1), job(11, 10, 1)], [WAIT, 0, WAIT, 0]);
    expect(tight.rewards.at(-1)).toBeCloseTo(-(1 / 10 + 1 / 11), 12);
    expect([tight.world.step, tight.world.placed.length]).toEqual([3, 1]);
  });

  it('fills an emptied slot from the head of the backlog, and drops what finds it full', () => {
    const { world } = played([null, ...times(72, job(3, 1, 1))], times(72, WAIT));
    expect(world.slots.map((slot) => slot?.id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([world.backlog.length, world.backlog[0]?.id, world.dropped]).toEqual([60, 10, 2]);
    world.act(3);
    expect(world.slots.map((slot) => slot?.id)).toEqual([0, 1, 2, 10, 4, 5, 6, 7, 8, 9]);
    expect([world.backlog.length, world.backlog[0]?.id]).toEqual([59, 11]);
  });

  it('keeps the second of two that finish together a step longer only as published', () => {
    const sequence = [null, job(2, 1, 1), job(1, 1, 1)];
    const actions = [WAIT, 0, WAIT, 0, WAIT];
    const { world, rewards } = played(sequence, actions);
    expect([world.over, rewards]).toEqual([true, [-1 / 2, 0, -3 / 2, 0, 0]]);
    const original = played(sequence, actions, { asPublished: true });
    expect([original.world.over, original.rewards]).toEqual([false, [-1 / 2, 0, -3 / 2, 0, -1]]);
    expect(original.world.act(WAIT)).toBe(0);
    expect(original.world.over).toBe(true);
    expect(original.world.finished).toEqual(world.finished);
  });

  it.each([-1, 11, 0.5, Number.NaN])('refuses %d for an action', (action) => {
    expect(() => new DeeprmWorld([null]).act(action)).toThrow(
      expect.objectContaining({ name: 'FieldError', field: 'action' }),
    );
  });

  it('refuses to go on after its end', () => {
    const { world } = played([null], [WAIT]);
    expect(() => world.act(WAIT)).toThrow(expect.objectContaining({ name: 'ConflictError' }));
  });
});

describe("DeepRM's heuristics", () => {
  const choice = (policy: string, { world }: { world: DeeprmWorld }) => createDeeprmPolicy(policy, 1)(world);

  it('prefer what they should', () => {
    // Alignment with the empty machine: 60, 80, 80. Length: 2, 3, 1.
    const two = played([null, job(2, 1, 5), job(3, 6, 2), job(1, 1, 7)], [WAIT, WAIT, WAIT]);
    expect(['sjf', 'packer', 'first-fit', 'tetris:0', 'tetris:1'].map((name) => choice(name, two))).toEqual([
      2, 1, 0, 2, 1,
    ]);
    // 0.5 · 60 + 0.25, 0.5 · 80 + 1/6, 0.5 · 80 + 0.5
    expect(choice('tetris:0.5', two)).toBe(2);
  });

  it('take the lowest slot among equals; first-fit the earliest to come, wherever it is', () => {
    // The job of slot 0 starts and makes room there for one that comes later than the one in slot 1.
    const after = played([null, job(1, 1, 1), job(1, 2, 1), job(1, 2, 1)], [WAIT, WAIT, 0, WAIT]);
    expect(after.world.slots.slice(0, 2).map((slot) => slot?.id)).toEqual([2, 1]);
    expect(['sjf', 'packer', 'tetris:0.3', 'first-fit'].map((name) => choice(name, after))).toEqual([
      0, 0, 0, 1,
    ]);
  });

  it('wait where nothing fits now, though it could be reserved', () => {
    const full = played([null, job(3, 10, 1), job(1, 1, 1)], [WAIT, 0, WAIT]);
    expect(['sjf', 'packer', 'tetris:0.5', 'first-fit'].map((name) => choice(name, full))).toEqual(
      times(4, WAIT),
    );
  });

  it('include one that acts at random, each action as often as the others, and the same for a seed', () => {
    const drawn = (seed: number, n: number) => {
      const choose = createDeeprmPolicy('random', seed);
      const world = new DeeprmWorld([null]);
      return Array.from({ length: n }, () => choose(world));
    };
    const counts = times(11, 0);
    for (const action of drawn(3, 11_000)) counts[action]! += 1;
    // 1000 each, give or take five standard deviations.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(151);
    expect(drawn(3, 50)).toEqual(drawn(3, 50));
    expect(drawn(3, 50)).not.toEqual(drawn(4, 50));
  });

  it.each(['', 'SJF', 'tetris', 'tetris:', 'tetris:1.1', 'tetris:-1', 'tetris:1e-3', 'fifo'])(
    'are not called %j',
    (name) => {
      expect(() => createDeeprmPolicy(name, 1)).toThrow(
        expect.objectContaining({ name: 'FieldError', field: 'policy', value: name }),
      );
    },
  );
});

describe('whatever arrives and however one acts', () => {
  const units = fc.integer({ min: 0, max: DEEPRM.capacity });
  const arrival = fc
    .tuple(fc.integer({ min: 1, max: 19 }), units, units)
    .map(([length, first, second]) => job(length, first, second));
  const sequences = fc.array(fc.option(arrival, { freq: 4 }), { minLength: 1, maxLength: 110 });
  const actions = fc.array(fc.integer({ min: 0, max: WAIT }), { maxLength: 150 });
  const policies = fc.constantFrom('sjf', 'packer', 'first-fit', 'tetris:0.01', 'random');
  const runs = { numRuns: 60 };

  it('no resource is promised twice, no job is lost, and time goes on or a job is placed', () => {
    fc.assert(
      fc.property(sequences, actions, policies, fc.boolean(), (sequence, taken, policy, asPublished) => {
        const world = new DeeprmWorld(sequence, { asPublished });
        const choose = createDeeprmPolicy(policy, 1);
        const rest = [...taken];
        while (!world.over) {
          const before = { step: world.step, placed: world.placed.length };
          const reward = world.act(rest.shift() ?? choose(world));
          const placed = world.placed.filter((one) => one.finishStep > world.step);
          if (world.step === before.step) {
            expect([reward, world.placed.length]).toEqual([0, before.placed + 1]);
          } else {
            expect(world.step).toBe(before.step + 1);
            expect(reward).toBeLessThanOrEqual(0);
          }
          const overdrawn = world.free.findIndex((free, ahead) => {
            const at = world.step + ahead;
            const active = placed.filter((one) => one.startStep <= at && at < one.finishStep);
            return ([0, 1] as const).some((resource) => {
              const used = active.reduce((sum, one) => sum + one.demand[resource], 0);
              return used > DEEPRM.capacity || free[resource] !== DEEPRM.capacity - used;
            });
          });
          expect(overdrawn).toBe(-1);
          const arrived = sequence.slice(1, world.step + 1).filter((one) => one !== null).length;
          const waiting = world.slots.filter((slot) => slot !== null).length + world.backlog.length;
          expect(world.finished.length + placed.length + waiting + world.dropped).toBe(arrived);
        }
        expect(new Set(world.finished.map((one) => one.id)).size).toBe(world.finished.length);
        for (const one of world.finished) {
          expect(one.startStep).toBeGreaterThanOrEqual(one.enteredStep);
          expect(one.finishStep).toBe(one.startStep + one.lengthSteps);
          expect(slowdownOf(one)).toBeGreaterThanOrEqual(1);
          expect(sequence[one.enteredStep]).toMatchObject({
            lengthSteps: one.lengthSteps,
            demand: one.demand,
          });
        }
      }),
      runs,
    );
  });

  it('the authors’ way of leaving changes no job of a heuristic', () => {
    fc.assert(
      fc.property(
        sequences,
        policies.filter((name) => name !== 'random'),
        (sequence, policy) => {
          const [ours, theirs] = [{}, { asPublished: true }].map((options) =>
            finish(new DeeprmWorld(sequence, options), policy),
          );
          expect(theirs!.finished).toEqual(ours!.finished);
          expect(theirs!.step - ours!.step).toBeGreaterThanOrEqual(0);
        },
      ),
      runs,
    );
  });
});
