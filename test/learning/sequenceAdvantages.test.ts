import { describe, expect, it } from 'vitest';
import { type Rollout, sequenceAdvantages } from '../../src/learning/sequenceAdvantages.ts';

const rollout = (timesS: number[], reward: number[], discount: number[]): Rollout => ({
  timesS,
  trajectory: {
    featureCount: 1,
    features: new Float32Array(reward.length),
    firstRow: Uint32Array.from({ length: reward.length + 1 }, (_, i) => i),
    chosen: new Uint16Array(reward.length),
    reward: Float32Array.from(reward),
    discount: Float32Array.from(discount),
    demonstrated: false,
  },
});

describe('advantages over other rollouts of the same arrivals', () => {
  it('are what a decision gained against what came of the same time elsewhere', () => {
    const bad = rollout([0, 10], [-4, -2], [0.5, 0]);
    const good = rollout([0, 10], [-1, -2], [0.5, 0]);
    const [ofBad, ofGood] = sequenceAdvantages([bad, good]);
    // −4 − 0.5·2 against −1 − 0.5·2, and then alike.
    expect([...ofBad!]).toEqual([-3, 0]);
    expect([...ofGood!]).toEqual([3, 0]);
  });

  it('take the others’ return from the very time of the decision, between two of theirs in proportion', () => {
    const one = rollout([0, 5], [-1, -1], [1, 0]);
    const other = rollout([0, 10], [-4, -2], [1, 0]);
    const [ofOne, ofOther] = sequenceAdvantages([one, other]);
    // At 5 the other has half of its 4 before it, and then 2.
    expect([...ofOne!]).toEqual([-2 + 6, -1 + 4]);
    // At 10 nobody knows what of the one's last reward is still to come: nothing.
    expect([...ofOther!]).toEqual([-6 + 2, -2 - 0]);
  });

  it('sum to nothing over rollouts that decided at the same times', () => {
    const three = [-3, -1, -8].map((r) => rollout([0, 7], [r, r / 2], [0.9, 0]));
    const all = sequenceAdvantages(three);
    for (const step of [0, 1]) expect(all.reduce((sum, of) => sum + of[step]!, 0)).toBeCloseTo(0, 6);
  });

  it('end where the machine is idle: what comes after is no decision’s doing', () => {
    const [of] = sequenceAdvantages([
      rollout([0, 100], [-1, -50], [0, 0]),
      rollout([0, 100], [-2, -50], [0, 0]),
    ]);
    expect([...of!]).toEqual([1, 0]);
  });
});
