import type { TrainingState as NetworkState } from '../../learning/kernelNetwork.ts';
import { QLearner, type QLearnerState } from '../../learning/qLearner.ts';
import { decodeTrajectory, stepsOf, type Trajectory } from '../../learning/trajectory.ts';
import { FEATURE_COUNT, FEATURE_NAMES } from '../../scheduler/features.ts';
import { encodeWeights, type Prior, type Weights } from '../../scheduler/network.ts';
import { Interrupted } from '../pool.ts';
import type { Threads } from '../threads.ts';
import type { Acted, ActingJob, Actor } from './acting.ts';
import type { TrainConfig } from './trainConfig.ts';
import type { BestWeights, CurvePoint, TrainStore, ValidationPoint } from './trainStore.ts';
import { Validations } from './validations.ts';

type Phase = 'demonstrations' | 'imitation' | 'interaction' | 'over';

/** All that a training has to know to go on exactly where it was; trajectories lie beside it. */
export interface TrainingState {
  readonly phase: Phase;
  readonly learner: QLearnerState;
  /** Worlds that were run and learned from. */
  readonly worlds: number;
  readonly decisions: number;
  /** Gradient steps that are owed for decisions: less than one. */
  readonly owedSteps: number;
  /** Blob of the weights by which the round that comes next acts. */
  readonly acting: Uint8Array | null;
  /** Validations that are through. */
  readonly validated: number;
  readonly withoutGain: number;
  readonly trainedS: number;
  /** Sums since the last point of the curve. */
  readonly sums: { readonly loss: number; readonly error: number; readonly counted: number };
}

/** The same of a policy gradient. */
export interface PgState {
  readonly network: NetworkState;
  readonly step: number;
  readonly worlds: number;
  readonly decisions: number;
  readonly validated: number;
  readonly withoutGain: number;
  readonly trainedS: number;
}

/** What a training tells while it runs. */
export type TrainEvent =
  | ({ readonly event: 'point' } & CurvePoint)
  | ({ readonly event: 'validation'; readonly best: boolean } & ValidationPoint)
  | { readonly event: 'phase'; readonly phase: Phase; readonly worlds: number; readonly step: number };

export interface TrainingOptions {
  readonly config: TrainConfig;
  readonly store: TrainStore<TrainingState | PgState>;
  readonly threads: Threads<ActingJob, Acted>;
  readonly prior: Prior | undefined;
  /** So much work may be lost when it is killed. */
  readonly recordEveryMs: number;
  readonly signal?: AbortSignal;
  readonly onEvent: (event: TrainEvent) => void;
  /** 0 to 1, an estimate. */
  readonly onFraction: (fraction: number, step: number) => void;
}

/** Demonstrated worlds that are asked for at once. */
const DEMONSTRATED_AT_ONCE = 16;
/** Gradient steps between two looks at messages and the clock. */
const STEPS_AT_ONCE = 20;
const POINT_EVERY_STEPS = 200;

/**
 * One training, from its start or its last record to its end: demonstrations, imitation, interaction.
 *
 * Threads run worlds; this one learns. While it learns from one round of worlds, the next is already being run with the
 * weights from before, and results are taken in the order of worlds: so the outcome depends on the configuration alone
 * and neither on the number of threads nor on which is faster.
 */
export class Training {
  readonly #options: TrainingOptions;
  readonly #learner: QLearner;
  readonly #validations: Validations;
  #phase: Phase = 'demonstrations';
  #worlds = 0;
  #decisions = 0;
  #owedSteps = 0;
  #acting: Uint8Array | null = null;
  #trainedS = 0;
  #resumedAtMs = performance.now();
  #recordedAtMs = performance.now();
  // Since the last record.
  #fresh: { number: number; demonstrated: boolean; steps: number; body: Uint8Array }[] = [];
  #points: CurvePoint[] = [];
  /** Numbers and steps of own trajectories that are remembered, oldest first. */
  #remembered: { number: number; steps: number }[] = [];
  // Since the last point.
  #loss = 0;
  #error = 0;
  #counted = 0;

