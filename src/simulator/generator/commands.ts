import { type Rng, randomInt, randomNormal } from '../../domain/rng.ts';
import type { TraceJob } from '../../domain/trace.ts';
import { JOB_KINDS, soloOf } from '../interference.ts';
import { commandName } from './commandName.ts';
import { sample } from './distribution.ts';
import type { Estimates, JobClass, KindWeights, Preset } from './preset.ts';
import { WeightedChoice } from './weightedChoice.ts';

/** What a user submits, once or again and again. */
export interface Command extends Omit<TraceJob, 'jobId' | 'submitS' | 'durationS'> {
  /** Its median duration, s, at the middle of the drift. */
  readonly medianS: number;
}

/** How many of a user's latest commands of a class may come again. */
const REMEMBERED = 8;

/** The commands that the users of a preset submit. */
export class Commands {
  readonly #preset: Preset;
  readonly #rng: Rng;
  readonly #users: WeightedChoice<string>;
  readonly #sizes: ReadonlyMap<JobClass, WeightedChoice<JobClass['gpus'][number]>>;
  readonly #priorities: WeightedChoice<number> | null;
  readonly #kinds: Kinds | null;
  readonly #latest = new Map<JobClass, Map<string, Command[]>>();

  constructor(preset: Preset, rng: Rng) {
    const { users, classes, priorities, needs, drift } = preset;
    this.#preset = preset;
    this.#rng = rng;
    const names =
      typeof users.names === 'number'
        ? Array.from({ length: users.names }, (_, i) => `u${i + 1}`)
        : users.names;
    const eagerness = names.map((_, i) => Math.exp(-users.skew * Math.log(i + 1)));
    this.#users = new WeightedChoice(names, eagerness);
    this.#sizes = new Map(
      classes.map((jobClass) => {
        const shares = jobClass.gpus.map(({ share }) => share);
        return [jobClass, new WeightedChoice(jobClass.gpus, shares)];
      }),
    );
    this.#priorities =
      priorities &&
      new WeightedChoice(
        priorities.map(({ value }) => value),
        priorities.map(({ share }) => share),
      );
    this.#kinds = needs && 'kinds' in needs ? new Kinds(needs.kinds, drift?.kinds ?? needs.kinds) : null;
    for (const jobClass of classes) this.#latest.set(jobClass, new Map());
  }

  /**
   * The next command that somebody submits: a new one, or one of the latest again.
   * @param at how far the trace is, 0 to 1.
   * @param factor how many times as long jobs are there as at the middle.
   */
  next(jobClass: JobClass, at: number, factor: number): Command {
    const rng = this.#rng;
    const user = this.#users.draw(rng);
    const known = this.#latest.get(jobClass)!;
    const latest = known.get(user) ?? [];
    const again = rng.next() < this.#preset.repeats.share;
    if (again && latest.length > 0) return latest[randomInt(rng, latest.length)]!;
    const command = this.#create(jobClass, user, at, factor);
    if (this.#preset.repeats.share > 0) {
      latest.push(command);
      if (latest.length > REMEMBERED) latest.shift();
      known.set(user, latest);
    }
    return command;
  }

  #create(jobClass: JobClass, user: string, at: number, factor: number): Command {
    const rng = this.#rng;
    const { repeats, estimates } = this.#preset;
    const size = this.#sizes.get(jobClass)!.draw(rng);
    const medianS = sample(jobClass.duration, rng) * size.factor;
    const { kind, vramMib, gpuUtil } = this.#needs(at);
    const named = kind !== null || repeats.share > 0;
    const command = named
      ? randomInt(rng, 2 ** 32)
          .toString(16)
          .padStart(8, '0')
      : '';
    return {
      medianS,
      gpus: size.gpus,
      vramMib,
      gpuUtil,
      priority: this.#priorities?.draw(rng) ?? null,
      user,
      name: named ? commandName(kind ?? 'job', command) : null,
      estimateS: estimates && estimateOf(medianS * factor, estimates, rng),
    };
  }

  #needs(at: number): { kind: string | null } & Pick<Command, 'vramMib' | 'gpuUtil'> {
    const rng = this.#rng;
    const { needs } = this.#preset;
    if (this.#kinds !== null) {
      const kind = this.#kinds.draw(at, rng);
      const solo = soloOf(kind);
      // The same model on other data: a tenth more or less.
      const vramMib = Math.round(solo.vramMib * (0.9 + 0.2 * rng.next()));
      return { kind, vramMib, gpuUtil: share(solo.gpuUtil * (0.9 + 0.2 * rng.next())) };
    }
    if (needs === null || 'kinds' in needs) return { kind: null, vramMib: null, gpuUtil: null };
    const spread = ({ median, sigma }: { median: number; sigma: number }): number =>
      median * Math.exp(sigma * randomNormal(rng));
    const vramMib = Math.min(needs.mostVramMib, Math.round(spread(needs.vramMib)));
    return { kind: null, vramMib, gpuUtil: share(spread(needs.gpuUtil)) };
  }
}

/** At most 1, in thousandths. */
const share = (value: number): number => Math.min(1, Math.round(1000 * value) / 1000);

/** Draws kinds by weights that move from some to others. */
class Kinds {
  readonly #first: WeightedChoice<string>;
  readonly #last: WeightedChoice<string>;

  constructor(first: KindWeights, last: KindWeights) {
    this.#first = kindChoice(first);
    this.#last = kindChoice(last);
  }

  draw(at: number, rng: Rng): string {
    return (rng.next() < at ? this.#last : this.#first).draw(rng);
  }
}

function kindChoice(weights: KindWeights): WeightedChoice<string> {
  const model = (kind: string): string => kind.split(' (')[0]!;
  const perKind = JOB_KINDS.map((kind) => {
    const sizes = JOB_KINDS.filter((other) => model(other) === model(kind)).length;
    return (weights[model(kind)] ?? 0) / sizes;
  });
  return new WeightedChoice(JOB_KINDS, perKind);
}

const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];
/** What people say when they are asked how long something takes, s. */
const SAID_S: readonly number[] = [
  ...[1, 2, 5, 10, 15, 20, 30, 45].map((n) => n * MINUTE),
  ...[1, 2, 3, 4, 6, 8, 10, 12, 16, 20].map((n) => n * HOUR),
  ...[1, 2, 3, 4, 5, 7, 10, 14, 21, 30, 60].map((n) => n * DAY),
];

function estimateOf(durationS: number, { share, bias, sigma }: Estimates, rng: Rng): number | null {
  if (rng.next() >= share) return null;
  const guessS = durationS * bias * Math.exp(sigma * randomNormal(rng));
  return SAID_S.find((saidS) => saidS >= guessS) ?? SAID_S.at(-1)!;
}
