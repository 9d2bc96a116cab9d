import { ConflictError, FieldError } from '../../domain/errors.ts';

/**
 * The sizes of DeepRM's world (Mao, Alizadeh, Menache & Kandula, "Resource Management with Deep Reinforcement Learning",
 * HotNets 2016, §4).
 */
export const DEEPRM = {
  /** Units of each of the two resources. */
  capacity: 10,
  /** Steps ahead for which resources are reserved. */
  horizonSteps: 20,
  /** Waiting jobs that can be picked. */
  slots: 10,
  /** Waiting jobs that are only counted. */
  backlog: 60,
  /** The action that picks nothing; those below it are the slots. */
  wait: 10,
} as const;

/** Units of the first and of the second resource. */
export type DeeprmDemand = readonly [number, number];

/** A job as its sequence has it. */
export interface DeeprmArrival {
  /** From 1 to 19: a longer one would never fit into the horizon. */
  readonly lengthSteps: number;
  readonly demand: DeeprmDemand;
}

/** What arrives at each step of an episode; null where nothing does. The element 0 is never looked at. */
export type DeeprmSequence = readonly (DeeprmArrival | null)[];

export interface DeeprmJob extends DeeprmArrival {
  /** Counts the jobs that entered, from 0. */
  readonly id: number;
  /** The step at which it entered. */
  readonly enteredStep: number;
}

/** A job that was picked: it holds its demand from `startStep` until before `finishStep`. */
export interface DeeprmPlacedJob extends DeeprmJob {
  /** May lie ahead: then it is reserved and does not run yet. */
  readonly startStep: number;
  readonly finishStep: number;
}

export interface DeeprmOptions {
  /**
   * Let finished jobs leave as the authors' program does (github.com/hongzimao/deeprm). It removes them from a list
   * while walking it, so that of two neighbours in it that finish together the second stays one step longer: it is
   * charged in that step's reward, and when it is the last job, the episode takes a step more. Its resources, its finish
   * and its slowdown are the same. Off: every job leaves when it finishes.
   */
  readonly asPublished?: boolean;
}

/** One episode of DeepRM's world. Deterministic: all chance is in the sequence and in whoever acts. */
export class DeeprmWorld {
  readonly #sequence: DeeprmSequence;
  readonly #slots: (DeeprmJob | null)[] = Array.from({ length: DEEPRM.slots }, () => null);
  readonly #backlog: DeeprmJob[] = [];
  readonly #finished: DeeprmPlacedJob[] = [];
  readonly #asPublished: boolean;
  /** Free units of each resource, for every step of the horizon from now on. */
  readonly #free: [number, number][] = Array.from({ length: DEEPRM.horizonSteps }, wholeMachine);
  #placed: DeeprmPlacedJob[] = [];
  #step = 0;
  #entered = 0;
  #lastArrivalStep = 0;
  #dropped = 0;
  #over = false;

  /** @param sequence arrivals that fit: lengths and demands within the bounds of `DEEPRM`, as `parseSequences` checks. */
  constructor(sequence: DeeprmSequence, { asPublished = false }: DeeprmOptions = {}) {
    this.#sequence = sequence;
    this.#asPublished = asPublished;
  }

  /** Steps that have passed. */
  get step(): number {
    return this.#step;
  }
  /** Whether the sequence is exhausted and nothing is left. */
  get over(): boolean {
    return this.#over;
  }
  /** The jobs that can be picked, by slot. */
  get slots(): readonly (DeeprmJob | null)[] {
    return this.#slots;
  }
  /** Waiting jobs that cannot be picked yet, in the order in which they will take an emptied slot. */
  get backlog(): readonly DeeprmJob[] {
    return this.#backlog;
  }
  /** Jobs that run or have a reservation, in the order in which they were picked. */
  get placed(): readonly DeeprmPlacedJob[] {
    return this.#placed;
  }
  /** Jobs that are over, in the order in which they left. */
  get finished(): readonly DeeprmPlacedJob[] {
    return this.#finished;
  }
  /** Arrivals that found the slots and the backlog full. */
  get dropped(): number {
    return this.#dropped;
  }
  /** Jobs that entered. */
  get entered(): number {
    return this.#entered;
  }
  /** When the latest of them did; 0 before the first. */
  get lastArrivalStep(): number {
    return this.#lastArrivalStep;
  }
  /** Free units of each resource at every step of the horizon: element 0 is now. */
  get free(): readonly DeeprmDemand[] {
    return this.#free;
  }

