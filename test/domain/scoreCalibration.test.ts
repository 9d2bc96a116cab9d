import { expect, it } from 'vitest';
import { DISCOUNT_RATE_PER_S, discountOver, rewardOver } from '../../src/domain/reward.ts';
import { type ScoredStep, scoreCalibrationOf } from '../../src/domain/scoreCalibration.ts';

/** Decisions `gapS` apart at a constant cost rate, of which the last ends the episode. */
function episode(
  fromMs: number,
  rates: readonly number[],
  gapS: number,
  score: (i: number) => number | null,
) {
  return rates.map((rate, i): ScoredStep => {
    const parts = { completion: rate, utilisation: 0, fairness: 0 };
    return {
      atMs: fromMs + 1000 * gapS * i,
      score: score(i),
      reward: rewardOver(parts, gapS).completion,
      discount: discountOver(gapS),
      done: i === rates.length - 1,
    };
  });
}

/** The same by its definition: −∫ β e^(−βt) c dt from decision i on. */
function costAhead(rates: readonly number[], gapS: number, i: number): number {
  let cost = 0;
  for (let j = i; j < rates.length; j++) {
    const [from, to] = [(j - i) * gapS, (j + 1 - i) * gapS];
    cost += rates[j]! * (Math.exp(-DISCOUNT_RATE_PER_S * from) - Math.exp(-DISCOUNT_RATE_PER_S * to));
  }
  return cost;
}

const RATES = Array.from({ length: 40 }, (_, i) => 1 + Math.sin(i / 5));

it('finds nothing to mend in scores that are the returns to come', () => {
  const told = episode(5000, RATES, 300, (i) => -costAhead(RATES, 300, i));
  const calibration = scoreCalibrationOf([...told, ...episode(1e9, RATES, 300, () => null)]);
  expect(calibration).toMatchObject({ decisions: 40, pending: 0 });
  expect(calibration.correlation).toBeCloseTo(1, 10);
  expect(calibration.error).toBeCloseTo(0, 10);
  expect(calibration.bins).toHaveLength(4);
  for (const bin of calibration.bins) {
    expect(bin).toMatchObject({ decisions: 10 });
    expect(bin.came).toBeCloseTo(bin.foretold, 10);
    expect(bin.p10).toBeLessThanOrEqual(bin.p90);
  }
});

it('shows scores that promise half of the cost, and such as know nothing', () => {
  const half = scoreCalibrationOf(episode(0, RATES, 300, (i) => -costAhead(RATES, 300, i) / 2));
  expect(half.came! / half.foretold!).toBeCloseTo(2, 10);
  expect(half.error).toBeCloseTo(half.came! / 2, 10);
  expect(scoreCalibrationOf(episode(0, RATES, 300, () => -1))).toMatchObject({ correlation: null });
});

it('waits for what has not come, and counts no further than a gap', () => {
  const open = episode(0, RATES, 300, (i) => -i).map((step) => ({ ...step, done: false }));
  // e^(−300 k / 1800) ≤ 0.05 from k = 18 on: the last 17 are open.
  expect(scoreCalibrationOf(open)).toMatchObject({ decisions: 23, pending: 17 });
  const torn = [
    ...open.slice(0, 20),
    ...open.slice(20).map((step) => ({ ...step, atMs: step.atMs + 60_000 })),
  ];
  expect(scoreCalibrationOf(torn)).toMatchObject({ decisions: 6, pending: 34, bins: [], came: null });
});
