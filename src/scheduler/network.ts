import { type Rng, randomNormal } from '../domain/rng.ts';
import { COLUMN_TILE, type DenseBlocks, dense, denseBlocks, floatsOf, ROW_TILE } from './kernels/dense.ts';
import { type Block, padded, workspace } from './kernels/gemm.ts';

/** A fully connected layer. `kernel` is inputs × outputs, row-major (as TensorFlow.js lays it out). */
export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

/** A column of the features that is added to every candidate's score before anything is learned. */
export interface Prior {
  /** Index of the column. */
  readonly column: number;
  /** What one unit of the column is worth; units of Q. */
  readonly scale: number;
}

/** How many answers the network gives for each candidate; Q is their mean. */
export interface Heads {
  /** Members that learn from different halves of the experience (Osband et al. 2016, "Bootstrapped DQN"). */
  readonly members: number;
  /** Quantiles of the return that each member estimates (Dabney et al. 2018, "QR-DQN"); 1: its mean. */
  readonly quantiles: number;
}

/**
 * A dueling Q-network over a *set* of candidates (Wang et al. 2016, "Dueling network architectures"):
 *
 *   h_i = ReLU-trunk(x_i)                    one candidate's features, the same weights for all
 *   a_i = a · h_i + scale · x_i[column]      its advantage; the second term is the prior, if there is one
 *   V   = v · mean_i(h_i) + b                the state's value, from the mean over the candidates
 *   Q_i = V + a_i − mean_j(a_j)
 *
 * The number of candidates is free, and permuting them permutes the answers. With a prior and an advantage head of
 * zeros the best candidate is that of the prior. Without dueling, Q_i = a_i + b.
 */
export interface Weights {
  readonly trunk: readonly DenseLayer[];
  /** a, hidden units × heads, row-major. A bias would cancel, so there is none. */
  readonly advantage: Float32Array;
  /** v, hidden units × heads. */
  readonly value: Float32Array;
  /** b, one per head. */
  readonly valueBias: Float32Array;
  /** One head when left out. Head m · quantiles + q is quantile q of member m. */
  readonly heads?: Heads;
  /** True when left out. */
  readonly dueling?: boolean;
  readonly prior?: Prior;
  /** Was trained to preempt, pause and resume too, and not only to launch and wait. False when left out. */
  readonly preempts?: boolean;
}

/** What a network looks like, besides its weights. */
export interface Shape {
  readonly hidden: readonly number[];
  readonly heads?: Heads;
  readonly dueling?: boolean;
  readonly prior?: Prior;
  readonly preempts?: boolean;
}

const ONE_HEAD: Heads = { members: 1, quantiles: 1 };

export const headsOf = ({ heads }: Pick<Weights, 'heads'>): Heads => heads ?? ONE_HEAD;
const headCount = (weights: Pick<Weights, 'heads'>): number =>
  headsOf(weights).members * headsOf(weights).quantiles;
/** Outputs of the last hidden layer. */
export const widthOf = (weights: Weights): number => weights.advantage.length / headCount(weights);
export const featureCountOf = (weights: Weights): number => weights.trunk[0]?.inputs ?? widthOf(weights);

/** Weights that cannot be used, and what to do about it. */
export class WeightsError extends Error {
  override readonly name = 'WeightsError';
  readonly remedy: string;

  constructor(problem: string, remedy: string) {
    super(`the policy's weights ${problem}; ${remedy}`);
    this.remedy = remedy;
  }
}

const REMEDY = 'use the shipped weights, or train anew with `stint train`';

/** Two hidden layers of 64. */
export const HIDDEN_SIZES: readonly number[] = [64, 64];

/**
 * He-normal kernels for the ReLU trunk (He et al. 2015), small heads, zero biases. With a prior the advantage head is
 * zero, so that the network starts by acting exactly as the prior says.
 */