  /**
   * Whether a job's demand is free throughout its length.
   * @param ahead steps from now at which it would start.
   */
  fits(job: DeeprmArrival, ahead = 0): boolean {
    const [first, second] = job.demand;
    for (let t = ahead; t < ahead + job.lengthSteps; t++) {
      const free = this.#free[t];
      if (free === undefined || free[0] < first || free[1] < second) return false;
    }
    return true;
  }

  /**
   * Acts. A picked job that fits within the horizon is placed at its earliest start, and time stands still. Waiting,
   * an empty slot or a job that does not fit lets one step pass.
   * @param action 0 to 9 picks that slot, 10 waits.
   * @returns the reward: 0 when time stands still, else −Σ 1/length over every job in the world after the step.
   * @throws {FieldError} for anything that is no action, {ConflictError} when the episode is over.
   */
  act(action: number): number {
    if (!Number.isInteger(action) || action < 0 || action > DEEPRM.wait) {
      throw new FieldError('action', action, `give a slot from 0 to ${DEEPRM.slots - 1}, or 10 to wait`);
    }
    if (this.#over) throw new ConflictError('the episode is over', 'begin another one');
    const job = this.#slots[action];
    if (job && this.#place(job)) {
      this.#slots[action] = this.#backlog.shift() ?? null;
      return 0;
    }
    this.#passStep();
    return this.#stepReward();
  }

  /** Steps from now at which a job would start if it were picked; null where it does not fit within the horizon. */
  earliestStart(job: DeeprmArrival): number | null {
    // The original never uses the last step of the horizon, and so nor does this.
    for (let ahead = 0; ahead < DEEPRM.horizonSteps - job.lengthSteps; ahead++) {
      if (this.fits(job, ahead)) return ahead;
    }
    return null;
  }

  #place(job: DeeprmJob): boolean {
    const ahead = this.earliestStart(job);
    if (ahead === null) return false;
    for (const free of this.#free.slice(ahead, ahead + job.lengthSteps)) {
      free[0] -= job.demand[0];
      free[1] -= job.demand[1];
    }
    const startStep = this.#step + ahead;
    this.#placed.push({ ...job, startStep, finishStep: startStep + job.lengthSteps });
    return true;
  }

  #passStep(): void {
    this.#step++;
    this.#free.shift();
    this.#free.push(wholeMachine());
    this.#finished.push(...this.#placed.filter((job) => job.finishStep === this.#step));
    if (this.#asPublished) this.#removeWhileWalking();
    else this.#placed = this.#placed.filter((job) => job.finishStep > this.#step);
    // One element a step, so that the step is also the place in the sequence.
    this.#over =
      this.#step >= this.#sequence.length &&
      this.#placed.length === 0 &&
      this.#backlog.length === 0 &&
      this.#slots.every((slot) => slot === null);
    const arrival = this.#sequence[this.#step];
    if (arrival) this.#enter(arrival);
  }

  /** Passes over the neighbour of whatever it removes, and means to: see `DeeprmOptions`. */
  #removeWhileWalking(): void {
    for (let i = 0; i < this.#placed.length; i++) {
      if (this.#placed[i]!.finishStep <= this.#step) this.#placed.splice(i, 1);
    }
  }

  #enter(arrival: DeeprmArrival): void {
    const slot = this.#slots.indexOf(null);
    if (slot < 0 && this.#backlog.length >= DEEPRM.backlog) {
      this.#dropped++;
      return;
    }
    const job = { ...arrival, id: this.#entered++, enteredStep: this.#step };
    this.#lastArrivalStep = this.#step;
    if (slot < 0) this.#backlog.push(job);
    else this.#slots[slot] = job;
  }

  #stepReward(): number {
    let reward = 0;
    for (const job of this.#placed) reward -= 1 / job.lengthSteps;
    for (const job of this.#slots) if (job) reward -= 1 / job.lengthSteps;
    for (const job of this.#backlog) reward -= 1 / job.lengthSteps;
    return reward;
  }
}

/** (finish − enter) / length: at least 1, and not floored. */
export function slowdownOf(job: DeeprmPlacedJob): number {
  return (job.finishStep - job.enteredStep) / job.lengthSteps;
}

function wholeMachine(): [number, number] {
  return [DEEPRM.capacity, DEEPRM.capacity];
}