  constructor(options: TrainingOptions, baseline: readonly number[]) {
    const { config, store, prior } = options;
    this.#options = options;
    this.#validations = new Validations(options, baseline);
    const { network, learning, demonstrations, preempts } = config;
    this.#learner = new QLearner(
      {
        ...network,
        ...learning,
        preempts,
        margin: demonstrations.margin,
        demonstrationCapacity: demonstrations.capacity,
      },
      FEATURE_COUNT,
      config.seed,
      prior,
    );
    const state = store.state as TrainingState | null;
    if (state !== null) this.#restore(state);
  }

  get step(): number {
    return this.#learner.steps;
  }

  get worlds(): number {
    return this.#worlds;
  }

  get trainedS(): number {
    return this.#trainedS + (performance.now() - this.#resumedAtMs) / 1000;
  }

  get best(): BestWeights | null {
    return this.#validations.best;
  }

  /** @throws {Interrupted} when the signal says so; all that was done until then is recorded. */
  async run(): Promise<void> {
    if (this.#phase === 'demonstrations') await this.#demonstrate();
    if (this.#phase === 'imitation') await this.#imitate();
    if (this.#phase === 'interaction') await this.#interact();
    this.#record();
  }

  async #demonstrate(): Promise<void> {
    const { demonstrations } = this.#options.config;
    const actor = { policy: demonstrations.policy };
    while (this.#worlds < demonstrations.worlds) {
      const count = Math.min(DEMONSTRATED_AT_ONCE, demonstrations.worlds - this.#worlds);
      this.#take(await this.#act(count, this.#worlds, actor, true));
      await this.#breathe();
    }
    this.#enter('imitation');
  }

  async #imitate(): Promise<void> {
    const { demonstrations } = this.#options.config;
    const { learningRate, marginWeight, steps } = demonstrations;
    const all = demonstrations.worlds > 0 ? steps : 0;
    while (this.step < all) {
      const until = Math.min(all, this.step + STEPS_AT_ONCE, this.#validations.nextAtStep);
      while (this.step < until) {
        this.#train({ demonstrationShare: 1, marginWeight, learningRate, progress: 0 });
      }
      await this.#validateIfDue(null);
      await this.#breathe();
    }
    this.#acting = this.#encoded(this.#learner.weights());
    this.#enter('interaction');
  }

  async #interact(): Promise<void> {
    const { interaction, demonstrations, learning } = this.#options.config;
    const first = demonstrations.worlds;
    const last = first + interaction.worlds;
    const round = (from: number): Promise<Acted[]> =>
      this.#act(Math.min(interaction.worldsPerRound, last - from), from, this.#actorAt(from - first), false);
    let pending = this.#worlds < last ? round(this.#worlds) : null;
    while (pending !== null) {
      const acted = await pending;
      const next = this.#worlds + acted.length;
      // The next round acts by the weights from before this one is learned from: so both go on at once.
      this.#acting = this.#encoded(this.#learner.weights());
      pending = next < last ? round(next) : null;
      pending?.catch(() => undefined);
      const before = this.#decisions;
      this.#take(acted);
      this.#owedSteps += (this.#decisions - before) * interaction.stepsPerDecision;
      const progress = Math.min(1, (next - first) / interaction.worlds);
      const learningRate =
        learning.learningRate + (learning.finalLearningRate - learning.learningRate) * progress;
      while (this.#owedSteps >= 1) {
        for (let i = 0; i < STEPS_AT_ONCE && this.#owedSteps >= 1; i++, this.#owedSteps--) {
          this.#train({
            demonstrationShare: demonstrations.laterShare,
            marginWeight: demonstrations.laterMarginWeight,
            learningRate,
            progress,
          });
        }
        if (this.#owedSteps >= 1) await this.#pause();
      }
      const over = await this.#validateIfDue(pending);
      await this.#breathe();
      if (over) break;
    }
    this.#enter('over');
  }

  #actorAt(world: number): Actor {
    const { firstEpsilon, lastEpsilon, exploringWorlds, upperConfidence } = this.#options.config.interaction;
    const epsilon = firstEpsilon + (lastEpsilon - firstEpsilon) * Math.min(1, world / exploringWorlds);
    return { weights: this.#acting!, epsilon, upperConfidence };
  }

  /** Runs so many worlds. @returns in the order of their numbers. */
  #act(count: number, from: number, actor: Actor, demonstrated: boolean): Promise<Acted[]> {
    const { threads } = this.#options;
    return Promise.all(
      Array.from({ length: count }, (_, i) =>
        threads.run({ kind: 'act', world: from + i, actor, demonstrated }),
      ),
    );
  }

  #take(acted: readonly Acted[]): void {
    for (const { trajectory: body, decisions } of acted) {
      const trajectory = decodeTrajectory(body!, FEATURE_COUNT);
      this.#learner.add(trajectory);
      this.#fresh.push({
        number: this.#worlds,
        demonstrated: trajectory.demonstrated,
        steps: decisions,
        body: body!,
      });
      if (!trajectory.demonstrated) this.#remembered.push({ number: this.#worlds, steps: decisions });
      this.#worlds++;
      this.#decisions += decisions;
    }
  }

  #train(options: Parameters<QLearner['train']>[0]): void {
    const { loss, error } = this.#learner.train(options);
    this.#loss += loss;
    this.#error += error;
    this.#counted++;
    if (this.step % POINT_EVERY_STEPS !== 0) return;
    const { config, onEvent } = this.#options;
    const own = this.#worlds - config.demonstrations.worlds;
    const actor = this.#phase === 'interaction' ? this.#actorAt(own) : null;
    const point: CurvePoint = {
      step: this.step,
      phase: this.#phase,
      loss: this.#loss / this.#counted,
      error: this.#error / this.#counted,
      epsilon: actor !== null && 'epsilon' in actor ? actor.epsilon : null,
      worlds: this.#worlds,
      decisions: this.#decisions,
      trainedS: this.trainedS,
    };
    [this.#loss, this.#error, this.#counted] = [0, 0, 0];
    this.#points.push(point);
    onEvent({ event: 'point', ...point });
  }

  /** @returns whether the training is to end, because it has not got better for long enough. */
  async #validateIfDue(pending: Promise<Acted[]> | null): Promise<boolean> {
    const { interaction, demonstrations } = this.#options.config;
    const last = this.#worlds >= demonstrations.worlds + interaction.worlds && pending === null;
    const finished = last && this.#phase === 'interaction';
    if (this.step < this.#validations.nextAtStep && !finished) return false;
    await this.#validations.validate(this.step, this.#learner.weights(), this.#learner.sound, (blob) => ({
      weights: blob,
      epsilon: 0,
      upperConfidence: 0,
    }));
    return this.#phase === 'interaction' && this.#validations.exhausted;
  }

  #encoded(weights: Weights): Uint8Array {
    return encodeWeights(weights, FEATURE_NAMES);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#options.onEvent({ event: 'phase', phase, worlds: this.#worlds, step: this.step });
    this.#record();
  }

  /** Between two pieces of work: hears messages, stops if it is to, and records now and then. */
  async #breathe(): Promise<void> {
    await this.#pause();
    if (performance.now() - this.#recordedAtMs >= this.#options.recordEveryMs) this.#record();
    if (this.#options.signal?.aborted) {
      this.#record();
      throw new Interrupted('stopped before the end');
    }
  }

  async #pause(): Promise<void> {
    this.#options.onFraction(this.#fraction(), this.step);
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** By the work that is behind, in gradient steps; a world counts as some. */
  #fraction(): number {
    const { demonstrations, interaction } = this.#options.config;
    const perWorld = this.#worlds === 0 ? 100 : this.#decisions / this.#worlds;
    const worldCost = 0.1 * perWorld;
    const imitation = demonstrations.worlds > 0 ? demonstrations.steps : 0;
    const total =
      (demonstrations.worlds + interaction.worlds) * worldCost +
      imitation +
      interaction.worlds * perWorld * interaction.stepsPerDecision;
    return Math.min(1, (this.#worlds * worldCost + this.step) / Math.max(1, total));
  }

  #record(): void {
    const { store, config } = this.#options;
    let kept = 0;
    for (const { steps } of this.#remembered) kept += steps;
    while (kept - (this.#remembered[0]?.steps ?? kept) >= config.learning.replayCapacity) {
      kept -= this.#remembered.shift()!.steps;
    }
    store.record({
      state: {
        phase: this.#phase,
        learner: this.#learner.save(),
        worlds: this.#worlds,
        decisions: this.#decisions,
        owedSteps: this.#owedSteps,
        acting: this.#acting,
        ...this.#validations.state,
        trainedS: this.trainedS,
        sums: { loss: this.#loss, error: this.#error, counted: this.#counted },
      },
      trajectories: this.#fresh,
      forgetBefore: this.#remembered[0]?.number ?? 0,
      points: this.#points,
      ...this.#validations.unrecorded(),
    });
    this.#fresh = [];
    this.#points = [];
    this.#validations.recorded();
    this.#recordedAtMs = performance.now();
  }

  #restore(state: TrainingState): void {
    const { store } = this.#options;
    const trajectories: Trajectory[] = [];
    for (const { number, body } of store.trajectories()) {
      const trajectory = decodeTrajectory(body, FEATURE_COUNT);
      trajectories.push(trajectory);
      if (!trajectory.demonstrated) this.#remembered.push({ number, steps: stepsOf(trajectory) });
    }
    this.#learner.restore(state.learner, trajectories);
    this.#phase = state.phase;
    this.#worlds = state.worlds;
    this.#decisions = state.decisions;
    this.#owedSteps = state.owedSteps;
    this.#acting = state.acting;
    this.#trainedS = state.trainedS;
    this.#validations.restore(state, store.best);
    this.#loss = state.sums.loss;
    this.#error = state.sums.error;
    this.#counted = state.sums.counted;
  }
}
