import { COLUMN_TILE, ROW_TILE } from '../scheduler/kernels/dense.ts';
import { type Block, gemm, padded, START, THEN, workspace } from '../scheduler/kernels/gemm.ts';
import {
  floatsOfPass,
  forwardPass,
  headsOf,
  type Pass,
  priorOf,
  scoresOf,
  tensorsOf,
  type Weights,
  withTensors,
} from '../scheduler/network.ts';

/** How the loss and its minimiser work. */
export interface LossConfig {
  /** Adam's step size; 1/gradient units. */
  readonly learningRate: number;
  /** Keeps Adam from making full steps out of gradients that are almost nothing. */
  readonly adamEpsilon: number;
  /** Error in Q beyond which the loss grows linearly; units of Q. */
  readonly huberDelta: number;
  /** Global norm to which a gradient is cut. */
  readonly maxGradientNorm: number;
  /** Difference of advantages that counts as one logit; units of Q. */
  readonly imitationTemperature: number;
  /** By how much a demonstrated action is to be ahead of every other; units of Q. 0 when left out. */
  readonly margin?: number;
  /** Weight of the policy's entropy, which a policy gradient keeps from vanishing. 0 when left out. */
  readonly entropyWeight?: number;
}

/** A batch for one gradient step. Candidate sets of different sizes lie one after another in `features`. */
export interface TrainingBatch {
  /** N × featureCount. */
  readonly features: Float32Array;
  /** Rows of each of the B sets; they add up to N. */
  readonly setRows: readonly number[];
  /** The row within its set that was done. */
  readonly chosen: readonly number[];
  /** Targets for Q(s, chosen): B × heads. */
  readonly targets: Float32Array;
  /** B weights of the temporal-difference losses; 0: none. */
  readonly lossWeights: Float32Array;
  /** B weights of the cross-entropy of `chosen`: imitation, or the advantage in a policy gradient. Zeros when left out. */
  readonly imitationWeights?: Float32Array;
  /** B weights of the large-margin loss, which takes `chosen` for a demonstration. Zeros when left out. */
  readonly marginWeights?: Float32Array;
  /** B × members: 0 where a member does not learn from a set. All 1 when left out. */
  readonly memberMask?: Uint8Array;
}

export interface BatchGradient {
  readonly loss: number;
  /** In the order of tensorsOf. */
  readonly values: Float32Array[];
  /** Mean |target − Q(s, chosen)| over the heads, per set. */
  readonly errors: Float32Array;
}

/**
 * The loss of a batch and its gradient, in single precision by the kernels that also decide:
 *
 *   mean over sets of  w · L_TD  +  w_I · CE(chosen, softmax(a / temperature))  +  w_E · J_E  −  entropy terms
 *
 * L_TD is Huber's loss of Q(s, chosen) − target, the mean over heads; with several quantiles the quantile Huber loss
 * (Dabney et al. 2018). J_E = max_a [Q(s, a) + margin · 1{a ≠ chosen}] − Q(s, chosen) (Hester et al. 2018, "Deep
 * Q-learning from demonstrations"). CE and J_E look at the mean over the heads.
 */
export function batchGradient(weights: Weights, config: LossConfig, batch: TrainingBatch): BatchGradient {
  const { features, setRows } = batch;
  const rows = setRows.reduce((sum, count) => sum + count, 0);
  const take = workspace(floatsOfPass(weights, rows) + floatsOfBackward(weights, rows));
  const pass = forwardPass(weights, features, rows, take);
  const gradient = take(padded(rows, ROW_TILE) * pass.outputWidth);
  const head = outputGradient(weights, config, batch, pass, gradient.values);
  return { ...head, values: backward(weights, pass, rows, gradient, head.bias, take) };
}

function floatsOfBackward(weights: Weights, rows: number): number {
  const room = padded(rows, ROW_TILE);
  const heads = headsOf(weights).members * headsOf(weights).quantiles;
  const layers = [...weights.trunk.map(({ inputs, outputs }) => [inputs, outputs] as const)];
  layers.push([weights.advantage.length / heads, 2 * heads]);
  return layers.reduce((sum, [inputs, outputs]) => {
    const width = padded(outputs, COLUMN_TILE);
    const inputWidth = padded(inputs, COLUMN_TILE);
    return (
      sum +
      room * (width + inputWidth) +
      padded(inputs, ROW_TILE) * width +
      outputs * inputWidth +
      ROW_TILE * width
    );
  }, COLUMN_TILE);
}

