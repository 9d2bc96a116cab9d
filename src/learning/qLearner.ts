import { type Rng, seededRng } from '../domain/rng.ts';
import { initialWeights, type Prior, scoresOf, tensorsOf, type Weights } from '../scheduler/network.ts';
import { Experience, type Experienced, type ExperienceState } from './experience.ts';
import { copyOf, follow, KernelNetwork, type TrainingState } from './kernelNetwork.ts';
import { bestRow } from './targets.ts';
import { nStepReturn, type Trajectory } from './trajectory.ts';

/** Hyperparameters of the learner. What each means stands in docs/learning.md, beside its source. */
export interface QLearnerConfig {
  readonly hidden: readonly number[];
  readonly members: number;
  readonly quantiles: number;
  readonly dueling: boolean;
  readonly preempts: boolean;
  readonly double: boolean;
  readonly nStep: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly adamEpsilon: number;
  readonly huberDelta: number;
  readonly maxGradientNorm: number;
  readonly polyakTau: number;
  readonly replayCapacity: number;
  readonly demonstrationCapacity: number;
  /** α: 0 draws uniformly. */
  readonly priorityExponent: number;
  /** β of the importance weights at the first step; rises to 1 at the last. */
  readonly importanceExponent: number;
  readonly margin: number;
  /** Probability with which a member of an ensemble learns from a decision. */
  readonly memberShare: number;
  readonly resetEverySteps: number;
}

/** What changes from step to step. */
export interface StepOptions {
  /** Share of the batch that is drawn from demonstrations. */
  readonly demonstrationShare: number;
  readonly marginWeight: number;
  /** Weight of the temporal-difference loss on demonstrations. */
  readonly learningRate: number;
  /** How far the training is, 0 to 1. */
  readonly progress: number;
}

/** Everything but the trajectories. */
export interface QLearnerState {
  readonly network: TrainingState;
  readonly target: Weights;
  readonly own: ExperienceState;
  readonly demonstrations: ExperienceState;
  /** Gradient steps, resets included. */
  readonly steps: number;
}

const LEAST_PRIORITY = 1e-4;

/**
 * Off-policy Q-learning from trajectories: double (van Hasselt et al. 2016), dueling (Wang et al. 2016), n-step
 * semi-Markov returns, prioritised replay (Schaul et al. 2016), demonstrations that are retained and held by a large
 * margin (Hester et al. 2018), a target network that follows softly (Lillicrap et al. 2016); quantile heads (Dabney et
 * al. 2018), an ensemble (Osband et al. 2016) and resets (Nikishin et al. 2022) where asked for. The maximum of the
 * target is over the candidates that were stored with the next decision: exactly those that were allowed then.
 *
 * Everything that is random comes from the seed and the number of the step.
 */
export class QLearner {
  readonly config: QLearnerConfig;
  readonly own: Experience;
  readonly demonstrations: Experience;
  readonly #seed: number;
  readonly #featureCount: number;
  readonly #prior: Prior | undefined;
  readonly #network: KernelNetwork;
  #target: Weights;
  #steps = 0;

  constructor(config: QLearnerConfig, featureCount: number, seed: number, prior?: Prior) {
    this.config = config;
    this.#seed = seed;
    this.#featureCount = featureCount;
    this.#prior = prior;
    const weights = this.#fresh(0);
    // Only losses of Q are asked for: no logits.
    this.#network = new KernelNetwork(weights, { ...config, imitationTemperature: 1 });
    this.#target = copyOf(weights);
    this.own = new Experience(config.replayCapacity);
    this.demonstrations = new Experience(config.demonstrationCapacity);
  }

  get steps(): number {
    return this.#steps;
  }

  /** A copy of the weights as they are now. */
  weights(): Weights {
    return this.#network.weights();
  }

  add(trajectory: Trajectory): void {
    (trajectory.demonstrated ? this.demonstrations : this.own).add(trajectory);
  }

