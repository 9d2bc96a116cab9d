import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Restraint } from '../../../src/lab/gate/restraint.ts';

let usedS: number;
beforeEach(() => {
  vi.useFakeTimers();
  usedS = 5;
});
afterEach(() => void vi.useRealTimers());

/** Whether a rest is over. */
function resting(restraint: Restraint): () => boolean {
  let over = false;
  void restraint.rest().then(() => {
    over = true;
  });
  return () => over;
}

describe('a restraint', () => {
  it('rests nine times as long as was worked for a tenth of a core, and not at all for a whole one', async () => {
    const restraint = new Restraint(0.1, () => usedS);
    usedS += 2;
    const over = resting(restraint);
    await vi.advanceTimersByTimeAsync(17_900);
    expect(over()).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    expect(over()).toBe(true);
    // What was rested for is not rested for again.
    const again = resting(restraint);
    await vi.advanceTimersByTimeAsync(0);
    expect(again()).toBe(true);
    restraint.share = 1;
    usedS += 100;
    const whole = resting(restraint);
    await vi.advanceTimersByTimeAsync(0);
    expect(whole()).toBe(true);
  });

  it('waits while nothing may be taken, and goes on as soon as something may', async () => {
    const restraint = new Restraint(0, () => usedS);
    const over = resting(restraint);
    await vi.advanceTimersByTimeAsync(10 * 3_600_000);
    expect(over()).toBe(false);
    restraint.share = 0.5;
    await vi.advanceTimersByTimeAsync(0);
    expect(over()).toBe(true);
  });
});
