import { FieldError } from '../domain/errors.ts';
import { MEASURED_KINDS, MEASURED_SPEEDS } from './interferenceTable.ts';

/** The GPUs that pairs were measured on: V100 and P100 with 16 GB, K80 with 12 GB (one half of the board). */
export const GPU_TYPES = ['v100', 'p100', 'k80'] as const;
export type GpuType = (typeof GPU_TYPES)[number];

/** What a job trains, by Gavel's names: model and batch size. */
export const JOB_KINDS: readonly string[] = MEASURED_KINDS;

const INDEX: ReadonlyMap<string, number> = new Map(JOB_KINDS.map((kind, i) => [kind, i]));

const SPEEDS = Object.fromEntries(
  GPU_TYPES.map((gpuType) => {
    const thousandths = MEASURED_SPEEDS[gpuType].trim().split(/\s+/);
    return [gpuType, Float64Array.from(thousandths, (value) => Number(value) / 1000)];
  }),
) as Readonly<Record<GpuType, Float64Array>>;

/**
 * Speed of a job beside others on the same GPU, as a share of its speed alone: 1 without others, 0 where one of them
 * and it do not fit into the GPU's memory together.
 *
 * For one neighbour it is what Gavel measured (Narayanan et al., OSDI '20; see interferenceTable.ts). Nobody measured
 * more: for several it is the product over the pairs, as if each neighbour took its part on its own. The product knows
 * nothing of memory beyond pairs: whether three fit together is for the caller to find out.
 *
 * @param kind one of {@link JOB_KINDS}, as are `others`.
 * @throws {FieldError} for a kind that was not measured.
 */
export function speedBeside(gpuType: GpuType, kind: string, others: readonly string[]): number {
  const row = indexOf(kind) * JOB_KINDS.length;
  const table = SPEEDS[gpuType];
  let speed = 1;
  for (const other of others) speed *= table[row + indexOf(other)]!;
  return speed;
}

function indexOf(kind: string): number {
  const index = INDEX.get(kind);
  if (index !== undefined) return index;
  throw new FieldError('kind', kind, `choose from ${JOB_KINDS.join(', ')}`);
}

const LOSS_PER_UNIT = 0.37;
const LEAST_SPEED = 0.1;

/**
 * Speed of each of several jobs on one GPU whose kinds are not known, as a share of its speed alone. A rule of thumb
 * from a study other than Gavel's: alone until the utilisations sum to 1, beyond it 0.37 less for each unit. The floor
 * of 0.1 is ours.
 * @param utilSum sum of what each job uses of the GPU when alone (0 to 1 each).
 */
export function ruleOfThumbSpeed(utilSum: number): number {
  return Math.max(LEAST_SPEED, 1 - LOSS_PER_UNIT * Math.max(0, utilSum - 1));
}

/**
 * Peak memory on one GPU, MiB. Not measured: our estimates, near what is known of these models at these batch sizes in
 * single precision, and moved so that they agree with which measured pairs ran out of memory. Two jobs whose estimates
 * sum to more than the GPU has (16160, 16280, 11441 MiB) are these among the pairs that did: on the V100 15 of 21, on
 * the P100 9 of 11, on the K80 42 of 45; and with them 0, 3 and 4 pairs that did run. No set of estimates reproduces
 * all: ResNet-50 at batch size 128 runs beside the language models on a P100 and not on a V100 with as much memory.
 */
const VRAM_MIB: Readonly<Record<string, readonly number[]>> = {
  'ResNet-18': [800, 1000, 1400, 2200, 3300],
  'ResNet-50': [2000, 3700, 6100, 11_300],
  Transformer: [2400, 3000, 5200, 5500, 8300],
  A3C: [5200],
  LM: [4900, 4900, 4900, 5000, 5300],
  Recommendation: [1400, 2000, 2600, 5700, 5700],
  CycleGAN: [5600],
};
const ESTIMATES = JOB_KINDS.map((kind) => {
  const model = kind.split(' (')[0]!;
  const rank = JOB_KINDS.filter((other) => other.split(' (')[0] === model).indexOf(kind);
  return VRAM_MIB[model]![rank]!;
});

/**
 * What a job of a kind needs when alone.
 * - `vramMib`: an estimate, see above.
 * - `gpuUtil`, 0.5 to 1: what two copies on one V100 say. Where both together do `s` times the work of one alone, one
 *   was using 1/s of what the GPU can give; where neither slows the other down, 0.5 is an upper bound. Two kinds do not
 *   fit twice; they get the value of the next smaller batch.
 * @throws {FieldError} for a kind that was not measured.
 */
export function soloOf(kind: string): { readonly vramMib: number; readonly gpuUtil: number } {
  const index = indexOf(kind);
  let twin = index;
  while (SPEEDS.v100[twin * (JOB_KINDS.length + 1)] === 0) twin--;
  const together = 2 * SPEEDS.v100[twin * (JOB_KINDS.length + 1)]!;
  return { vramMib: ESTIMATES[index]!, gpuUtil: Math.round(1000 * Math.min(1, 1 / together)) / 1000 };
}