  /** One gradient step. @returns the loss and the mean error of Q(s, chosen). */
  train(options: StepOptions): { loss: number; error: number } {
    const { config } = this;
    const rng = seededRng((this.#seed * 0x9e3779b1 + this.#steps) >>> 0);
    const demonstrated =
      this.own.size === 0 ? config.batchSize : Math.round(options.demonstrationShare * config.batchSize);
    const items = [
      ...this.demonstrations.sample(this.demonstrations.size === 0 ? 0 : demonstrated, rng),
      ...this.own.sample(config.batchSize - (this.demonstrations.size === 0 ? 0 : demonstrated), rng),
    ];
    const beta = config.importanceExponent + (1 - config.importanceExponent) * options.progress;
    const importance = items.map(({ likelihood }) => likelihood ** -beta);
    const largest = Math.max(...importance);
    const gradient = this.#network.train(
      {
        ...stacked(items, this.#featureCount),
        targets: this.#targets(items),
        lossWeights: Float32Array.from(importance, (weight) => weight / largest),
        marginWeights: Float32Array.from(items, ({ trajectory }) =>
          trajectory.demonstrated ? options.marginWeight : 0,
        ),
        ...(config.members > 1 ? { memberMask: this.#memberMask(items) } : {}),
      },
      options.learningRate,
    );
    let error = 0;
    items.forEach(({ trajectory, place }, i) => {
      error += gradient.errors[i]! / items.length;
      const memory = trajectory.demonstrated ? this.demonstrations : this.own;
      if (config.priorityExponent > 0) {
        memory.setPriority(place, (gradient.errors[i]! + LEAST_PRIORITY) ** config.priorityExponent);
      }
    });
    follow(this.#target, this.#network.live, config.polyakTau);
    this.#steps++;
    if (config.resetEverySteps > 0 && this.#steps % config.resetEverySteps === 0) this.#reset();
    return { loss: gradient.loss, error };
  }

  /** False once a number is no longer finite: nothing can be learned any more. */
  get sound(): boolean {
    return tensorsOf(this.#network.live).every((tensor) => tensor.every(Number.isFinite));
  }

  save(): QLearnerState {
    return {
      network: this.#network.save(),
      target: copyOf(this.#target),
      own: this.own.save(),
      demonstrations: this.demonstrations.save(),
      steps: this.#steps,
    };
  }

  /** @param trajectories as {@link Experience.restore} takes them, of both kinds. */
  restore(state: QLearnerState, trajectories: readonly Trajectory[]): void {
    this.#network.restore(state.network);
    this.#target = copyOf(state.target);
    this.own.restore(
      state.own,
      trajectories.filter(({ demonstrated }) => !demonstrated),
    );
    this.demonstrations.restore(
      state.demonstrations,
      trajectories.filter(({ demonstrated }) => demonstrated),
    );
    this.#steps = state.steps;
  }

  #fresh(nth: number): Weights {
    const { hidden, members, quantiles, dueling, preempts } = this.config;
    const prior = this.#prior === undefined ? {} : { prior: this.#prior };
    return initialWeights(seededRng((this.#seed + 7919 * nth) >>> 0), this.#featureCount, {
      hidden,
      heads: { members, quantiles },
      dueling,
      preempts,
      ...prior,
    });
  }

  /** The last hidden layer and the heads begin anew; what was seen stays. */
  #reset(): void {
    const fresh = this.#fresh(this.#steps);
    const { trunk } = this.#network.live;
    const mixed: Weights = { ...fresh, trunk: [...trunk.slice(0, -1), ...fresh.trunk.slice(-1)] };
    this.#network.setWeights(mixed);
    this.#network.resetOptimizer();
    this.#target = copyOf(mixed);
  }

  /** Targets for Q(s, chosen): B × heads. */
  #targets(items: readonly Experienced[]): Float32Array {
    const { members, quantiles, nStep, double } = this.config;
    const heads = members * quantiles;
    const targets = new Float32Array(items.length * heads);
    const returns = items.map(({ trajectory, step }) => nStepReturn(trajectory, step, nStep));
    const nexts = returns.flatMap((value, i) =>
      value.discount === 0 ? [] : [{ value, i, trajectory: items[i]!.trajectory }],
    );
    returns.forEach(({ reward }, i) => {
      targets.fill(reward, i * heads, (i + 1) * heads);
    });
    const next = stacked(
      nexts.map(({ trajectory, value }) => ({ trajectory, step: value.next })),
      this.#featureCount,
    );
    const byTarget = scoresOf(this.#target, next.features, next.setRows);
    const choosing = double ? scoresOf(this.#network.live, next.features, next.setRows) : byTarget;
    let from = 0;
    nexts.forEach(({ value, i }, n) => {
      const rows = next.setRows[n]!;
      for (let member = 0; member < members; member++) {
        const first = member * quantiles;
        const best = bestRow(choosing, from, rows, heads, first, quantiles);
        for (let head = first; head < first + quantiles; head++) {
          targets[i * heads + head]! += value.discount * byTarget[best * heads + head]!;
        }
      }
      from += rows;
    });
    return targets;
  }

  /** Always the same for a decision: each member has seen a part of the world of its own. */
  #memberMask(items: readonly Experienced[]): Uint8Array {
    const { members, memberShare } = this.config;
    return Uint8Array.from({ length: items.length * members }, (_, at) => {
      const { place, trajectory } = items[Math.floor(at / members)]!;
      const rng: Rng = seededRng(
        (place * 31 + (trajectory.demonstrated ? 17 : 0)) * members + (at % members),
      );
      return rng.next() < memberShare ? 1 : 0;
    });
  }
}

/** The candidate sets of decisions, one after another. */
function stacked(
  items: readonly { readonly trajectory: Trajectory; readonly step: number }[],
  featureCount: number,
): { features: Float32Array; setRows: number[]; chosen: number[] } {
  const setRows = items.map(
    ({ trajectory, step }) => trajectory.firstRow[step + 1]! - trajectory.firstRow[step]!,
  );
  const features = new Float32Array(featureCount * setRows.reduce((sum, rows) => sum + rows, 0));
  let at = 0;
  for (const { trajectory, step } of items) {
    const { firstRow } = trajectory;
    const rows = trajectory.features.subarray(
      firstRow[step]! * featureCount,
      firstRow[step + 1]! * featureCount,
    );
    features.set(rows, at);
    at += rows.length;
  }
  return { features, setRows, chosen: items.map(({ trajectory, step }) => trajectory.chosen[step]!) };
}
