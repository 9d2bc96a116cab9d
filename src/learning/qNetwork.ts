import * as tf from '@tensorflow/tfjs-core';
// For its effect: tfjs-core's build for Node comes without gradients, and tfjs-layers registers them all.
import '@tensorflow/tfjs-layers';
import { headsOf, tensorsOf, type Weights, WeightsError, withTensors } from '../scheduler/network.ts';
import type { LossConfig, TrainingBatch } from './kernelNetwork.ts';
import type { TrainableNetwork } from './trainableNetwork.ts';

interface Gradients {
  readonly loss: number;
  /** In the order of tensorsOf. */
  readonly values: Float32Array[];
}

/**
 * The trainable twin of scheduler/network: the same maths as a TensorFlow.js graph, on whichever backend is set.
 * Sets of any size share one batch without padding: the mean over a set, and the choice of a row, are products
 * with small matrices (the gradient of `gather` is missing in the wasm backend).
 *
 * It has one head with dueling, and neither margin nor entropy: what else there is trains on the kernels alone.
 */
export class QNetwork implements TrainableNetwork {
  private readonly template: Weights;
  private readonly variables: tf.Variable[];
  private optimizer: tf.AdamOptimizer;
  private readonly config: LossConfig;

  constructor(weights: Weights, config: LossConfig) {
    const { members, quantiles } = headsOf(weights);
    if (members * quantiles > 1 || weights.dueling === false) {
      throw new WeightsError('have several heads or no dueling', 'train them on the backend `kernels`');
    }
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
  gradients(batch: TrainingBatch): Gradients {
    const { value, grads } = this.variableGradients(batch);
    const result = {
      loss: value.dataSync()[0]!,
      values: this.variables.map((variable) => grads[variable.name]!.dataSync<'float32'>().slice()),
    };
    tf.dispose([value, grads]);
    return result;
  }

  /** One Adam step with the gradient clipped to a global norm. Returns the loss before the step. */
  train(batch: TrainingBatch): number {
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

  private variableGradients(batch: TrainingBatch): ReturnType<typeof tf.variableGrads> {
    return tf.variableGrads(() => this.loss(batch), this.variables);
  }

  private loss(batch: TrainingBatch): tf.Scalar {
    const { mean, member, oneHot } = setMatrices(batch.setRows, batch.chosen);
    const { advantage, value } = this.heads(batch.features, mean);
    const q = tf.add(value, tf.matMul(tf.sub(oneHot, mean), advantage));
    const sets = batch.setRows.length;
    const targets = tf.tensor2d(batch.targets, [sets, 1]);
    const lossWeights = tf.tensor2d(batch.lossWeights, [sets, 1]);
    const { imitationWeights } = batch;
    // Huber (1964): quadratic within ±δ, linear outside.
    const delta = this.config.huberDelta;
    const error = tf.abs(tf.sub(q, targets));
    const inner = tf.minimum(error, delta);
    const huber = tf.add(tf.mul(tf.square(inner), 0.5), tf.mul(tf.sub(error, inner), delta));
    const td = tf.mean(tf.mul(huber, lossWeights)) as tf.Scalar;
    if (imitationWeights === undefined || imitationWeights.every((weight) => weight === 0)) return td;
    // Cross-entropy of the demonstrated row under softmax(advantage / temperature).
    const logits = tf.clipByValue(
      tf.div(advantage, this.config.imitationTemperature),
      -60,
      60,
    ) as tf.Tensor2D;
    const logSum = tf.log(tf.matMul(member, tf.exp(logits)));
    const crossEntropy = tf.sub(logSum, tf.matMul(oneHot, logits));
    const imitation = tf.mean(tf.mul(crossEntropy, tf.tensor2d(imitationWeights, [sets, 1])));
    return tf.add(td, imitation) as tf.Scalar;
  }

  private prior(features: Float32Array, width: number): tf.Tensor2D {
    const rows = features.length / width;
    const { prior } = this.template;
    if (prior === undefined) return tf.zeros([rows, 1]);
    const column = Float32Array.from(
      { length: rows },
      (_, row) => prior.scale * features[row * width + prior.column]!,
    );
    return tf.tensor2d(column, [rows, 1]);
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
      advantage: tf.add(tf.matMul(h, advantage), this.prior(features, width)),
      value: tf.add(tf.matMul(tf.matMul(mean, h), value), bias),
    };
  }
}

/** The decay rates are Adam's own (Kingma & Ba 2015). */
function adam({ learningRate, adamEpsilon }: LossConfig): tf.AdamOptimizer {
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
