import type { TraceJob } from '../../domain/trace.ts';

/**
 * What plain mode needs to know of a trace, as columns: 24 bytes a job, so that millions of jobs fit. Jobs are known
 * by their row, counted from 0; rows are sorted by submission.
 */
export interface PlainTrace {
  readonly jobs: number;
  readonly submitS: Float64Array;
  readonly durationS: Float64Array;
  readonly gpus: Int32Array;
  /** Number of the job's user; −1 where none is named. */
  readonly user: Int32Array;
  readonly users: number;
}

/** Collects a trace's jobs, one after the other. */
export class PlainTraceBuilder {
  #jobs = 0;
  #submitS = new Float64Array(1024);
  #durationS = new Float64Array(1024);
  #gpus = new Int32Array(1024);
  #user = new Int32Array(1024);
  readonly #users = new Map<string, number>();

  add({ submitS, durationS, gpus, user }: Pick<TraceJob, 'submitS' | 'durationS' | 'gpus' | 'user'>): void {
    const at = this.#jobs++;
    if (at === this.#gpus.length) this.#resize(2 * at);
    this.#submitS[at] = submitS;
    this.#durationS[at] = durationS;
    this.#gpus[at] = gpus;
    this.#user[at] = user === null ? -1 : this.#numberOf(user);
  }

  /** The trace of everything that was added. Nothing can be added afterwards. */
  build(): PlainTrace {
    const jobs = this.#jobs;
    return {
      jobs,
      submitS: this.#submitS.subarray(0, jobs),
      durationS: this.#durationS.subarray(0, jobs),
      gpus: this.#gpus.subarray(0, jobs),
      user: this.#user.subarray(0, jobs),
      users: this.#users.size,
    };
  }

  #numberOf(user: string): number {
    const known = this.#users.get(user);
    if (known !== undefined) return known;
    this.#users.set(user, this.#users.size);
    return this.#users.size - 1;
  }

  #resize(length: number): void {
    const grown = <T extends Float64Array | Int32Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#submitS = grown(new Float64Array(length), this.#submitS);
    this.#durationS = grown(new Float64Array(length), this.#durationS);
    this.#gpus = grown(new Int32Array(length), this.#gpus);
    this.#user = grown(new Int32Array(length), this.#user);
  }
}
