import { type Rng, randomNormal } from '../domain/rng.ts';

/** A fully connected layer. `kernel` is inputs × outputs, row-major (as TensorFlow.js lays it out). */
export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

/**
 * A dueling Q-network over a *set* of candidates (Wang et al. 2016, "Dueling network architectures"):
 *
 *   h_i = ReLU-trunk(x_i)          one candidate's features, the same weights for all
 *   V   = v · mean_i(h_i) + b      the state's value, from the mean over the candidates
 *   Q_i = V + a · h_i − mean_j(a · h_j)
 *
 * The number of candidates is free, and permuting them permutes the answers.
 */
export interface Weights {
  readonly trunk: readonly DenseLayer[];
  /** a, one per hidden unit. A bias would cancel, so there is none. */
  readonly advantage: Float32Array;
  /** v, one per hidden unit. */
  readonly value: Float32Array;
  /** b, a single number. */
  readonly valueBias: Float32Array;
}

/** Weights that cannot be used, and what to do about it. */
export class WeightsError extends Error {
  override readonly name = 'WeightsError';
  readonly remedy: string;

  constructor(problem: string, remedy: string) {
    super(`the policy's weights ${problem}; ${remedy}`);
    this.remedy = remedy;
  }
}

const REMEDY = 'use the shipped weights, or train anew with `node scripts/trainFirstLight.ts`';

/** Two hidden layers of 64. */
export const HIDDEN_SIZES: readonly number[] = [64, 64];

/** He-normal kernels for the ReLU trunk (He et al. 2015), small heads, zero biases. */
export function initialWeights(
  rng: Rng,
  featureCount: number,
  hidden: readonly number[] = HIDDEN_SIZES,
): Weights {
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
  return {
    trunk,
    advantage: normal(inputs, 0.1 / Math.sqrt(inputs)),
    value: normal(inputs, 0.1 / Math.sqrt(inputs)),
    valueBias: new Float32Array(1),
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
  return { trunk, advantage: next(heads), value: next(heads + 1), valueBias: next(heads + 2) };
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
  expectLength(weights.advantage, inputs, 'advantage head');
  expectLength(weights.value, inputs, 'value head');
  expectLength(weights.valueBias, 1, 'value bias');
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

// Scratch for the layers' outputs, grown to the largest input seen: a decision allocates only its answer.
let scratchA = new Float32Array(0);
let scratchB = new Float32Array(0);

/**
 * Q of each candidate. `features` is rows × featureCount, row-major. The same maths as the learner's
 * TensorFlow.js graph, in plain loops: for these sizes as fast, and it needs no backend.
 */
export function forward(weights: Weights, features: Float32Array, rows: number): Float32Array {
  const widest = weights.trunk.reduce((max, layer) => Math.max(max, layer.outputs), 0);
  if (scratchA.length < rows * widest) {
    scratchA = new Float32Array(rows * widest);
    scratchB = new Float32Array(rows * widest);
  }
  let input = features;
  let output = scratchA;
  for (const layer of weights.trunk) {
    denseRelu(layer, input, output, rows);
    input = output;
    output = input === scratchA ? scratchB : scratchA;
  }
  const width = weights.advantage.length;
  const scores = new Float32Array(rows);
  let valueSum = 0;
  let advantageSum = 0;
  for (let row = 0; row < rows; row++) {
    let a = 0;
    let v = 0;
    for (let j = 0; j < width; j++) {
      const h = input[row * width + j]!;
      a += weights.advantage[j]! * h;
      v += weights.value[j]! * h;
    }
    scores[row] = a;
    advantageSum += a;
    valueSum += v;
  }
  const shift = weights.valueBias[0]! + (valueSum - advantageSum) / Math.max(1, rows);
  for (let row = 0; row < rows; row++) scores[row] = scores[row]! + shift;
  return scores;
}

// Places of a row's inputs that are not 0.
let active = new Int32Array(64);

/**
 * out = ReLU(input · kernel + bias). Inputs that are 0 (most features of a row, half of what a ReLU gives) are
 * passed over; the others are taken four at a time, which keeps the sums in registers.
 */
function denseRelu(layer: DenseLayer, input: Float32Array, out: Float32Array, rows: number): void {
  const { inputs, outputs, kernel, bias } = layer;
  if (active.length < inputs) active = new Int32Array(inputs);
  for (let row = 0; row < rows; row++) {
    const from = row * inputs;
    const to = row * outputs;
    let count = 0;
    for (let k = 0; k < inputs; k++) if (input[from + k] !== 0) active[count++] = k;
    for (let j = 0; j < outputs; j++) out[to + j] = bias[j]!;
    let i = 0;
    for (; i + 4 <= count; i += 4) {
      const k0 = active[i]!;
      const k1 = active[i + 1]!;
      const k2 = active[i + 2]!;
      const k3 = active[i + 3]!;
      const x0 = input[from + k0]!;
      const x1 = input[from + k1]!;
      const x2 = input[from + k2]!;
      const x3 = input[from + k3]!;
      const w0 = k0 * outputs;
      const w1 = k1 * outputs;
      const w2 = k2 * outputs;
      const w3 = k3 * outputs;
      for (let j = 0; j < outputs; j++) {
        out[to + j] =
          out[to + j]! +
          x0 * kernel[w0 + j]! +
          x1 * kernel[w1 + j]! +
          x2 * kernel[w2 + j]! +
          x3 * kernel[w3 + j]!;
      }
    }
    for (; i < count; i++) {
      const x = input[from + active[i]!]!;
      const w = active[i]! * outputs;
      for (let j = 0; j < outputs; j++) out[to + j] = out[to + j]! + x * kernel[w + j]!;
    }
    for (let j = 0; j < outputs; j++) if (out[to + j]! < 0) out[to + j] = 0;
  }
}

/** FNV-1a (32 bit) of the feature names: weights trained on other features must not be used. */
export function featuresHash(names: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const char of names.join('\n')) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193) >>> 0;
  return hash;
}

