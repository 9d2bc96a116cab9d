import { randomInt, seededRng } from '../../domain/rng.ts';
import { KernelNetwork } from '../../learning/kernelNetwork.ts';
import { type Rollout, sequenceAdvantages } from '../../learning/sequenceAdvantages.ts';
import { decodeTrajectory } from '../../learning/trajectory.ts';
import { FEATURE_COUNT, FEATURE_NAMES } from '../../scheduler/features.ts';
import { encodeWeights, initialWeights, tensorsOf } from '../../scheduler/network.ts';
import { Interrupted } from '../pool.ts';
import { seedFor } from '../runWorld.ts';
import type { Acted, Actor } from './acting.ts';
import type { PgState, TrainingOptions } from './training.ts';
import type { BestWeights, CurvePoint } from './trainStore.ts';
import { Validations } from './validations.ts';

/** A decision that is to be learned from. */
interface Lesson {
  readonly rollout: Rollout;
  readonly step: number;
  /** In deviations over the round. */
  readonly advantage: number;
}

/**
 * Training of the actor `pg` by REINFORCE (Williams 1992): several rollouts of each arrival sequence by draws from the
 * policy, and from them one pass of gradient steps. The baseline is per arrival sequence, see {@link sequenceAdvantages}.
 * Rounds follow one another, since what is learned from must have been done by the weights that learn; it goes on from its
 * last record to the same end, however many threads there are.
 */
export class PgTraining {
  readonly #options: TrainingOptions;
  readonly #validations: Validations;
  readonly #network: KernelNetwork;
  #step = 0;
  #worlds = 0;
  #decisions = 0;
  #trainedS = 0;
  #resumedAtMs = performance.now();
  #recordedAtMs = performance.now();
  #points: CurvePoint[] = [];

