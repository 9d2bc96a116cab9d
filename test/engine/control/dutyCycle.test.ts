import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DutyCycle } from '../../../src/engine/control/dutyCycle.ts';

interface World {
  /** How late a slice ends, in milliseconds. */
  readonly lateMs: number;
  /** Processor time that is taken a millisecond while it runs, and while it should stand still. */
  readonly rate: number;
  readonly leak: number;
}

/** What a tree had after ten seconds, of what it would have had. */
function hadUnder(share: number, { lateMs, rate, leak }: World): number {
  const cycle = new DutyCycle(share);
  let [wallMs, cpuMs] = [0, 0];
  while (wallMs < 10_000) {
    const { onMs, offMs } = cycle.next();
    cycle.ran(onMs + lateMs, rate * (onMs + lateMs));
    cycle.stood(offMs + lateMs, leak * (offMs + lateMs));
    wallMs += onMs + offMs + 2 * lateMs;
    cpuMs += rate * (onMs + lateMs) + leak * (offMs + lateMs);
  }
  return cpuMs / (rate * wallMs);
}

describe('slices of running and standing still', () => {
  it.each([0.05, 0.25, 0.4, 0.75, 0.95])('give %d of the time', (share) => {
    expect(Math.abs(hadUnder(share, { lateMs: 0, rate: 2, leak: 0 }) - share)).toBeLessThan(0.01);
  });

  it('make good that timers are late and that some run on, whatever the speed', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.2, max: 0.9, noNaN: true }),
        fc.double({ min: 0, max: 30, noNaN: true }),
        fc.double({ min: 0.2, max: 16, noNaN: true }),
        fc.double({ min: 0, max: 0.1, noNaN: true }),
        (share, lateMs, rate, leak) => {
          expect(Math.abs(hadUnder(share, { lateMs, rate, leak: leak * rate }) - share)).toBeLessThan(0.05);
        },
      ),
    );
  });

  it('are as good for a tree that takes no processor time, and say what they gave', () => {
    const cycle = new DutyCycle(0.5);
    expect(cycle.achieved).toBe(null);
    cycle.ran(100, 0);
    cycle.stood(100, 0);
    expect(cycle.achieved).toBeCloseTo(0.5, 1);
    expect(cycle.next().onMs).toBeGreaterThan(80);
  });
});
