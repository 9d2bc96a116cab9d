import { type Block, gemm, padded, START, THEN } from './gemm.ts';

/** Rows and columns of {@link gemm}'s tiles. */
export const ROW_TILE = 4;
export const COLUMN_TILE = 8;

/** A fully connected layer as it is kept: `kernel` is inputs × outputs, row-major. Without a bias: null. */
interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: Float32Array;
  readonly bias: Float32Array | null;
}

/** The same in the memory of {@link gemm}: outputs padded with zeros to whole tiles. */
export interface DenseBlocks {
  readonly inputs: number;
  readonly outputs: number;
  /** Padded outputs. */
  readonly width: number;
  readonly kernel: Block;
  readonly bias: Block | null;
}

/** Floats that {@link denseBlocks} takes. */
export function floatsOf({ inputs, outputs }: Pick<Layer, 'inputs' | 'outputs'>): number {
  return (inputs + 1) * padded(outputs, COLUMN_TILE);
}

export function denseBlocks(layer: Layer, take: (count: number) => Block): DenseBlocks {
  const { inputs, outputs } = layer;
  const width = padded(outputs, COLUMN_TILE);
  const kernel = take(inputs * width);
  if (width === outputs) {
    kernel.values.set(layer.kernel);
  } else {
    kernel.values.fill(0);
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < outputs; j++) kernel.values[i * width + j] = layer.kernel[i * outputs + j]!;
    }
  }
  if (layer.bias === null) return { inputs, outputs, width, kernel, bias: null };
  const bias = take(width);
  bias.values.fill(0);
  bias.values.set(layer.bias);
  return { inputs, outputs, width, kernel, bias };
}

/**
 * out = input · kernel + bias, then ReLU if wanted, for so many rows. Computes whole tiles: `input` and `out` must have
 * room for rows up to the next multiple of {@link ROW_TILE}, of which the surplus holds nothing of sense.
 * @param inputStride floats from one row of `input` to the next; `out` has the layer's `width`.
 */
export function dense(
  { inputs, width, kernel, bias }: DenseBlocks,
  input: Block,
  inputStride: number,
  rows: number,
  out: Block,
  relu: boolean,
): void {
  gemm(
    input.at,
    4 * inputStride,
    4,
    kernel.at,
    4 * width,
    out.at,
    4 * width,
    padded(rows, ROW_TILE),
    inputs,
    width,
    bias === null ? START.zero : START.bias,
    bias?.at ?? 0,
    relu ? THEN.relu : THEN.nothing,
    0,
  );
}
