import { describe, expect, it } from 'vitest';
import { type JudgedWorld, verdictOn } from '../../../src/lab/gate/verdict.ts';

const fared = (meanJctS: number, maxWaitS = 100) => ({ meanJctS, maxWaitS });
const world = (candidate: number, inCharge: number, aged = inCharge, waitS = 100): JudgedWorld => ({
  candidate: fared(candidate, waitS),
  inCharge: fared(inCharge),
  heuristics: [{ policy: 'aged', ...fared(aged) }],
});

describe('the verdict on a candidate', () => {
  it('is good for one that is better everywhere', () => {
    const { passed, reason, standings } = verdictOn(
      [90, 80, 85, 95].map((s) => world(s, 100)),
      'old',
    );
    expect(passed).toBe(true);
    expect(reason).toMatch(/^mean completion time -1\d\.\d % against old, at least -\d+\.\d % for certain$/);
    expect(standings.map(({ policy }) => policy)).toEqual(['old', 'aged']);
    expect(standings[0]!.ratio).toBeCloseTo((0.9 * 0.8 * 0.85 * 0.95) ** 0.25, 9);
    expect(standings[0]!.high).toBeLessThan(1);
  });

  it.each([
    ['is the same', [100, 100, 100, 100]],
    ['is better by chance only', [50, 101, 101, 101]],
    ['is worse', [110, 120, 115, 105]],
  ])('refuses one that %s', (_what, jcts) => {
    const { passed, reason } = verdictOn(
      jcts.map((s) => world(s, 100)),
      'old',
    );
    expect(passed).toBe(false);
    expect(reason).toMatch(/^no certain gain over old/);
  });

  it('refuses one under which somebody starves', () => {
    const worlds = [world(90, 100), world(80, 100), world(85, 100, 100, 20_000)];
    expect(verdictOn(worlds, 'old')).toMatchObject({
      passed: false,
      reason: 'somebody waits too long: 20000 s where it was 100 s under old',
    });
  });

  it('refuses one that is better than what is in charge and worse than the heuristic that needs no learning', () => {
    const worlds = [90, 80, 85].map((s) => world(s, 100, 70));
    expect(verdictOn(worlds, 'old')).toMatchObject({
      passed: false,
      reason: expect.stringMatching(/^worse than aged/),
    });
  });
});
