import { describe, expect, it } from 'vitest';
import { randomNormal, seededRng } from '../../src/domain/rng.ts';
import { missOf, stretched, stretchOf } from '../../src/domain/startSpread.ts';

const MADE_MS = 1_000_000;
const at = (s: number): number => MADE_MS + 1000 * s;
const spread = { p10Ms: at(50), p50Ms: at(100), p90Ms: at(400) };

describe('the spread of an expected start', () => {
  it('is missed by nothing at its median and by one on its edges', () => {
    expect(missOf(spread, MADE_MS, at(100))).toBe(0);
    expect(missOf(spread, MADE_MS, at(50))).toBeCloseTo(1, 9);
    expect(missOf(spread, MADE_MS, at(400))).toBeCloseTo(1, 9);
    expect(missOf(spread, MADE_MS, at(1600))).toBeCloseTo(2, 9);
  });

  it('is stretched about its median, and what is open or at once stays so', () => {
    expect(stretched(spread, MADE_MS, 2)).toEqual({ p10Ms: at(25), p50Ms: at(100), p90Ms: at(1600) });
    expect(stretched(spread, MADE_MS, 1)).toEqual(spread);
    const open = { p10Ms: MADE_MS, p50Ms: at(10), p90Ms: null };
    expect(stretched(open, MADE_MS, 3)).toEqual(open);
    const far = { p10Ms: at(9), p50Ms: null, p90Ms: null };
    expect(stretched(far, MADE_MS, 3)).toEqual(far);
  });

  it('holds eight times in ten once its record is known, however wrong the futures were', () => {
    const rng = seededRng(7);
    // True starts are spread two and a half times as widely as was said.
    const start = (): number => at(100 * Math.exp((2.5 * Math.log(4) * randomNormal(rng)) / 1.2816));
    const narrow = { p10Ms: at(25), p50Ms: at(100), p90Ms: at(400) };
    const record = Array.from({ length: 100 }, () => missOf(narrow, MADE_MS, start()));
    const { p10Ms, p90Ms } = stretched(narrow, MADE_MS, stretchOf(record));
    const later = Array.from({ length: 1000 }, start).filter((ms) => ms >= p10Ms! && ms <= p90Ms!);
    expect(later.length).toBeGreaterThan(700);
    expect(later.length).toBeLessThan(890);
    expect(stretchOf([])).toBe(1);
    expect(stretchOf(record.slice(0, 2))).toBeLessThan(stretchOf(record));
  });
});
