import type { SimulationRow } from '../simulationRow.ts';

/** What one policy made of one window on one machine. */
export interface WindowRow extends SimulationRow {
  readonly trace: string;
  /** From 0. */
  readonly window: number;
  readonly gpus: number;
  /** Offered. */
  readonly load: number;
  /** From 1. */
  readonly seed: number;
}
