import { FieldError } from '../../domain/errors.ts';
import { FEATURE_NAMES } from '../../scheduler/features.ts';
import { encodeWeights, type Weights } from '../../scheduler/network.ts';
import type { Actor } from './acting.ts';
import type { TrainingOptions } from './training.ts';
import type { BestWeights, ValidationPoint } from './trainStore.ts';
import { ratioOf, troubleWith } from './validate.ts';

/** What a training's record keeps of them. */
interface ValidationState {
  readonly validated: number;
  readonly withoutGain: number;
}

/** The validations of one training, whatever learns: the best weights so far, and whether it has got better lately. */
export class Validations {
  readonly #options: TrainingOptions;
  readonly #baseline: readonly number[];
  #validated = 0;
  #withoutGain = 0;
  #best: BestWeights | null = null;
  // Since the last record.
  #points: ValidationPoint[] = [];
  #newBest: BestWeights | null = null;

  constructor(options: TrainingOptions, baseline: readonly number[]) {
    this.#options = options;
    this.#baseline = baseline;
  }

  get best(): BestWeights | null {
    return this.#best;
  }

  /** The gradient step at which the next is due. */
  get nextAtStep(): number {
    return this.#options.config.validation.everySteps * (this.#validated + 1);
  }

  /** Whether it has not got better for as long as the configuration is patient. */
  get exhausted(): boolean {
    const { patience } = this.#options.config.validation;
    return patience > 0 && this.#withoutGain >= patience;
  }

  get state(): ValidationState {
    return { validated: this.#validated, withoutGain: this.#withoutGain };
  }

  restore(state: ValidationState, best: BestWeights | null): void {
    this.#validated = state.validated;
    this.#withoutGain = state.withoutGain;
    this.#best = best;
  }

  /**
   * Has weights act in the worlds of validation.
   * @param sound whether the weights are finite.
   * @param actorOf who acts by the weights in that blob.
   * @throws {FieldError} if they are not sound.
   */
  async validate(
    step: number,
    weights: Weights,
    sound: boolean,
    actorOf: (blob: Uint8Array) => Actor,
  ): Promise<void> {
    const { config, threads, onEvent } = this.#options;
    if (!sound) {
      const remedy = `give a smaller one, in another directory: the weights were no longer finite at step ${step}`;
      throw new FieldError('learning.learningRate', config.learning.learningRate, remedy);
    }
    const blob = encodeWeights(weights, FEATURE_NAMES);
    const trouble = troubleWith(weights);
    const found = await ratioOf(threads, this.#baseline, actorOf(blob));
    const point: ValidationPoint = { step, ...found, trouble };
    this.#validated = Math.floor(step / config.validation.everySteps);
    const bestRatio = this.#best?.ratio ?? Number.POSITIVE_INFINITY;
    const gain = trouble === null && point.ratio < bestRatio;
    const enough = trouble === null && point.ratio < bestRatio * (1 - config.validation.least);
    this.#withoutGain = enough ? 0 : this.#withoutGain + 1;
    if (gain) this.#best = this.#newBest = { step, ratio: point.ratio, weights: blob };
    this.#points.push(point);
    onEvent({ event: 'validation', best: gain, ...point });
  }

  /** What came since the last record, which this ends up in. */
  unrecorded(): { readonly validations: readonly ValidationPoint[]; readonly best: BestWeights | null } {
    return { validations: this.#points, best: this.#newBest };
  }

  recorded(): void {
    this.#points = [];
    this.#newBest = null;
  }
}
