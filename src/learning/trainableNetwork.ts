import type { Weights } from '../scheduler/network.ts';
import { KernelNetwork, type LossConfig, type TrainingBatch } from './kernelNetwork.ts';

/** A network that learns, on whatever backend. */
export interface TrainableNetwork {
  /** A copy of the weights as they are now. */
  weights(): Weights;
  setWeights(weights: Weights): void;
  /** One Adam step with the gradient clipped to a global norm. Returns the loss before the step. */
  train(batch: TrainingBatch): number;
  /** Adam's step count and moments, as plain arrays. */
  saveOptimizer(): Promise<Float32Array[]>;
  /** The inverse of {@link saveOptimizer}; an empty list leaves the optimizer fresh. */
  restoreOptimizer(saved: readonly Float32Array[]): Promise<void>;
  /** Forgets Adam's moments, as after the weights were set back. */
  resetOptimizer(): void;
  dispose(): void;
}

/** On the kernels that also decide. */
export function kernelBackend(weights: Weights, config: LossConfig): TrainableNetwork {
  const network = new KernelNetwork(weights, config);
  return {
    weights: () => network.weights(),
    setWeights: (next) => network.setWeights(next),
    train: (batch) => network.train(batch).loss,
    async saveOptimizer() {
      const { moments, steps } = network.save();
      return [Float32Array.of(steps), ...moments[0], ...moments[1]];
    },
    async restoreOptimizer(saved) {
      if (saved.length === 0) return;
      const [steps, ...moments] = saved;
      const half = moments.length / 2;
      network.restore({
        weights: network.weights(),
        moments: [moments.slice(0, half), moments.slice(half)],
        steps: steps![0]!,
      });
    },
    resetOptimizer: () => network.resetOptimizer(),
    dispose: () => undefined,
  };
}