/** Gradient of the loss by both heads' outputs, row by row, and by the value's bias. */
function outputGradient(
  weights: Weights,
  config: LossConfig,
  batch: TrainingBatch,
  { outputs, outputWidth }: Pass,
  gradient: Float32Array,
): { loss: number; errors: Float32Array; bias: Float32Array } {
  const { features, setRows, chosen, targets, lossWeights, imitationWeights, marginWeights, memberMask } =
    batch;
  const { members, quantiles } = headsOf(weights);
  const heads = members * quantiles;
  const dueling = weights.dueling !== false;
  const sets = setRows.length;
  const bias = new Float32Array(heads);
  const errors = new Float32Array(sets);
  const q = new Float64Array(heads);
  const byQ = new Float64Array(heads);
  let advantages = new Float64Array(64);
  let byAdvantage = new Float64Array(64);
  let loss = 0;
  let from = 0;
  gradient.fill(0);
  for (let set = 0; set < sets; set++) {
    const count = setRows[set]!;
    const at = chosen[set]!;
    if (advantages.length < count) {
      advantages = new Float64Array(count);
      byAdvantage = new Float64Array(count);
    }
    advantages.fill(0, 0, count);
    byAdvantage.fill(0, 0, count);
    for (let row = 0; row < count; row++) {
      const out = (from + row) * outputWidth;
      let sum = 0;
      for (let head = 0; head < heads; head++) sum += outputs[out + head]!;
      advantages[row] = sum / heads + priorOf(weights, features, from + row);
    }
    const prior = priorOf(weights, features, from + at);
    let meanPrior = 0;
    if (dueling && weights.prior !== undefined) {
      for (let row = 0; row < count; row++) meanPrior += priorOf(weights, features, from + row) / count;
    }
    for (let head = 0; head < heads; head++) {
      let value = weights.valueBias[head]! + outputs[(from + at) * outputWidth + head]! + prior;
      if (dueling) {
        let sum = 0;
        for (let row = from; row < from + count; row++) {
          sum += outputs[row * outputWidth + heads + head]! - outputs[row * outputWidth + head]!;
        }
        value += sum / count - meanPrior;
      }
      q[head] = value;
    }
    const weight = lossWeights[set]! / sets;
    for (let member = 0; member < members; member++) {
      const first = member * quantiles;
      const scale = memberMask?.[set * members + member] === 0 ? 0 : weight / members;
      const here = temporalDifference(config, quantiles, q, targets, first, set * heads + first, byQ);
      loss += scale * here.loss;
      errors[set]! += here.error / members;
      for (let head = first; head < first + quantiles; head++) byQ[head]! *= scale;
    }
    const imitation = (imitationWeights?.[set] ?? 0) / sets;
    if (imitation !== 0 || config.entropyWeight) {
      loss += crossEntropy(config, advantages, count, at, imitation, sets, byAdvantage);
    }
    const marginWeight = (marginWeights?.[set] ?? 0) / sets;
    if (marginWeight !== 0) loss += largeMargin(config, advantages, count, at, marginWeight, byAdvantage);

    for (let head = 0; head < heads; head++) {
      const d = byQ[head]!;
      bias[head]! += d;
      for (let row = 0; row < count; row++) {
        const out = (from + row) * outputWidth;
        gradient[out + head] = byAdvantage[row]! / heads + (row === at ? d : 0) - (dueling ? d / count : 0);
        if (dueling) gradient[out + heads + head] = d / count;
      }
    }
    from += count;
  }
  return { loss, errors, bias };
}

/** Loss of one member's quantiles; writes its derivative by each of them. */
function temporalDifference(
  { huberDelta: delta }: LossConfig,
  quantiles: number,
  q: Float64Array,
  targets: Float32Array,
  first: number,
  firstTarget: number,
  byQ: Float64Array,
): { loss: number; error: number } {
  let loss = 0;
  let meanQ = 0;
  let meanTarget = 0;
  for (let i = 0; i < quantiles; i++) {
    const estimate = q[first + i]!;
    meanQ += estimate / quantiles;
    meanTarget += targets[firstTarget + i]! / quantiles;
    let derivative = 0;
    for (let j = 0; j < quantiles; j++) {
      const difference = targets[firstTarget + j]! - estimate;
      const size = Math.abs(difference);
      const inner = Math.min(size, delta);
      const huber = 0.5 * inner * inner + delta * (size - inner);
      const slope = -Math.sign(difference) * inner;
      // One quantile is the mean, and its loss Huber's own.
      const tilt = quantiles === 1 ? 1 : Math.abs((i + 0.5) / quantiles - (difference < 0 ? 1 : 0)) / delta;
      loss += (tilt * huber) / quantiles;
      derivative += (tilt * slope) / quantiles;
    }
    byQ[first + i] = derivative;
  }
  return { loss, error: Math.abs(meanTarget - meanQ) };
}