export function initialWeights(
  rng: Rng,
  featureCount: number,
  shape: Shape | readonly number[] = HIDDEN_SIZES,
): Weights {
  const given: Shape = 'hidden' in shape ? shape : { hidden: shape };
  const { hidden, heads = ONE_HEAD, dueling = true, prior, preempts = false } = given;
  const normal = (count: number, deviation: number): Float32Array =>
    Float32Array.from({ length: count }, () => deviation * randomNormal(rng));
  const trunk: DenseLayer[] = [];
  let inputs = featureCount;
  for (const outputs of hidden) {
    trunk.push({
      inputs,
      outputs,
      kernel: normal(inputs * outputs, Math.sqrt(2 / inputs)),
      bias: new Float32Array(outputs),
    });
    inputs = outputs;
  }
  const count = heads.members * heads.quantiles;
  const advantage = normal(inputs * count, 0.1 / Math.sqrt(inputs));
  return {
    trunk,
    advantage: prior === undefined ? advantage : advantage.fill(0),
    value: normal(inputs * count, 0.1 / Math.sqrt(inputs)),
    valueBias: new Float32Array(count),
    heads,
    dueling,
    preempts,
    ...(prior === undefined ? {} : { prior }),
  };
}

/** Every tensor in a fixed order: kernel and bias of each trunk layer, advantage, value, valueBias. */
export function tensorsOf(weights: Weights): Float32Array[] {
  return [
    ...weights.trunk.flatMap((layer) => [layer.kernel, layer.bias]),
    weights.advantage,
    weights.value,
    weights.valueBias,
  ];
}

/** The inverse of {@link tensorsOf}: `template` gives the shapes. */
export function withTensors(template: Weights, tensors: readonly Float32Array[]): Weights {
  const next = (index: number): Float32Array => {
    const tensor = tensors[index];
    if (tensor === undefined) throw new WeightsError(`lack tensor ${index}`, REMEDY);
    return tensor;
  };
  const trunk = template.trunk.map((layer, i) => ({
    ...layer,
    kernel: next(2 * i),
    bias: next(2 * i + 1),
  }));
  const heads = 2 * trunk.length;
  return { ...template, trunk, advantage: next(heads), value: next(heads + 1), valueBias: next(heads + 2) };
}

/**
 * Checks shapes and that every number is finite.
 * @throws {WeightsError} saying which tensor is wrong.
 */
export function checkWeights(weights: Weights, featureCount: number): void {
  let inputs = featureCount;
  weights.trunk.forEach((layer, i) => {
    if (layer.inputs !== inputs) {
      throw new WeightsError(`expect ${layer.inputs} inputs in layer ${i} instead of ${inputs}`, REMEDY);
    }
    expectLength(layer.kernel, layer.inputs * layer.outputs, `kernel ${i}`);
    expectLength(layer.bias, layer.outputs, `bias ${i}`);
    inputs = layer.outputs;
  });
  const heads = headCount(weights);
  expectLength(weights.advantage, inputs * heads, 'advantage head');
  expectLength(weights.value, inputs * heads, 'value head');
  expectLength(weights.valueBias, heads, 'value bias');
  const { prior } = weights;
  if (prior !== undefined && !(prior.column < featureCount && Number.isFinite(prior.scale))) {
    throw new WeightsError(`have a prior in column ${prior.column} of ${featureCount}`, REMEDY);
  }
  for (const [i, tensor] of tensorsOf(weights).entries()) {
    if (!tensor.every(Number.isFinite)) {
      throw new WeightsError(`hold a number that is not finite in tensor ${i}`, REMEDY);
    }
  }
}

function expectLength(tensor: Float32Array, length: number, what: string): void {
  if (tensor.length !== length) {
    throw new WeightsError(`have ${tensor.length} instead of ${length} numbers in the ${what}`, REMEDY);
  }
}

/**
 * Q of each candidate, the mean over the heads. `features` is rows × featureCount, row-major.
 */
export function forward(weights: Weights, features: Float32Array, rows: number): Float32Array {
  const all = scoresOf(weights, features, [rows]);
  const heads = all.length / Math.max(1, rows);
  if (heads === 1 || rows === 0) return all;
  return Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let head = 0; head < heads; head++) sum += all[row * heads + head]!;
    return sum / heads;
  });
}

/**
 * Q of every candidate of several sets, which lie one after another in `features`: rows × heads, row-major.
 * @param setRows rows of each set.
 */
