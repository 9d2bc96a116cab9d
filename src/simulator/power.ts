/** What a GPU draws, in watts. */
export interface GpuPower {
  /** Nobody computes there. */
  readonly idleW: number;
  /** Somebody does: clocks and memory are up, however little is computed. */
  readonly awakeW: number;
  /** All of its time is used; between the two it grows with use. */
  readonly fullW: number;
}

/** About a data-centre card of 250 W. Our choice: what counts is how far the three lie apart. */
export const GPU_POWER: GpuPower = { idleW: 30, awakeW: 80, fullW: 250 };

/**
 * Watts above those of an idle GPU, which are drawn whatever is decided.
 * @param use share of the device's time that those who compute there use, as far as they get on; null: nobody computes.
 */
export function drawnW(use: number | null, { idleW, awakeW, fullW }: GpuPower = GPU_POWER): number {
  return use === null ? 0 : awakeW - idleW + (fullW - awakeW) * Math.min(1, Math.max(0, use));
}
