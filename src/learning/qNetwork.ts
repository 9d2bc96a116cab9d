import * as tf from '@tensorflow/tfjs-core';
// For its effect: tfjs-core's build for Node comes without gradients, and tfjs-layers registers them all.
import '@tensorflow/tfjs-layers';
import { scalarise } from '../domain/reward.ts';
import { forward, tensorsOf, type Weights, withTensors } from '../scheduler/network.ts';
import type { CandidateRows, Transition } from './transition.ts';

/** How the loss and its minimiser work; see agent.ts for the meaning and source of each number. */
export interface QNetworkConfig {
  readonly learningRate: number;
  readonly adamEpsilon: number;
  readonly huberDelta: number;
  readonly maxGradientNorm: number;
  readonly imitationTemperature: number;
}

/** A batch for one gradient step. Candidate sets of different sizes lie one after another in `features`. */
export interface Batch {
  /** N × featureCount. */
  readonly features: Float32Array;
  /** Rows of each of the B sets; they add up to N. */
  readonly setRows: readonly number[];
  /** The row within its set that was done. */
  readonly chosen: readonly number[];
  /** B targets for Q(s, chosen). */
  readonly targets: Float32Array;
  /** B weights of the losses. */
  readonly lossWeights: Float32Array;
  /** B weights of the imitation term, which takes `chosen` for a demonstration; 0 for plain Q-learning. */
  readonly imitationWeights: Float32Array;
}

interface Gradients {
  readonly loss: number;
  /** In the order of tensorsOf. */
  readonly values: Float32Array[];
}

/**
 * The trainable twin of scheduler/network: the same maths as a TensorFlow.js graph, on whichever backend is set.
 * Sets of any size share one batch without padding: the mean over a set, and the choice of a row, are products
 * with small matrices (the gradient of `gather` is missing in the wasm backend).
 */
export class QNetwork {
  private readonly template: Weights;
  private readonly variables: tf.Variable[];
  private optimizer: tf.AdamOptimizer;
  private readonly config: QNetworkConfig;

  constructor(weights: Weights, config: QNetworkConfig) {
    this.template = weights;
    this.config = config;
    const shapes = shapesOf(weights);
    this.variables = tensorsOf(weights).map((values, i) =>
      tf.tidy(() => tf.variable(tf.tensor(values.slice(), shapes[i]!), true, `q${instances}/${i}`)),
    );
    instances++;
    this.optimizer = adam(config);
  }

  /** A copy of the weights as they are now. */
  weights(): Weights {
    return withTensors(
      this.template,
      this.variables.map((variable) => variable.dataSync<'float32'>().slice()),
    );
  }

  setWeights(weights: Weights): void {
    const shapes = shapesOf(weights);
    tensorsOf(weights).forEach((values, i) => {
      tf.tidy(() => this.variables[i]!.assign(tf.tensor(values.slice(), shapes[i]!)));
    });
  }

  /** Q of every row of every set. */
  scores(features: Float32Array, setRows: readonly number[]): Float32Array {
    return tf.tidy(() => {
      const { mean, member } = setMatrices(setRows);
      const { advantage, value } = this.heads(features, mean);
      const centre = tf.sub(value, tf.matMul(mean, advantage));
      const q = tf.add(advantage, tf.matMul(member, centre, true));
      return q.dataSync<'float32'>().slice();
    });
  }

  /** The loss on a batch and its gradient, without changing anything. */
  gradients(batch: Batch): Gradients {
    const { value, grads } = this.variableGradients(batch);
    const result = {
      loss: value.dataSync()[0]!,
      values: this.variables.map((variable) => grads[variable.name]!.dataSync<'float32'>().slice()),
    };
    tf.dispose([value, grads]);
    return result;
  }

  /** One Adam step with the gradient clipped to a global norm. Returns the loss before the step. */
  train(batch: Batch): number {
    const { value, grads } = this.variableGradients(batch);
    const norm = tf.tidy(() => {
      const squares = Object.values(grads).map((g) => tf.sum(tf.square(g)));
      return Math.sqrt(tf.addN(squares).dataSync()[0]!);
    });
    const scale = norm > this.config.maxGradientNorm ? this.config.maxGradientNorm / norm : 1;
    const clipped = Object.entries(grads).map(([name, g]) => ({ name, tensor: tf.mul(g, scale) }));
    this.optimizer.applyGradients(clipped);
    const loss = value.dataSync()[0]!;
    tf.dispose([value, grads, ...clipped.map(({ tensor }) => tensor)]);
    return loss;
  }

  /** Adam's step count and moments, as plain arrays. */
  async saveOptimizer(): Promise<Float32Array[]> {
    const saved = await this.optimizer.getWeights();
    return saved.map(({ tensor }) => Float32Array.from(tensor.dataSync()));
  }

  /** The inverse of {@link saveOptimizer}; an empty list leaves the optimizer fresh. */
  async restoreOptimizer(saved: readonly Float32Array[]): Promise<void> {
    if (saved.length === 0) return;
    const shapes = shapesOf(this.template);
    const named = saved.map((values, i) => ({
      name: `adam/${i}`,
      tensor: i === 0 ? tf.scalar(values[0]!, 'int32') : tf.tensor(values, shapes[(i - 1) % shapes.length]!),
    }));
    await this.optimizer.setWeights(named);
  }

  /** Forgets Adam's moments, as after the weights were set back. */
  resetOptimizer(): void {
    this.optimizer.dispose();
    this.optimizer = adam(this.config);
  }

  dispose(): void {
    tf.dispose(this.variables);
    this.optimizer.dispose();
  }

  private variableGradients(batch: Batch): ReturnType<typeof tf.variableGrads> {
    return tf.variableGrads(() => this.loss(batch), this.variables);
  }