// Blob, little-endian: magic, version, featuresHash, checksum of the payload, layer count, featureCount, one
// size per layer (all uint32), then the tensors in the order of tensorsOf as float32.
const MAGIC = 0x574e5453; // "STNW"
const VERSION = 1;
const FIXED_WORDS = 6;
const LARGEST_LAYER = 4096;

/** The weights as a blob for the store, a file or a worker. */
export function encodeWeights(weights: Weights, featureNames: readonly string[]): Uint8Array<ArrayBuffer> {
  const tensors = tensorsOf(weights);
  const headWords = FIXED_WORDS + weights.trunk.length;
  const floats = tensors.reduce((sum, tensor) => sum + tensor.length, 0);
  const view = new DataView(new ArrayBuffer(4 * (headWords + floats)));
  let at = headWords;
  for (const tensor of tensors) {
    for (const value of tensor) view.setFloat32(4 * at++, value, true);
  }
  const head = [
    MAGIC,
    VERSION,
    featuresHash(featureNames),
    checksum(view, 4 * headWords),
    weights.trunk.length,
    weights.trunk[0]?.inputs ?? weights.advantage.length,
    ...weights.trunk.map((layer) => layer.outputs),
  ];
  head.forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
  return new Uint8Array(view.buffer);
}

/**
 * Reads a blob of {@link encodeWeights} and checks it wholly.
 * @throws {WeightsError} when it is damaged, of another version, or made for other features.
 */
export function decodeWeights(blob: Uint8Array, featureNames: readonly string[]): Weights {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const word = (i: number): number => (4 * i + 4 <= view.byteLength ? view.getUint32(4 * i, true) : 0);
  if (word(0) !== MAGIC) throw new WeightsError('are not in the format of Stint', REMEDY);
  if (word(1) !== VERSION) throw new WeightsError(`are of format ${word(1)} instead of ${VERSION}`, REMEDY);
  if (word(2) !== featuresHash(featureNames)) {
    throw new WeightsError('were trained on other features than this version computes', REMEDY);
  }
  const sizes = Array.from({ length: Math.min(word(4), 16) }, (_, i) => word(FIXED_WORDS + i));
  if (word(5) !== featureNames.length || sizes.some((size) => size < 1 || size > LARGEST_LAYER)) {
    throw new WeightsError('have impossible shapes', REMEDY);
  }
  let at = 4 * (FIXED_WORDS + sizes.length);
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
    advantage: take(inputs),
    value: take(inputs),
    valueBias: take(1),
  };
  if (at !== view.byteLength) throw new WeightsError('are longer than their shapes say', REMEDY);
  if (checksum(view, start) !== word(3)) throw new WeightsError('do not match their checksum', REMEDY);
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
