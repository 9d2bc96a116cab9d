import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FieldError } from '../../src/domain/errors.ts';
import { isNews, readProgress } from '../../src/domain/progress.ts';
import {
  addParts,
  costRates,
  discountOver,
  jain,
  priorityWeight,
  rewardOver,
  scalarise,
} from '../../src/domain/reward.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { formatDuration, formatMib, parseMemoryMib } from '../../src/domain/units.ts';

describe('memory', () => {
  it.each([
    ['4GiB', 4096],
    ['1.5g', 1536],
    ['800 MiB', 800],
    ['24GB', 22889],
    ['2tib', 2 * 1024 * 1024],
  ])('%s', (text, mib) => expect(parseMemoryMib(text, 'vram')).toBe(mib));

  it.each(['4096', '', '0GiB', '-1GiB', '4 potatoes', '1e9GiB', 'NaNGiB', '999999999999999999TiB'])(
    'refuses %j, naming the field',
    (text) => {
      expect(() => parseMemoryMib(text, 'vram')).toThrow(FieldError);
      expect(() => parseMemoryMib(text, 'vram')).toThrow(/^vram: .*800MiB or 4GiB/);
    },
  );

  it('is shown with its unit', () => {
    expect([640, 1024, 11469, 163_840].map(formatMib)).toEqual(['640 MiB', '1 GiB', '11.2 GiB', '160 GiB']);
  });
});

it('shows durations in two units at most', () => {
  expect([850, 42_000, 200_000, 18_720_000, 183_600_000].map(formatDuration)).toEqual([
    '850 ms',
    '42 s',
    '3 min 20 s',
    '5 h 12 min',
    '2 d 3 h',
  ]);
});

