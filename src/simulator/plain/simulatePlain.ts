import { JobHeap } from './jobHeap.ts';
import type { PlainTrace } from './plainTrace.ts';
import type { PlainPolicy } from './policies.ts';
import { WaitingJobs } from './waitingJobs.ts';

/**
 * Events closer together than this are one instant: the same decimal reached by two sums of doubles is off by a hair,
 * and would otherwise be two instants with a pass between them.
 */
const INSTANT_S = 1e-6;

/** What happened to each row of the trace. */
export interface PlainOutcome {
  /** 1 where the job asks for more GPUs than there are: it was never queued, and its other columns mean nothing. */
  readonly rejected: Uint8Array;
  /** When it first ran. */
  readonly startS: Float64Array;
  readonly finishS: Float64Array;
  readonly preemptions: Int32Array;
  /** Instants at which something happened. */
  readonly events: number;
}

/** Told about each stretch that a job runs without a break. Rows as in the trace, times in seconds. */
export type OnRun = (row: number, fromS: number, toS: number) => void;

/**
 * Runs a trace on identical GPUs: exclusive, all of a job's GPUs at once or none, any GPUs will do, and nothing costs
 * time but the jobs themselves. At one instant first completions, then arrivals, then one scheduling pass; ties go by
 * arrival, then by row. Deterministic: there is no chance in it.
 *
 * @param gpus how many there are, at least 1.
 * @param onRun for looking at the schedule itself.
 */
export function simulatePlain(
  trace: PlainTrace,
  gpus: number,
  policy: PlainPolicy,
  onRun: OnRun = () => undefined,
): PlainOutcome {
  const run = new PlainRun(trace, gpus, policy, onRun);
  return run.outcome();
}

class PlainRun {
  readonly #trace: PlainTrace;
  readonly #policy: PlainPolicy;
  readonly #onRun: OnRun;
  readonly #rejected: Uint8Array;
  readonly #startS: Float64Array;
  readonly #finishS: Float64Array;
  readonly #preemptions: Int32Array;
  readonly #remainingS: Float64Array;
  readonly #attainedGpuS: Float64Array;
  /** When the running job started this time; −1 while it does not run. */
  readonly #sinceS: Float64Array;
  /** When the running job will be through, if nobody stops it. */
  readonly #endS: Float64Array;
  /** 1 for a row that the pass under way has chosen. */
  readonly #chosen: Uint8Array;
  readonly #keys: Float64Array;
  readonly #waiting: WaitingJobs;
  /** Running jobs of a policy that never preempts, the next to end first. */
  readonly #ending: JobHeap;
  /** Running jobs of a policy that preempts, in any order: each pass looks at all of them anyway. */
  #running: number[] = [];
  #free: number;

  constructor(trace: PlainTrace, gpus: number, policy: PlainPolicy, onRun: OnRun) {
    const { jobs } = trace;
    this.#trace = trace;
    this.#policy = policy;
    this.#onRun = onRun;
    this.#rejected = Uint8Array.from(trace.gpus, (asked) => (asked > gpus ? 1 : 0));
    this.#startS = new Float64Array(jobs).fill(-1);
    this.#finishS = new Float64Array(jobs);
    this.#preemptions = new Int32Array(jobs);
    this.#remainingS = trace.durationS.slice();
    this.#attainedGpuS = new Float64Array(jobs);
    this.#sinceS = new Float64Array(jobs).fill(-1);
    this.#endS = new Float64Array(jobs);
    this.#chosen = new Uint8Array(jobs);
    this.#keys = new Float64Array(jobs);
    this.#waiting = new WaitingJobs(this.#keys, trace.gpus, gpus);
    this.#ending = new JobHeap(this.#endS);
    this.#free = gpus;
  }

