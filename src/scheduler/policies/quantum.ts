import { countBelow } from '../../domain/sorted.ts';

export interface QuantumConfig {
  /** Whoever is ahead by less attained service than this is equal. GPU-seconds. */
  readonly leastGpuS: number;
  /** And whoever is ahead by less than this share of it. Below 1. */
  readonly share: number;
}

/** Up to the service of ten thousand GPUs in ten years. */
const MOST_GPU_S = 3e12;

/** The difference of attained service that is worth a change of places. Times are GPU-seconds. */
export class Quantum {
  readonly #config: QuantumConfig;
  readonly #levels: readonly number[];

  constructor(config: QuantumConfig) {
    this.#config = config;
    const levels: number[] = [];
    for (let level = config.leastGpuS; level < MOST_GPU_S; level += this.of(level)) levels.push(level);
    this.#levels = levels;
  }

  of(attainedGpuS: number): number {
    return Math.max(this.#config.leastGpuS, this.#config.share * attainedGpuS);
  }

  /** The attained service at which somebody is ahead by a quantum of one who has had so much. */
  aheadOf(attainedGpuS: number): number {
    const { leastGpuS, share } = this.#config;
    return Math.max(attainedGpuS + leastGpuS, attainedGpuS / (1 - share));
  }

  /**
   * The least level that is not below. Levels are a quantum apart, so that whoever is looked at only there is looked at a
   * few hundred times in its life.
   */
  levelFrom(gpuS: number): number {
    return this.#levels[countBelow(this.#levels, gpuS)] ?? Number.POSITIVE_INFINITY;
  }
}
