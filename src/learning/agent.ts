import { messageOf } from '../domain/errors.ts';
import { type Rng, seededRng } from '../domain/rng.ts';
import { checkWeights, featureCountOf, forward, tensorsOf, type Weights } from '../scheduler/network.ts';
import { copyOf, follow, type LossConfig } from './kernelNetwork.ts';
import { Replay } from './replay.ts';
import { doubleDqnTargets, stackStates } from './targets.ts';
import { kernelBackend, type TrainableNetwork } from './trainableNetwork.ts';
import type { Transition } from './transition.ts';

/** Every hyperparameter of the learner. */
export interface AgentConfig extends LossConfig {
  /** Adam's step size; 1/gradient units. Half of Adam's default (Kingma & Ba 2015), as rewards are noisy. */
  readonly learningRate: number;
  /** Keeps Adam from making full steps out of gradients that are almost nothing; 1.5e-4 (Hessel et al. 2018). */
  readonly adamEpsilon: number;
  /** Error in Q beyond which the loss grows linearly; units of Q. 1 as in Mnih et al. 2015. */
  readonly huberDelta: number;
  /** Global norm to which a gradient is cut; 10 as in Wang et al. 2016. */
  readonly maxGradientNorm: number;
  /** Difference of advantages that counts as one logit in imitation; units of Q. About what one start is worth. */
  readonly imitationTemperature: number;
  /**
   * Weight of the wish to act as it did act, which keeps the Q of untried actions from drifting up where nothing
   * contradicts it (conservative Q-learning: Kumar et al. 2020). A live machine tries little: it never explores
   * `wait`. 0 for plain Q-learning.
   */
  readonly conservatism: number;
  /**
   * The same for what a person did or wanted, whatever came of it. Ten times as much: there are few of them, and they
   * are what the owner would rather not have to do again.
   */
  readonly imitation: number;
  /** Transitions per gradient step; 32 as in Mnih et al. 2015. */
  readonly batchSize: number;
  /** Share of the online weights that the target network takes over at each step; 0.005 (Lillicrap et al. 2016). */
  readonly polyakTau: number;
  /** Transitions kept; about 9 KiB each, so 20 MiB at most. */
  readonly replayCapacity: number;
  /** Transitions before the first gradient step. */
  readonly minReplay: number;
  /** Gradient steps that each new transition pays for; an idle machine then costs no CPU. */
  readonly stepsPerTransition: number;
  /** Most steps that may be owed: after a burst of decisions the rest is forgone, about 3 s of one core. */
  readonly maxOwedSteps: number;
  /** Gradient steps between two checks and publications of the weights. */
  readonly publishEverySteps: number;
  /**
   * |Q| on recent states beyond which the network counts as diverged; units of Q, where a cost rate of 1 for
   * ever is −1. A hundred jobs per device, for ever, are worth −50.
   */
  readonly maxAbsQ: number;
  /** Seeds the draws from the replay memory. */
  readonly seed: number;
}

/** Fine-tuning on a live machine: small steps, because each mistake is somebody's waiting time. */
export const LIVE_AGENT: AgentConfig = {
  learningRate: 1e-4,
  huberDelta: 1,
  maxGradientNorm: 10,
  adamEpsilon: 1.5e-4,
  imitationTemperature: 0.02,
  conservatism: 0.05,
  imitation: 0.5,
  batchSize: 32,
  polyakTau: 0.005,
  replayCapacity: 2048,
  minReplay: 64,
  stepsPerTransition: 4,
  maxOwedSteps: 200,
  publishEverySteps: 50,
  maxAbsQ: 200,
  seed: 1,
};

/** All that an agent has learned, to go on later exactly where it was. */
export interface AgentState {
  readonly online: Weights;
  readonly target: Weights;
  /** Adam's step count and moments; empty for a fresh optimizer. */
  readonly optimizer: readonly Float32Array[];
  readonly trainSteps: number;
  /** Oldest first. */
  readonly replay: readonly Remembered[];
}

/** A transition in memory. */
export interface Remembered {
  readonly transition: Transition;
  /** Somebody whose acts are worth imitating did it. */
  readonly demonstrated: boolean;
}

/**
 * A deep Q-learner: double Q-learning (van Hasselt et al. 2016) on a dueling network (Wang et al. 2016) with
 * uniform replay and a Polyak-averaged target.
 *
 * Differences from the papers: candidates are a variable set, time is continuous (semi-Markov discount), and the
 * target network follows softly instead of by copies.
 */
export class Agent {
  readonly config: AgentConfig;
  private readonly network: TrainableNetwork;
  private online: Weights;
  private target: Weights;
  private lastGood: Weights;
  private replay: Replay<Remembered>;
  private steps = 0;