function crossEntropy(
  { imitationTemperature: temperature, entropyWeight = 0 }: LossConfig,
  advantages: Float64Array,
  count: number,
  at: number,
  weight: number,
  sets: number,
  byAdvantage: Float64Array,
): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < count; row++) largest = Math.max(largest, advantages[row]! / temperature);
  let sum = 0;
  for (let row = 0; row < count; row++) sum += Math.exp(advantages[row]! / temperature - largest);
  const logSum = largest + Math.log(sum);
  let entropy = 0;
  for (let row = 0; row < count; row++) {
    const logP = advantages[row]! / temperature - logSum;
    entropy -= Math.exp(logP) * logP;
  }
  for (let row = 0; row < count; row++) {
    const logP = advantages[row]! / temperature - logSum;
    const p = Math.exp(logP);
    byAdvantage[row]! += (weight * (p - (row === at ? 1 : 0))) / temperature;
    byAdvantage[row]! += ((entropyWeight / sets) * p * (logP + entropy)) / temperature;
  }
  return weight * (logSum - advantages[at]! / temperature) - (entropyWeight / sets) * entropy;
}

function largeMargin(
  { margin = 0 }: LossConfig,
  advantages: Float64Array,
  count: number,
  at: number,
  weight: number,
  byAdvantage: Float64Array,
): number {
  let rival = at;
  let highest = advantages[at]!;
  for (let row = 0; row < count; row++) {
    if (row === at || advantages[row]! + margin <= highest) continue;
    rival = row;
    highest = advantages[row]! + margin;
  }
  byAdvantage[rival]! += weight;
  byAdvantage[at]! -= weight;
  return weight * (highest - advantages[at]!);
}

/** Rows that one product sums over at a time: what they need stays in the processor's first cache. */
const SUMMED_ROWS = 64;

/** From the heads' outputs back to every tensor, in the order of tensorsOf. */
function backward(
  weights: Weights,
  { layers, inputs }: Pass,
  rows: number,
  outputGradients: Block,
  biasGradient: Float32Array,
  take: (count: number) => Block,
): Float32Array[] {
  const kernels: Float32Array[] = [];
  const biases: Float32Array[] = [];
  const one = take(COLUMN_TILE);
  one.values.fill(1);
  let gradient = outputGradients;
  for (let l = layers.length - 1; l >= 0; l--) {
    const layer = layers[l]!;
    const { block: input, stride } = inputs[l]!;
    const tall = padded(layer.inputs, ROW_TILE);
    const byKernel = take(tall * layer.width);
    for (let from = 0; from < rows; from += SUMMED_ROWS) {
      const count = Math.min(SUMMED_ROWS, rows - from);
      const start = from === 0 ? START.zero : START.sum;
      const upstream = gradient.at + 4 * from * layer.width;
      gemm(
        ...([input.at + 4 * from * stride, 4, 4 * stride, upstream, 4 * layer.width] as const),
        ...([byKernel.at, 4 * layer.width, tall, count, layer.width, start, 0, THEN.nothing, 0] as const),
      );
    }
    kernels.unshift(cropped(byKernel.values, layer.inputs, layer.outputs, layer.width));
    if (layer.bias !== null) {
      const byBias = take(ROW_TILE * layer.width);
      gemm(
        ...([one.at, 0, 0, gradient.at, 4 * layer.width, byBias.at, 4 * layer.width] as const),
        ...([ROW_TILE, rows, layer.width, START.zero, 0, THEN.nothing, 0] as const),
      );
      biases.unshift(byBias.values.slice(0, layer.outputs));
    }
    if (l === 0) break;
    const transposed = take(layer.outputs * stride);
    transposed.values.fill(0);
    for (let i = 0; i < layer.inputs; i++) {
      for (let j = 0; j < layer.outputs; j++) {
        transposed.values[j * stride + i] = layer.kernel.values[i * layer.width + j]!;
      }
    }
    const byInput = take(padded(rows, ROW_TILE) * stride);
    gemm(
      ...([gradient.at, 4 * layer.width, 4, transposed.at, 4 * stride, byInput.at, 4 * stride] as const),
      ...([padded(rows, ROW_TILE), layer.outputs, stride, START.zero, 0, THEN.mask, input.at] as const),
    );
    gradient = byInput;
  }
  const heads = biasGradient.length;
  const width = weights.advantage.length / heads;
  const both = kernels.pop()!;
  const advantage = new Float32Array(width * heads);
  const value = new Float32Array(width * heads);
  for (let i = 0; i < width; i++) {
    for (let head = 0; head < heads; head++) {
      advantage[i * heads + head] = both[i * 2 * heads + head]!;
      value[i * heads + head] = both[(i * 2 + 1) * heads + head]!;
    }
  }
  return [...kernels.flatMap((kernel, i) => [kernel, biases[i]!]), advantage, value, biasGradient];
}

