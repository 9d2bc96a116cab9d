/** Keeps work within a part of one core: after each piece it rests for as long as that asks for. */
export class Restraint {
  #share: number;
  readonly #usedS: () => number;
  #restedUpToS: number;
  #changed: () => void = () => undefined;

  /**
   * @param share 0 to 1; 0: nothing may be taken, so that it rests until the share is another.
   * @param usedS of the processor by this process so far, seconds.
   */
  constructor(share: number, usedS: () => number) {
    this.#share = share;
    this.#usedS = usedS;
    this.#restedUpToS = usedS();
  }

  /** From now on, also for a rest that is under way. */
  set share(share: number) {
    this.#share = share;
    this.#changed();
  }

  /** Rests for what was used since the last rest. */
  async rest(): Promise<void> {
    const usedS = this.#usedS();
    const takenS = usedS - this.#restedUpToS;
    const beganMs = performance.now();
    for (;;) {
      const share = this.#share;
      const restMs = share > 0 ? 1000 * takenS * (1 / share - 1) : Number.POSITIVE_INFINITY;
      const leftMs = restMs - (performance.now() - beganMs);
      if (leftMs <= 0) break;
      await new Promise<void>((resolve) => {
        // A timer alone would be too short where there is no end to it.
        const timer = setTimeout(resolve, Math.min(leftMs, LONGEST_TIMER_MS));
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#restedUpToS = this.#usedS();
  }
}

const LONGEST_TIMER_MS = 3_600_000;