export function scoresOf(
  weights: Weights,
  features: Float32Array,
  setRows: readonly number[],
): Float32Array<ArrayBuffer> {
  const rows = setRows.reduce((sum, count) => sum + count, 0);
  const take = workspace(floatsOfPass(weights, rows));
  const { outputs, outputWidth } = forwardPass(weights, features, rows, take);
  const heads = headCount(weights);
  const q = new Float32Array(rows * heads);
  let from = 0;
  for (const count of setRows) {
    for (let head = 0; head < heads; head++) {
      let value = 0;
      let advantage = 0;
      for (let row = from; row < from + count; row++) {
        const a = outputs[row * outputWidth + head]! + priorOf(weights, features, row);
        q[row * heads + head] = a;
        advantage += a;
        value += outputs[row * outputWidth + heads + head]!;
      }
      const centre = weights.dueling === false ? 0 : (value - advantage) / Math.max(1, count);
      const shift = weights.valueBias[head]! + centre;
      for (let row = from; row < from + count; row++) q[row * heads + head]! += shift;
    }
    from += count;
  }
  return q;
}

/** What the prior adds to a row's advantage. */
export function priorOf(weights: Weights, features: Float32Array, row: number): number {
  const { prior } = weights;
  if (prior === undefined) return 0;
  return prior.scale * features[row * featureCountOf(weights) + prior.column]!;
}

/** What a pass through the network leaves behind. Valid as long as its workspace. */
export interface Pass {
  readonly layers: readonly DenseBlocks[];
  /** Inputs of each layer, the head included: rows × stride. The first are the features. */
  readonly inputs: readonly { readonly block: Block; readonly stride: number }[];
  /** a · h and v · h of each head, per row: rows × outputWidth, advantages first. */
  readonly outputs: Float32Array;
  readonly outputWidth: number;
}

/** Floats that {@link forwardPass} takes. */
export function floatsOfPass(weights: Weights, rows: number): number {
  const room = padded(rows, ROW_TILE);
  return allLayers(weights).reduce(
    (sum, layer) => sum + floatsOf(layer) + room * padded(layer.outputs, COLUMN_TILE),
    // Tiles may reach past the last row.
    room * featureCountOf(weights) + ROW_TILE,
  );
}

/** Runs features through the trunk and both heads, which are one more layer without a bias. */
export function forwardPass(
  weights: Weights,
  features: Float32Array,
  rows: number,
  take: (count: number) => Block,
): Pass {
  const featureCount = featureCountOf(weights);
  const input = take(padded(rows, ROW_TILE) * featureCount + ROW_TILE);
  input.values.set(
    features.length === rows * featureCount ? features : features.subarray(0, rows * featureCount),
  );
  const inputs: { block: Block; stride: number }[] = [{ block: input, stride: featureCount }];
  const layers = allLayers(weights).map((layer) => denseBlocks(layer, take));
  layers.forEach((layer, i) => {
    const { block, stride } = inputs[i]!;
    const out = take(padded(rows, ROW_TILE) * layer.width);
    dense(layer, block, stride, rows, out, i < layers.length - 1);
    inputs.push({ block: out, stride: layer.width });
  });
  const last = inputs.pop()!;
  return { layers, inputs, outputs: last.block.values, outputWidth: last.stride };
}

function allLayers(
  weights: Weights,
): { inputs: number; outputs: number; kernel: Float32Array; bias: Float32Array | null }[] {
  const width = widthOf(weights);
  const heads = headCount(weights);
  const kernel = new Float32Array(width * 2 * heads);
  for (let i = 0; i < width; i++) {
    kernel.set(weights.advantage.subarray(i * heads, (i + 1) * heads), i * 2 * heads);
    kernel.set(weights.value.subarray(i * heads, (i + 1) * heads), (i * 2 + 1) * heads);
  }
  return [...weights.trunk, { inputs: width, outputs: 2 * heads, kernel, bias: null }];
}

/** FNV-1a (32 bit) of the feature names: weights trained on other features must not be used. */
export function featuresHash(names: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const char of names.join('\n')) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193) >>> 0;
  return hash;
}

// Blob, little-endian: magic, version, featuresHash, checksum of what follows (in version 1 of the tensors alone),
// layer count, featureCount; since version 2
// also members, quantiles, flags (1 dueling, 2 preempts), the prior's column + 1 (0: none) and its scale (float32); one size per
// layer (all uint32), then the tensors in the order of tensorsOf as float32.
const MAGIC = 0x574e5453; // "STNW"
const VERSION = 2;
const FIXED_WORDS: Readonly<Record<number, number>> = { 1: 6, 2: 11 };
const LARGEST_LAYER = 4096;
const MOST_HEADS = 1024;