function cropped(values: Float32Array, rows: number, columns: number, width: number): Float32Array {
  if (columns === width) return values.slice(0, rows * columns);
  const out = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) out.set(values.subarray(i * width, i * width + columns), i * columns);
  return out;
}

const BETA1 = 0.9;
const BETA2 = 0.999;

/** All that training with Adam has brought about, to go on later exactly where it was. */
export interface TrainingState {
  readonly weights: Weights;
  /** Adam's first and second moments, in the order of tensorsOf; all zeros at first. */
  readonly moments: readonly [first: readonly Float32Array[], second: readonly Float32Array[]];
  readonly steps: number;
}

/** A network that is trained by Adam (Kingma & Ba 2015) on the kernels of the decision core. */
export class KernelNetwork {
  readonly config: LossConfig;
  #weights: Weights;
  #first: Float32Array[];
  #second: Float32Array[];
  #steps = 0;

  constructor(weights: Weights, config: LossConfig) {
    this.config = config;
    this.#weights = copyOf(weights);
    this.#first = zerosLike(weights);
    this.#second = zerosLike(weights);
  }

  /** Steps that were taken. */
  get steps(): number {
    return this.#steps;
  }

  /** The weights as they are now. They change with the next step: {@link weights} gives a copy. */
  get live(): Weights {
    return this.#weights;
  }

  /** A copy of the weights as they are now. */
  weights(): Weights {
    return copyOf(this.#weights);
  }

  setWeights(weights: Weights): void {
    this.#weights = copyOf(weights);
  }

  /** Q of every row of every set: N × heads. */
  scores(features: Float32Array, setRows: readonly number[]): Float32Array {
    return scoresOf(this.#weights, features, setRows);
  }

  gradients(batch: TrainingBatch): BatchGradient {
    return batchGradient(this.#weights, this.config, batch);
  }

  /**
   * One Adam step with the gradient clipped to a global norm.
   * @param learningRate the configured one when left out.
   */
  train(batch: TrainingBatch, learningRate = this.config.learningRate): BatchGradient {
    const gradient = this.gradients(batch);
    const { adamEpsilon, maxGradientNorm } = this.config;
    let squares = 0;
    for (const values of gradient.values) for (const g of values) squares += g * g;
    const norm = Math.sqrt(squares);
    const scale = norm > maxGradientNorm ? maxGradientNorm / norm : 1;
    this.#steps++;
    const rate = (learningRate * Math.sqrt(1 - BETA2 ** this.#steps)) / (1 - BETA1 ** this.#steps);
    // The epsilon of the paper's plain form, carried over to the form that folds both corrections into the rate.
    const epsilon = adamEpsilon * Math.sqrt(1 - BETA2 ** this.#steps);
    tensorsOf(this.#weights).forEach((tensor, t) => {
      const values = gradient.values[t]!;
      const first = this.#first[t]!;
      const second = this.#second[t]!;
      for (let i = 0; i < tensor.length; i++) {
        const g = scale * values[i]!;
        const m = BETA1 * first[i]! + (1 - BETA1) * g;
        const v = BETA2 * second[i]! + (1 - BETA2) * g * g;
        first[i] = m;
        second[i] = v;
        tensor[i] = tensor[i]! - (rate * m) / (Math.sqrt(v) + epsilon);
      }
    });
    return gradient;
  }

  save(): TrainingState {
    const moments = [this.#first, this.#second].map((all) => all.map((values) => values.slice()));
    return { weights: this.weights(), moments: [moments[0]!, moments[1]!], steps: this.#steps };
  }

  restore({ weights, moments, steps }: TrainingState): void {
    this.#weights = copyOf(weights);
    this.#first = moments[0].map((values) => values.slice());
    this.#second = moments[1].map((values) => values.slice());
    this.#steps = steps;
  }

  /** Forgets Adam's moments, as after the weights were set back. */
  resetOptimizer(): void {
    this.#first = zerosLike(this.#weights);
    this.#second = zerosLike(this.#weights);
    this.#steps = 0;
  }
}

export function copyOf(weights: Weights): Weights {
  return withTensors(
    weights,
    tensorsOf(weights).map((tensor) => tensor.slice()),
  );
}

/** target += τ (online − target). */
export function follow(target: Weights, online: Weights, tau: number): void {
  const from = tensorsOf(online);
  tensorsOf(target).forEach((tensor, t) => {
    const source = from[t]!;
    for (let i = 0; i < tensor.length; i++) tensor[i] = tensor[i]! + tau * (source[i]! - tensor[i]!);
  });
}

const zerosLike = (weights: Weights): Float32Array[] =>
  tensorsOf(weights).map((tensor) => new Float32Array(tensor.length));
