import type { Rng } from '../../domain/rng.ts';

const SIZE = 624;
const SHIFT = 397;

/** Randomness that also draws whole numbers without a detour over fractions. */
export interface IntegerRng extends Rng {
  /** Uniform among 0 … n − 1, for n from 1 to 2³². */
  below(n: number): number;
}

/**
 * MT19937 (Matsumoto & Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998), drawing as numpy's `RandomState(seed)`
 * does: `next()` is its `rand()`, `below(n)` its `randint(n)`. With it DeepRM's published sequences, and figures of
 * anyone who acted at random through numpy, come out to the digit.
 * @param seed a whole number from 0 to 2³² − 1.
 */
export function mersenneTwister(seed: number): IntegerRng {
  const state = new Uint32Array(SIZE);
  state[0] = seed;
  for (let i = 1; i < SIZE; i++) {
    const before = state[i - 1]!;
    state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
  }
  let at = SIZE;
  const word = (): number => {
    if (at === SIZE) {
      for (let i = 0; i < SIZE; i++) {
        const y = (state[i]! & 0x80000000) | (state[(i + 1) % SIZE]! & 0x7fffffff);
        state[i] = state[(i + SHIFT) % SIZE]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      at = 0;
    }
    let y = state[at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
  return {
    next: () => ((word() >>> 5) * 0x4000000 + (word() >>> 6)) / 2 ** 53,
    below: (n) => {
      if (n === 1) return 0;
      const mask = 2 ** (32 - Math.clz32(n - 1)) - 1;
      for (;;) {
        const value = (word() & mask) >>> 0;
        if (value < n) return value;
      }
    },
  };
}