  private loss(batch: Batch): tf.Scalar {
    const { mean, member, oneHot } = setMatrices(batch.setRows, batch.chosen);
    const { advantage, value } = this.heads(batch.features, mean);
    const q = tf.add(value, tf.matMul(tf.sub(oneHot, mean), advantage));
    const sets = batch.setRows.length;
    const targets = tf.tensor2d(batch.targets, [sets, 1]);
    const lossWeights = tf.tensor2d(batch.lossWeights, [sets, 1]);
    // Huber (1964): quadratic within ±δ, linear outside.
    const delta = this.config.huberDelta;
    const error = tf.abs(tf.sub(q, targets));
    const inner = tf.minimum(error, delta);
    const huber = tf.add(tf.mul(tf.square(inner), 0.5), tf.mul(tf.sub(error, inner), delta));
    const td = tf.mean(tf.mul(huber, lossWeights)) as tf.Scalar;
    if (batch.imitationWeights.every((weight) => weight === 0)) return td;
    // Cross-entropy of the demonstrated row under softmax(advantage / temperature).
    const logits = tf.clipByValue(
      tf.div(advantage, this.config.imitationTemperature),
      -60,
      60,
    ) as tf.Tensor2D;
    const logSum = tf.log(tf.matMul(member, tf.exp(logits)));
    const crossEntropy = tf.sub(logSum, tf.matMul(oneHot, logits));
    const imitation = tf.mean(tf.mul(crossEntropy, tf.tensor2d(batch.imitationWeights, [sets, 1])));
    return tf.add(td, imitation) as tf.Scalar;
  }

  /** Advantages [N, 1] of the rows and values [B, 1] of the sets. */
  private heads(features: Float32Array, mean: tf.Tensor2D): { advantage: tf.Tensor2D; value: tf.Tensor2D } {
    const width = this.template.trunk[0]?.inputs ?? this.template.advantage.length;
    let h = tf.tensor2d(features, [features.length / width, width]);
    const layers = this.template.trunk.length;
    for (let i = 0; i < layers; i++) {
      const [kernel, bias] = [this.variables[2 * i]!, this.variables[2 * i + 1]!];
      h = tf.relu(tf.add(tf.matMul(h, kernel as tf.Tensor2D), bias));
    }
    const [advantage, value, bias] = this.variables.slice(2 * layers) as [
      tf.Variable<tf.Rank.R2>,
      tf.Variable<tf.Rank.R2>,
      tf.Variable<tf.Rank.R1>,
    ];
    return {
      advantage: tf.matMul(h, advantage),
      value: tf.add(tf.matMul(tf.matMul(mean, h), value), bias),
    };
  }
}

/** The decay rates are Adam's own (Kingma & Ba 2015). */
function adam({ learningRate, adamEpsilon }: QNetworkConfig): tf.AdamOptimizer {
  return tf.train.adam(learningRate, 0.9, 0.999, adamEpsilon);
}

// Names of tf variables are global to the process.
let instances = 0;

function shapesOf(weights: Weights): number[][] {
  return [
    ...weights.trunk.flatMap((layer) => [[layer.inputs, layer.outputs], [layer.outputs]]),
    [weights.advantage.length, 1],
    [weights.value.length, 1],
    [1],
  ];
}

/** B × N matrices: `member` 1 where row n belongs to set b, `mean` its average, `oneHot` the chosen row. */
function setMatrices(
  setRows: readonly number[],
  chosen: readonly number[] = [],
): { mean: tf.Tensor2D; member: tf.Tensor2D; oneHot: tf.Tensor2D } {
  const sets = setRows.length;
  const total = setRows.reduce((sum, rows) => sum + rows, 0);
  const mean = new Float32Array(sets * total);
  const member = new Float32Array(sets * total);
  const oneHot = new Float32Array(sets * total);
  let start = 0;
  setRows.forEach((rows, set) => {
    mean.fill(1 / rows, set * total + start, set * total + start + rows);
    member.fill(1, set * total + start, set * total + start + rows);
    const row = chosen[set];
    if (row !== undefined) oneHot[set * total + start + row] = 1;
    start += rows;
  });
  return {
    mean: tf.tensor2d(mean, [sets, total]),
    member: tf.tensor2d(member, [sets, total]),
    oneHot: tf.tensor2d(oneHot, [sets, total]),
  };
}

/**
 * Targets of double Q-learning (van Hasselt, Guez & Silver 2016) in semi-Markov form:
 * r + e^(−βΔt) · Q_target(s', argmax_a Q_online(s', a)), and r alone when the machine went idle. The components
 * of r are weighed by the goals that were in force.
 */
export function doubleDqnTargets(
  online: Weights,
  target: Weights,
  transitions: readonly Transition[],
): Float32Array {
  return Float32Array.from(transitions, ({ reward, goals, discount, next }) => {
    const r = scalarise(reward, goals);
    return next === null ? r : r + discount * doubleQ(online, target, next);
  });
}

function doubleQ(online: Weights, target: Weights, { features, rows }: CandidateRows): number {
  const best = argmax(forward(online, features, rows));
  return forward(target, features, rows)[best]!;
}

/** Index of the largest; the first of equals. */
function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** The candidate sets of the transitions, one after another, ready for {@link Batch}. */
export function stackStates(
  transitions: readonly Transition[],
): Pick<Batch, 'features' | 'setRows' | 'chosen'> {
  const length = transitions.reduce((sum, { state }) => sum + state.features.length, 0);
  const features = new Float32Array(length);
  let at = 0;
  for (const { state } of transitions) {
    features.set(state.features, at);
    at += state.features.length;
  }
  return {
    features,
    setRows: transitions.map(({ state }) => state.rows),
    chosen: transitions.map(({ chosen }) => chosen),
  };
}
