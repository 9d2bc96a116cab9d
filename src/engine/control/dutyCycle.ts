/** How long a slice of running and the slice of standing still after it last together. Milliseconds. */
const PERIOD_MS = 200;
/** A slice of running is at least so long: below, starting and stopping would be most of it. */
const LEAST_ON_MS = 10;
/** A slice of standing still is at most so long. */
const LONGEST_OFF_MS = 2000;
/** What happened so long ago counts a third of what happens now. Milliseconds. */
const MEMORY_MS = 5000;
/** So much of what was missed or taken too much is made good in the next slice. */
const GAIN = 0.5;

/** Lengths of the next two slices. Milliseconds. */
export interface Slices {
  readonly onMs: number;
  readonly offMs: number;
}

/**
 * Chooses slices of running and of standing still so that a process tree gets a share of the processor time that it would
 * have had. A closed loop: how fast it goes while it runs is measured, and what it had in all is set against that, so that
 * late timers, and processes that run on for a moment after they were told to stop, are made good.
 */
export class DutyCycle {
  readonly share: number;
  /** Decayed sums: time running and standing still, and processor time taken in both. */
  #onMs = 0;
  #offMs = 0;
  #onCpuMs = 0;
  #offCpuMs = 0;

  /** @param share above 0, below 1. */
  constructor(share: number) {
    this.share = share;
  }

  /** What it had lately, of what it would have had; null before anything was measured. */
  get achieved(): number | null {
    const wallMs = this.#onMs + this.#offMs;
    return wallMs === 0 ? null : this.#hadMs() / wallMs;
  }

  /** @param cpuMs processor time that the tree took meanwhile. */
  ran(wallMs: number, cpuMs: number): void {
    this.#forget(wallMs);
    this.#onMs += wallMs;
    this.#onCpuMs += cpuMs;
  }

  stood(wallMs: number, cpuMs: number): void {
    this.#forget(wallMs);
    this.#offMs += wallMs;
    this.#offCpuMs += cpuMs;
  }

  next(): Slices {
    const owedMs = this.share * (this.#onMs + this.#offMs) - this.#hadMs();
    const wantedMs = this.share * PERIOD_MS + GAIN * owedMs;
    if (wantedMs >= LEAST_ON_MS) {
      const onMs = Math.min(PERIOD_MS, wantedMs);
      return { onMs, offMs: PERIOD_MS - onMs };
    }
    // No shorter slice is worth it, so it stands still for longer, also for what it has had too much.
    const offMs = LEAST_ON_MS / this.share - LEAST_ON_MS + (GAIN * Math.max(0, -owedMs)) / this.share;
    return { onMs: LEAST_ON_MS, offMs: Math.min(LONGEST_OFF_MS, offMs) };
  }

  /** Time running, with what it took while it should have stood still. */
  #hadMs(): number {
    const rate = this.#onMs === 0 ? 0 : this.#onCpuMs / this.#onMs;
    return this.#onMs + (rate === 0 ? 0 : this.#offCpuMs / rate);
  }

  #forget(wallMs: number): void {
    const kept = Math.exp(-wallMs / MEMORY_MS);
    this.#onMs *= kept;
    this.#offMs *= kept;
    this.#onCpuMs *= kept;
    this.#offCpuMs *= kept;
  }
}