/** The weights as a blob for the store, a file or a worker. */
export function encodeWeights(weights: Weights, featureNames: readonly string[]): Uint8Array<ArrayBuffer> {
  const tensors = tensorsOf(weights);
  const headWords = FIXED_WORDS[VERSION]! + weights.trunk.length;
  const floats = tensors.reduce((sum, tensor) => sum + tensor.length, 0);
  const view = new DataView(new ArrayBuffer(4 * (headWords + floats)));
  let at = headWords;
  for (const tensor of tensors) {
    for (const value of tensor) view.setFloat32(4 * at++, value, true);
  }
  const { members, quantiles } = headsOf(weights);
  const { prior } = weights;
  const head = [
    MAGIC,
    VERSION,
    featuresHash(featureNames),
    0,
    weights.trunk.length,
    featureCountOf(weights),
    members,
    quantiles,
    (weights.dueling === false ? 0 : DUELING) + (weights.preempts === true ? PREEMPTS : 0),
    prior === undefined ? 0 : prior.column + 1,
    0,
    ...weights.trunk.map((layer) => layer.outputs),
  ];
  head.forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
  view.setFloat32(4 * PRIOR_SCALE_WORD, prior?.scale ?? 0, true);
  view.setUint32(4 * CHECKSUM_WORD, checksum(view, CHECKED_FROM), true);
  return new Uint8Array(view.buffer);
}

const DUELING = 1;
const PREEMPTS = 2;
const CHECKSUM_WORD = 3;
const CHECKED_FROM = 4 * (CHECKSUM_WORD + 1);
const PRIOR_SCALE_WORD = 10;

/**
 * Reads a blob of {@link encodeWeights} and checks it wholly.
 * @throws {WeightsError} when it is damaged, of another version, or made for other features.
 */
export function decodeWeights(blob: Uint8Array, featureNames: readonly string[]): Weights {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const word = (i: number): number => (4 * i + 4 <= view.byteLength ? view.getUint32(4 * i, true) : 0);
  if (word(0) !== MAGIC) throw new WeightsError('are not in the format of Stint', REMEDY);
  const fixedWords = FIXED_WORDS[word(1)];
  if (fixedWords === undefined) {
    throw new WeightsError(`are of format ${word(1)} instead of ${VERSION}`, REMEDY);
  }
  if (word(2) !== featuresHash(featureNames)) {
    throw new WeightsError('were trained on other features than this version computes', REMEDY);
  }
  const sizes = Array.from({ length: Math.min(word(4), 16) }, (_, i) => word(fixedWords + i));
  const old = word(1) === 1;
  const heads: Heads = old ? ONE_HEAD : { members: word(6), quantiles: word(7) };
  const count = heads.members * heads.quantiles;
  if (
    word(5) !== featureNames.length ||
    sizes.some((size) => size < 1 || size > LARGEST_LAYER) ||
    !(count >= 1 && count <= MOST_HEADS)
  ) {
    throw new WeightsError('have impossible shapes', REMEDY);
  }
  let at = 4 * (fixedWords + sizes.length);
  const start = at;
  const take = (count: number): Float32Array => {
    if (at + 4 * count > view.byteLength) throw new WeightsError('are cut short', REMEDY);
    const tensor = Float32Array.from({ length: count }, (_, i) => view.getFloat32(at + 4 * i, true));
    at += 4 * count;
    return tensor;
  };
  let inputs = featureNames.length;
  const trunk: DenseLayer[] = [];
  for (const outputs of sizes) {
    trunk.push({ inputs, outputs, kernel: take(inputs * outputs), bias: take(outputs) });
    inputs = outputs;
  }
  const weights: Weights = {
    trunk,
    advantage: take(inputs * count),
    value: take(inputs * count),
    valueBias: take(count),
    heads,
    dueling: old || (word(8) & DUELING) > 0,
    preempts: !old && (word(8) & PREEMPTS) > 0,
    ...(old || word(9) === 0
      ? {}
      : { prior: { column: word(9) - 1, scale: view.getFloat32(4 * PRIOR_SCALE_WORD, true) } }),
  };
  if (at !== view.byteLength) throw new WeightsError('are longer than their shapes say', REMEDY);
  if (checksum(view, old ? start : CHECKED_FROM) !== word(CHECKSUM_WORD))
    throw new WeightsError('do not match their checksum', REMEDY);
  checkWeights(weights, featureNames.length);
  return weights;
}

function checksum(view: DataView, from: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at + 4 <= view.byteLength; at += 4) {
    hash = Math.imul(hash ^ view.getUint32(at, true), 0x01000193) >>> 0;
  }
  return hash;
}