  /** @param network with these weights; on the kernels when left out. */
  constructor(weights: Weights, config: AgentConfig, network = kernelBackend(weights, config)) {
    this.config = config;
    this.network = network;
    this.online = weights;
    this.target = copyOf(weights);
    this.lastGood = weights;
    this.replay = new Replay(config.replayCapacity);
  }

  get trainSteps(): number {
    return this.steps;
  }

  get replaySize(): number {
    return this.replay.size;
  }

  /** Goes on counting steps from those of an earlier life. */
  countFrom(steps: number): void {
    this.steps = steps;
  }

  /** True once there is enough experience to learn from. */
  get ready(): boolean {
    return this.replay.size >= this.config.minReplay;
  }

  remember(transition: Transition, demonstrated = transition.demonstrated ?? false): void {
    this.replay.push({ transition, demonstrated });
  }

  /** The weights as they are now. */
  weights(): Weights {
    return this.online;
  }

  /**
   * One gradient step on a batch drawn from the replay memory. `imitationWeight` above 0 adds the wish to act as
   * was demonstrated (after Hester et al. 2018, "Deep Q-learning from demonstrations", with a cross-entropy for
   * their margin). Returns the loss.
   */
  train(imitationWeight = 0): number {
    const { items, lossWeights } = this.replay.sample(this.config.batchSize, this.drawRng());
    const transitions = items.map(({ transition }) => transition);
    const loss = this.network.train({
      ...stackStates(transitions),
      targets: doubleDqnTargets(this.online, this.target, transitions),
      lossWeights,
      imitationWeights: Float32Array.from(items, ({ demonstrated }) =>
        demonstrated ? imitationWeight : this.config.conservatism,
      ),
    });
    this.online = this.network.weights();
    follow(this.target, this.online, this.config.polyakTau);
    this.steps++;
    return loss;
  }

  /**
   * Checks that the network still makes sense: finite weights, bounded Q on remembered states, and whatever
   * `inspect` throws for. If so these weights become the ones to fall back to; if not, the network is set back to
   * the last that did. What was experienced since stays in memory.
   * @returns null when all is well, else what was wrong, in a sentence.
   */
  check(inspect: (weights: Weights) => void = () => undefined): string | null {
    const problem = this.problem() ?? complaintOf(inspect, this.online);
    if (problem === null) {
      this.lastGood = this.online;
      return null;
    }
    this.online = this.lastGood;
    this.target = copyOf(this.lastGood);
    this.network.setWeights(this.lastGood);
    this.network.resetOptimizer();
    return problem;
  }

  async save(): Promise<AgentState> {
    return {
      online: copyOf(this.online),
      target: copyOf(this.target),
      optimizer: await this.network.saveOptimizer(),
      trainSteps: this.steps,
      replay: this.replay.items(),
    };
  }

  /** @throws {WeightsError} when the state's weights do not fit this network. */
  async restore(state: AgentState): Promise<void> {
    const featureCount = featureCountOf(this.online);
    checkWeights(state.online, featureCount);
    checkWeights(state.target, featureCount);
    this.online = copyOf(state.online);
    this.target = copyOf(state.target);
    this.lastGood = this.online;
    this.network.setWeights(this.online);
    await this.network.restoreOptimizer(state.optimizer);
    this.steps = state.trainSteps;
    this.replay = new Replay(this.config.replayCapacity);
    for (const remembered of state.replay) this.replay.push(remembered);
  }

  dispose(): void {
    this.network.dispose();
  }

  /** One generator per step, so that the step count is all there is to save of the randomness. */
  private drawRng(): Rng {
    return seededRng((this.config.seed * 0x9e3779b1 + this.steps) >>> 0);
  }

  private problem(): string | null {
    if (!tensorsOf(this.online).every((tensor) => tensor.every(Number.isFinite))) {
      return 'the weights were no longer finite';
    }
    for (const { transition } of this.replay.sample(PROBES, this.drawRng()).items) {
      const { state } = transition;
      const largest = forward(this.online, state.features, state.rows).reduce(
        (max, q) => (Math.abs(q) > max || Number.isNaN(q) ? Math.abs(q) : max),
        0,
      );
      if (!(largest <= this.config.maxAbsQ)) {
        return `a Q-value of ${largest.toPrecision(3)} exceeded the bound of ${this.config.maxAbsQ}`;
      }
    }
    return null;
  }
}

/** Remembered states on which Q is checked. */
const PROBES = 16;

function complaintOf(inspect: (weights: Weights) => void, weights: Weights): string | null {
  try {
    inspect(weights);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
