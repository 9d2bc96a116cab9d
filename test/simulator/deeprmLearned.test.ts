import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDeeprmWeights } from '../../src/lab/deeprm.ts';
import { compareDeeprm } from '../../src/simulator/deeprm/compare.ts';
import { DEEPRM_FEATURES, deeprmCandidates } from '../../src/simulator/deeprm/features.ts';
import { mersenneTwister } from '../../src/simulator/deeprm/mersenneTwister.ts';
import { createDeeprmPolicy } from '../../src/simulator/deeprm/policies.ts';
import { generateSequences } from '../../src/simulator/deeprm/sequences.ts';
import { DEEPRM, DeeprmWorld } from '../../src/simulator/deeprm/world.ts';

const FILE = resolve(import.meta.dirname, '../../resources/policy/deeprm.json');
const KNOBS = [0, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1];

describe("dqn in DeepRM's world", () => {
  it.each([
    [0.3, 0.97],
    [0.7, 0.8],
  ])('is ahead of the best-tuned tetris on the published sequences at rate %d', (rate, most) => {
    // Seed 42: no training and no validation draws it.
    const sequences = generateSequences(mersenneTwister(42), rate, 100, 50);
    const names = [...KNOBS.map((knob) => `tetris:${knob}`), 'dqn'];
    const rows = compareDeeprm(sequences, names, 1, readDeeprmWeights(FILE));
    const dqn = rows.pop()!;
    expect(dqn.jobs).toBe(rows[0]!.jobs);
    const best = Math.min(...rows.map(({ meanSlowdown }) => meanSlowdown!));
    expect(dqn.meanSlowdown! / best).toBeLessThan(most);
  });

  it('sees every job that can be placed, and waiting where an end would come', () => {
    const [sequence] = generateSequences(mersenneTwister(3), 0.9, 1, 50);
    const world = new DeeprmWorld(sequence!);
    while (!world.over) {
      const { actions, features } = deeprmCandidates(world);
      expect(features.length).toBe(actions.length * DEEPRM_FEATURES.length);
      expect(features.every((value) => value >= -1 && value <= 3)).toBe(true);
      const placeable = world.slots.flatMap((job, slot) =>
        job !== null && world.earliestStart(job) !== null ? [slot] : [],
      );
      const waits = placeable.length === 0 || world.placed.length > 0;
      expect(actions).toEqual(waits ? [...placeable, DEEPRM.wait] : placeable);
      world.act(actions[0]!);
    }
  });

  it('is refused without weights, or with such as are damaged', () => {
    expect(() => createDeeprmPolicy('dqn', 1)).toThrow('weights are missing');
    expect(() => readDeeprmWeights(import.meta.filename)).toThrow('mend its weights');
  });
});
