/** How the rate of arrivals changes over the week, which starts on Monday at 0:00 with the trace. */
export interface Rhythm {
  /** Weight of each of the 24 hours of a day. */
  readonly hours: readonly number[];
  /** Weight of each day, Monday first. */
  readonly days: readonly number[];
}

const HOUR_S = 3600;

/** Turns time of a Poisson process of rate 1 into time of one whose rate follows a rhythm, with a mean of 1 a week. */
export class RhythmClock {
  /** Of each hour of the week; the mean is 1. Null: always 1. */
  readonly #rates: readonly number[] | null;
  #nowS = 0;

  constructor(rhythm: Rhythm | null) {
    if (rhythm === null) {
      this.#rates = null;
      return;
    }
    const weights = rhythm.days.flatMap((day) => rhythm.hours.map((hour) => day * hour));
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
    this.#rates = weights.map((weight) => weight / mean);
  }

  /**
   * Lets `work` seconds pass at a rate of 1: fewer where the rate is higher.
   * @returns the time then, s from the start, to a millisecond: so the last bits of a logarithm do not add up.
   */
  advance(work: number): number {
    this.#nowS = Math.round(1000 * this.#after(work)) / 1000;
    return this.#nowS;
  }

  #after(work: number): number {
    const rates = this.#rates;
    if (rates === null) return this.#nowS + work;
    // Whole weeks at once: each takes just as much as it lasts.
    const weekS = rates.length * HOUR_S;
    const weeks = Math.floor(work / weekS);
    let atS = this.#nowS + weeks * weekS;
    let left = work - weeks * weekS;
    for (;;) {
      const hour = Math.floor(atS / HOUR_S);
      const endS = (hour + 1) * HOUR_S;
      const rate = rates[hour % rates.length]!;
      const here = (endS - atS) * rate;
      if (left <= here && rate > 0) return atS + left / rate;
      left -= here;
      atS = endS;
    }
  }
}
