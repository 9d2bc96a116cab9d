/** What happened, one entry a finished job, in columns. Jobs that were rejected have no entry. */
export interface Finished {
  readonly submitS: ArrayLike<number>;
  readonly durationS: ArrayLike<number>;
  readonly gpus: ArrayLike<number>;
  readonly finishS: ArrayLike<number>;
  /** Number of the job's user, from 0; −1 where none is named. */
  readonly user: ArrayLike<number>;
  readonly length: number;
}

/** Under the names in which results are exchanged. */
export interface Metrics {
  /** Job completion time: finish − submit. */
  readonly mean_jct_s: number;
  readonly p50_jct_s: number;
  readonly p95_jct_s: number;
  readonly p99_jct_s: number;
  /** Mean of max(1, JCT / max(duration, 10 s)). */
  readonly mean_slowdown: number;
  /** Last finish − first submit. */
  readonly makespan_s: number;
  /** Work done / work possible: Σ duration·gpus / (N · makespan). 0 where no time passed. */
  readonly utilisation: number;
  /** The longest that a job did not run between its submission and its finish: JCT − duration. */
  readonly max_wait_s: number;
  /** Jain's fairness index of the users' mean slowdowns; 1 where no job names a user. */
  readonly jain: number;
}

/** Below this, a job's length says more about its start than about its work (Feitelson's bounded slowdown). */
const SHORTEST_S = 10;

/**
 * The metrics of a run. The bounded slowdown is that of Feitelson et al., "Theory and practice in parallel job
 * scheduling" (1997); percentiles are by nearest rank; fairness is that of Jain, Chiu and Hawe (DEC-TR-301, 1984), over
 * the users that are named.
 * @param jobs at least one.
 * @param gpus how many GPUs there are.
 */
export function metricsOf(jobs: Finished, gpus: number): Metrics {
  const { length } = jobs;
  const jcts = new Float64Array(length);
  const slowdownByUser = new Map<number, { sum: number; jobs: number }>();
  let slowdownSum = 0;
  let work = 0;
  let maxWaitS = 0;
  let firstSubmitS = Number.POSITIVE_INFINITY;
  let lastFinishS = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < length; i++) {
    const submitS = jobs.submitS[i]!;
    const durationS = jobs.durationS[i]!;
    const finishS = jobs.finishS[i]!;
    const user = jobs.user[i]!;
    const jctS = finishS - submitS;
    const slowdown = boundedSlowdown(jctS, durationS);
    jcts[i] = jctS;
    slowdownSum += slowdown;
    work += durationS * jobs.gpus[i]!;
    maxWaitS = Math.max(maxWaitS, jctS - durationS);
    firstSubmitS = Math.min(firstSubmitS, submitS);
    lastFinishS = Math.max(lastFinishS, finishS);
    if (user < 0) continue;
    const sums = slowdownByUser.get(user);
    if (sums === undefined) slowdownByUser.set(user, { sum: slowdown, jobs: 1 });
    else {
      sums.sum += slowdown;
      sums.jobs++;
    }
  }
  const meanJctS = jcts.reduce((sum, jct) => sum + jct, 0) / length;
  jcts.sort();
  const nearestRank = (q: number): number => jcts[Math.max(0, Math.ceil(q * length) - 1)]!;
  const makespanS = lastFinishS - firstSubmitS;
  return {
    mean_jct_s: meanJctS,
    p50_jct_s: nearestRank(0.5),
    p95_jct_s: nearestRank(0.95),
    p99_jct_s: nearestRank(0.99),
    mean_slowdown: slowdownSum / length,
    makespan_s: makespanS,
    utilisation: makespanS > 0 ? work / (gpus * makespanS) : 0,
    max_wait_s: maxWaitS,
    jain: jainIndex([...slowdownByUser.values()].map(({ sum, jobs: count }) => sum / count)),
  };
}

/** max(1, JCT / max(duration, 10 s)): Feitelson et al. 1997. */
export function boundedSlowdown(jctS: number, durationS: number): number {
  return Math.max(1, jctS / Math.max(durationS, SHORTEST_S));
}

/** (Σx)² / (n·Σx²): 1 where all are equal, 1/n where one has everything; 1 for nobody. */
function jainIndex(values: readonly number[]): number {
  if (values.length === 0) return 1;
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  return sum ** 2 / (values.length * squares);
}