  outcome(): PlainOutcome {
    const { jobs, submitS } = this.#trace;
    let events = 0;
    let next = 0;
    let beforeS = 0;
    for (;;) {
      while (this.#rejected[next] === 1) next++;
      const arrivalS = next < jobs ? submitS[next]! : Number.POSITIVE_INFINITY;
      let nowS = Math.min(arrivalS, this.#nextEndS());
      if (nowS === Number.POSITIVE_INFINITY) break;
      events++;
      if (this.#waiting.size > 0) nowS = Math.min(nowS, this.#nextReviewS(beforeS));
      const withinS = nowS + INSTANT_S;
      const arrived: number[] = [];
      for (; next < jobs && submitS[next]! <= withinS; next++) {
        if (this.#rejected[next] === 1) continue;
        arrived.push(next);
        nowS = submitS[next]!;
      }
      const ended = this.#takeEnded(withinS);
      // Late by less than an instant, never early: nothing starts before it was submitted or ends before it is through.
      for (const row of ended) nowS = Math.max(nowS, this.#endS[row]!);
      for (const row of this.#running) {
        this.#attainedGpuS[row]! += (nowS - beforeS) * this.#trace.gpus[row]!;
      }
      for (const row of ended) this.#finish(row, nowS);
      for (const row of arrived) this.#enqueue(row);
      if (this.#waiting.size > 0) {
        if (this.#policy.preempts) this.#chooseAnew(nowS);
        else this.#startFitting(nowS);
      }
      beforeS = nowS;
    }
    return {
      rejected: this.#rejected,
      startS: this.#startS,
      finishS: this.#finishS,
      preemptions: this.#preemptions,
      events,
    };
  }

  #nextEndS(): number {
    let first = this.#ending.size > 0 ? this.#endS[this.#ending.first]! : Number.POSITIVE_INFINITY;
    for (const row of this.#running) if (this.#endS[row]! < first) first = this.#endS[row]!;
    return first;
  }

  /** The first multiple of the policy's review interval after an instant. */
  #nextReviewS(afterS: number): number {
    const { reviewS } = this.#policy;
    if (reviewS === null) return Number.POSITIVE_INFINITY;
    return (Math.floor((afterS + INSTANT_S) / reviewS) + 1) * reviewS;
  }

  /** Takes out the running jobs that are through by then. */
  #takeEnded(withinS: number): number[] {
    const ended: number[] = [];
    while (this.#ending.size > 0 && this.#endS[this.#ending.first]! <= withinS)
      ended.push(this.#ending.take());
    const running = this.#running;
    let kept = 0;
    for (const row of running) {
      if (this.#endS[row]! <= withinS) ended.push(row);
      else running[kept++] = row;
    }
    running.length = kept;
    return ended;
  }

  #finish(row: number, nowS: number): void {
    this.#onRun(row, this.#sinceS[row]!, nowS);
    this.#sinceS[row] = -1;
    this.#finishS[row] = nowS;
    this.#free += this.#trace.gpus[row]!;
  }

  #enqueue(row: number): void {
    this.#keys[row] = this.#policy.key(
      this.#remainingS[row]!,
      this.#trace.gpus[row]!,
      this.#attainedGpuS[row]!,
    );
    this.#waiting.add(row);
  }

  #start(row: number, nowS: number): void {
    if (this.#startS[row] === -1) this.#startS[row] = nowS;
    this.#sinceS[row] = nowS;
    this.#endS[row] = nowS + this.#remainingS[row]!;
  }

  #startFitting(nowS: number): void {
    while (this.#free > 0) {
      const row = this.#waiting.takeFitting(this.#free, this.#policy.strict);
      if (row < 0) return;
      this.#start(row, nowS);
      this.#free -= this.#trace.gpus[row]!;
      this.#ending.add(row);
    }
  }

  /** Lets running and waiting jobs compete for all GPUs. */
  #chooseAnew(nowS: number): void {
    const before = this.#running;
    for (const row of before) {
      this.#remainingS[row] = this.#endS[row]! - nowS;
      this.#enqueue(row);
      this.#free += this.#trace.gpus[row]!;
    }
    const after: number[] = [];
    while (this.#free > 0) {
      const row = this.#waiting.takeFitting(this.#free, false);
      if (row < 0) break;
      this.#free -= this.#trace.gpus[row]!;
      after.push(row);
      this.#chosen[row] = 1;
    }
    for (const row of before) {
      if (this.#chosen[row] === 1) continue;
      this.#onRun(row, this.#sinceS[row]!, nowS);
      this.#sinceS[row] = -1;
      this.#preemptions[row]!++;
    }
    for (const row of after) {
      this.#chosen[row] = 0;
      // Who ran before and goes on keeps its end.
      if (this.#sinceS[row] === -1) this.#start(row, nowS);
    }
    this.#running = after;
  }
}
