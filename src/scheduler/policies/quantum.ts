import { countBelow } from '../../domain/sorted.ts';

/** Whoever is ahead by less than this many GPU-seconds of attained service, or by less than this share of it, is equal. */
const LEAST_GPU_S = 300;
const SHARE = 0.2;

/** Up to the service of ten thousand GPUs in ten years. */
const LEVELS: readonly number[] = levels(3e12);

/** The difference of attained service that is worth a change of places. GPU-seconds. */
export function quantumOf(attainedGpuS: number): number {
  return Math.max(LEAST_GPU_S, SHARE * attainedGpuS);
}

/** The attained service at which somebody is ahead by a quantum of one who has had so much. GPU-seconds. */
export function aheadOf(attainedGpuS: number): number {
  return Math.max(attainedGpuS + LEAST_GPU_S, attainedGpuS / (1 - SHARE));
}

/**
 * The least level that is not below. Levels are a quantum apart, so that whoever is looked at only there is looked at a
 * few hundred times in its life. GPU-seconds.
 */
export function levelFrom(gpuS: number): number {
  return LEVELS[countBelow(LEVELS, gpuS)] ?? Number.POSITIVE_INFINITY;
}

function levels(most: number): number[] {
  const all: number[] = [];
  for (let level = LEAST_GPU_S; level < most; level += quantumOf(level)) all.push(level);
  return all;
}
