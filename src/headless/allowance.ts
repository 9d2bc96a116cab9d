/** A token bucket: so many at once, and so many a second after that. */
export class Allowance {
  readonly #burst: number;
  readonly #perS: number;
  readonly #nowMs: () => number;
  #left: number;
  #atMs: number;

  /** @param nowMs monotonic. */
  constructor(
    { burst, perS }: { readonly burst: number; readonly perS: number },
    nowMs = () => performance.now(),
  ) {
    this.#burst = burst;
    this.#perS = perS;
    this.#nowMs = nowMs;
    this.#left = burst;
    this.#atMs = nowMs();
  }

  /** @returns false if there is none left now. */
  take(): boolean {
    const nowMs = this.#nowMs();
    this.#left = Math.min(this.#burst, this.#left + ((nowMs - this.#atMs) / 1000) * this.#perS);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** Whole seconds until there is one again, at least 1. */
  waitS(): number {
    return Math.max(1, Math.ceil((1 - this.#left) / this.#perS));
  }
}