describe('progress', () => {
  it.each([
    ['epoch 3/12 loss 0.2', 0.25, 'epoch 3/12'],
    ['Epoch [5/10], Step [50/100], Loss: 0.1', 0.45, 'epoch 5/10, step 50/100'],
    ['Epoch 2 of 4', 0.5, 'epoch 2/4'],
    [' 42%|████▏     | 42/100 [00:03<00:04, 13.5it/s]', 0.42, '42/100'],
    ['a\r 10%|█   | 1/10 [0s]\r 20%|██  | 2/10 [0s]', 0.2, '2/10'],
    ['iter 30/60', 0.5, 'iter 30/60'],
    ['STINT_PROGRESS={"step": 3, "total": 4}', 0.75, 'step 3/4'],
    ['epoch 1/4\nsaving checkpoint\n', 0.25, 'epoch 1/4'],
    ['Epoch 3/10:  50%|█████     | 25/50 [00:03<00:04, 13.5it/s]', 0.25, 'epoch 3/10, step 25/50'],
    ['Epoch 3:  42%|████▏  | 42/100 [00:03<00:04, 13.5it/s, v_num=0, loss=0.5]', 0.42, 'epoch 3, 42/100'],
    ['Epoch 2/5\n 50/100 [==========>.....] - ETA: 3s - loss: 0.5', 0.3, 'epoch 2/5, step 50/100'],
    [
      'Epoch 2/5\n\u001b[1m 50/100\u001b[0m \u001b[32m━━━━\u001b[0m\u001b[37m━━\u001b[0m \u001b[1m3s\u001b[0m 10ms/step - loss: 0.5',
      0.3,
      'epoch 2/5, step 50/100',
    ],
    ['Epoch 5/5\n100/100 - 3s - loss: 0.5', 1, 'epoch 5/5, step 100/100'],
    ['STINT_PROGRESS={"step": 1, "total": 4, "loss": NaN}', 0.25, 'step 1/4'],
  ])('%j', (text, fraction, label) => {
    const progress = readProgress(text);
    expect(progress?.fraction).toBeCloseTo(fraction, 10);
    expect(progress?.label).toBe(label);
  });

  it.each(['', 'hello', 'epoch three', 'STINT_PROGRESS={"step"', 'step 3/0', '1/2'])(
    'finds none in %j',
    (text) => {
      expect(readProgress(text)).toBeNull();
    },
  );

  /** How many events a job makes that is looked at each second. */
  function events(seconds: number, fractionAt: (second: number) => number): number {
    let known: { fraction: number; atMs: number } | null = null;
    let count = 0;
    for (let second = 0; second <= seconds; second++) {
      const seen = { fraction: fractionAt(second), atMs: second * 1000 };
      if (!isNews({ known, startedAtMs: 0, ...seen, last: second === seconds })) continue;
      known = seen;
      count++;
    }
    return count;
  }

  it('is told at every per cent, and does not fill the log when it starts anew with every epoch', () => {
    const day = 86_400;
    expect(events(day, (second) => second / day)).toBe(101);
    expect(events(3 * day, (second) => (second % 60) / 60)).toBeLessThan(2000);
    expect(events(3 * day, (second) => (second % 60) / 60)).toBeGreaterThan(3 * 24 * 12 - 100);
  });

  it('is told again after the clock was set', () => {
    const known = { fraction: 0.1, atMs: 1e9 };
    const later = { known, startedAtMs: 1e9 - 1000, fraction: 0.2, last: false };
    for (const atMs of [1e9 + 1e6, 1e9 - 1e6]) expect(isNews({ ...later, atMs })).toBe(true);
  });

  it('never fails and never leaves [0, 1], whatever is printed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.nat(), fc.nat(), (noise, a, b) => {
        for (const text of [noise, `epoch ${a}/${b}`, `STINT_PROGRESS={"step":${a},"total":${b}}`]) {
          const fraction = readProgress(text)?.fraction ?? 0;
          expect(fraction >= 0 && fraction <= 1).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('reward', () => {
  const load = {
    waiting: 3,
    running: 1,
    weight: 4,
    devices: 2,
    idleDevices: 1,
    waitingGpus: 4,
    serviceByUser: [30, 10],
  };

  it('is a cost rate, by hand', () => {
    expect(costRates(load)).toEqual({ completion: 1, utilisation: 0.5, fairness: 1 - 1600 / (2 * 1000) });
  });

  it('counts a job twice for each 10 of priority, within bounds', () => {
    expect([0, 10, -10, 30, 1000, -1000].map(priorityWeight)).toEqual([1, 2, 0.5, 8, 8, 0.125]);
  });

  it('over a time is the discounted integral, and pieces add up to the whole', () => {
    const rates = costRates(load);
    const whole = rewardOver(rates, 100, 0.01);
    expect(whole.completion).toBeCloseTo(-(1 - Math.exp(-1)), 12);
    const pieces = addParts(rewardOver(rates, 40, 0.01), rewardOver(rates, 60, 0.01), discountOver(40, 0.01));
    expect(pieces.completion).toBeCloseTo(whole.completion, 12);
    expect(discountOver(0)).toBe(1);
    expect(scalarise(rewardOver(rates, 0), { completion: 1, utilisation: 1, fairness: 1 })).toBeCloseTo(
      0,
      12,
    );
  });

  it('uses an index of fairness that is 1 for equals and 1/n for one who has all', () => {
    expect([jain([]), jain([0, 0]), jain([5, 5, 5]), jain([9, 0, 0])]).toEqual([1, 1, 1, 1 / 3]);
  });
});

it('draws the same numbers for a seed, on every machine', () => {
  const rng = seededRng(42);
  const first = [rng.next(), rng.next(), rng.next()];
  const again = seededRng(42);
  expect([again.next(), again.next(), again.next()]).toEqual(first);
  expect(first.every((x) => x >= 0 && x < 1)).toBe(true);
  const other = seededRng(43);
  expect(other.next()).not.toBe(first[0]);
  let sum = 0;
  for (let i = 0; i < 10_000; i++) sum += rng.next();
  expect(sum / 10_000).toBeCloseTo(0.5, 1);
});