  constructor(options: TrainingOptions, baseline: readonly number[]) {
    const { config, prior, store } = options;
    this.#options = options;
    this.#validations = new Validations(options, baseline);
    const { network, learning, policyGradient, preempts, seed } = config;
    const fresh = initialWeights(seededRng(seed), FEATURE_COUNT, {
      hidden: network.hidden,
      dueling: false,
      preempts,
      ...(prior === undefined ? {} : { prior }),
    });
    this.#network = new KernelNetwork(fresh, {
      learningRate: learning.learningRate,
      adamEpsilon: learning.adamEpsilon,
      huberDelta: learning.huberDelta,
      maxGradientNorm: learning.maxGradientNorm,
      imitationTemperature: policyGradient.temperature,
      entropyWeight: policyGradient.entropyWeight,
    });
    const state = store.state as PgState | null;
    if (state === null) return;
    this.#network.restore(state.network);
    this.#step = state.step;
    this.#worlds = state.worlds;
    this.#decisions = state.decisions;
    this.#trainedS = state.trainedS;
    this.#validations.restore(state, store.best);
  }

  get step(): number {
    return this.#step;
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
    const { interaction } = this.#options.config;
    while (this.#worlds < interaction.worlds) {
      const count = Math.min(interaction.worldsPerRound, interaction.worlds - this.#worlds);
      const lessons = await this.#play(count);
      this.#worlds += count;
      this.#learn(lessons);
      if (await this.#validateIfDue()) break;
      this.#breathe();
    }
    this.#record();
  }

  /** Several rollouts of each of the next worlds. */
  async #play(count: number): Promise<Lesson[]> {
    const { threads, config } = this.#options;
    const { rollouts, temperature } = config.policyGradient;
    const actor: Actor = { weights: this.#blob(), temperature };
    const asked = Array.from({ length: count * rollouts }, (_, i) =>
      threads.run({
        kind: 'act',
        world: this.#worlds + Math.floor(i / rollouts),
        rollout: i % rollouts,
        actor,
        demonstrated: false,
      }),
    );
    const acted = (await Promise.all(asked)).map(rolloutOf);
    const lessons: Lesson[] = [];
    for (let world = 0; world < count; world++) {
      const same = acted.slice(world * rollouts, (world + 1) * rollouts);
      sequenceAdvantages(same).forEach((advantages, i) => {
        advantages.forEach((advantage, step) => {
          lessons.push({ rollout: same[i]!, step, advantage });
        });
      });
    }
    this.#decisions += lessons.length;
    const squares = lessons.reduce((sum, { advantage }) => sum + advantage ** 2, 0);
    const deviation = Math.sqrt(squares / Math.max(1, lessons.length));
    return deviation > 0
      ? lessons.map((lesson) => ({ ...lesson, advantage: lesson.advantage / deviation }))
      : [];
  }

  /** Each decision once, in an order that depends on nothing but the seed and the round. */
  #learn(lessons: Lesson[]): void {
    const { config, onEvent } = this.#options;
    const { batchSize, learningRate: first, finalLearningRate } = config.learning;
    const progress = this.#worlds / config.interaction.worlds;
    const learningRate = first + (finalLearningRate - first) * progress;
    const rng = seededRng(seedFor(config.seed, this.#worlds));
    for (let i = lessons.length - 1; i > 0; i--) {
      const other = randomInt(rng, i + 1);
      [lessons[i], lessons[other]] = [lessons[other]!, lessons[i]!];
    }
    let loss = 0;
    let steps = 0;
    for (let from = 0; from + batchSize <= lessons.length; from += batchSize) {
      loss += this.#network.train(batchOf(lessons.slice(from, from + batchSize)), learningRate).loss;
      this.#step++;
      steps++;
    }
    if (steps === 0) return;
    const point: CurvePoint = {
      step: this.#step,
      phase: 'interaction',
      loss: loss / steps,
      error: 0,
      epsilon: null,
      worlds: this.#worlds,
      decisions: this.#decisions,
      trainedS: this.trainedS,
    };
    this.#points.push(point);
    onEvent({ event: 'point', ...point });
  }

  /** @returns whether the training is to end, because it has not got better for long enough. */
  async #validateIfDue(): Promise<boolean> {
    const over = this.#worlds >= this.#options.config.interaction.worlds;
    if (this.#step < this.#validations.nextAtStep && !over) return false;
    const weights = this.#network.weights();
    const sound = tensorsOf(weights).every((tensor) => tensor.every(Number.isFinite));
    await this.#validations.validate(this.#step, weights, sound, (blob) => ({
      weights: blob,
      temperature: 0,
    }));
    return this.#validations.exhausted;
  }

  /** Between two rounds: records now and then, and stops if it is to. */
  #breathe(): void {
    const { recordEveryMs, signal, onFraction, config } = this.#options;
    onFraction(this.#worlds / config.interaction.worlds, this.#step);
    if (performance.now() - this.#recordedAtMs >= recordEveryMs) this.#record();
    if (!signal?.aborted) return;
    this.#record();
    throw new Interrupted('stopped before the end');
  }

  #blob(): Uint8Array {
    return encodeWeights(this.#network.weights(), FEATURE_NAMES);
  }

  #record(): void {
    const state: PgState = {
      network: this.#network.save(),
      step: this.#step,
      worlds: this.#worlds,
      decisions: this.#decisions,
      ...this.#validations.state,
      trainedS: this.trainedS,
    };
    this.#options.store.record({
      state,
      trajectories: [],
      forgetBefore: 0,
      points: this.#points,
      ...this.#validations.unrecorded(),
    });
    this.#points = [];
    this.#validations.recorded();
    this.#recordedAtMs = performance.now();
  }
}

const rolloutOf = ({ trajectory, timesS }: Acted): Rollout => ({
  trajectory: decodeTrajectory(trajectory!, FEATURE_COUNT),
  timesS: timesS!,
});

/** Only the actor learns: there is no target for Q. */
function batchOf(lessons: readonly Lesson[]) {
  const setRows = lessons.map(
    ({ rollout: { trajectory }, step }) => trajectory.firstRow[step + 1]! - trajectory.firstRow[step]!,
  );
  const features = new Float32Array(setRows.reduce((sum, rows) => sum + rows, 0) * FEATURE_COUNT);
  let at = 0;
  for (const { rollout, step } of lessons) {
    const { firstRow, features: all } = rollout.trajectory;
    const rows = all.subarray(firstRow[step]! * FEATURE_COUNT, firstRow[step + 1]! * FEATURE_COUNT);
    features.set(rows, at);
    at += rows.length;
  }
  return {
    features,
    setRows,
    chosen: lessons.map(({ rollout, step }) => rollout.trajectory.chosen[step]!),
    targets: new Float32Array(lessons.length),
    lossWeights: new Float32Array(lessons.length),
    imitationWeights: Float32Array.from(lessons, ({ advantage }) => advantage),
  };
}
