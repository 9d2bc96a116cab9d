import { DEFAULT_GOALS, type GoalWeights, type Load } from '../domain/reward.ts';
import type { Rng } from '../domain/rng.ts';
import { type DecisionStep, decide, withLaunched } from '../scheduler/decide.ts';
import { loadOf } from '../scheduler/load.ts';
import type { Policy } from '../scheduler/policy.ts';
import {
  DEFAULT_LIMITS,
  type RunningJob,
  type ShieldLimits,
  type Snapshot,
  type SnapshotDevice,
  type TimeSpread,
  type WaitingJob,
} from '../scheduler/snapshot.ts';

/** A job of a simulated day. */
export interface SimulatedJob {
  readonly id: number;
  readonly submittedAtS: number;
  /** Run time alone on its devices. */
  readonly durationS: number;
  /** What is predicted of the duration; null: nothing. */
  readonly predicted: TimeSpread | null;
  readonly gpus: number;
  readonly vramMib: number | null;
  readonly exclusive: boolean;
  readonly priority: number;
  readonly user: string;
}

export interface SimulatedWorld {
  /** Memory of each device. */
  readonly devicesMib: readonly number[];
  /** Ascending by submission. */
  readonly jobs: readonly SimulatedJob[];
  readonly goals?: GoalWeights;
  readonly limits?: ShieldLimits;
  /** A job beside k others on its fullest device runs at 1 / (1 + k · this). */
  readonly sharingSlowdown?: number;
}

/** What a recorder needs to follow a simulated day. Times are milliseconds from its start. */
export interface SimulationObserver {
  /** The load from now on. */
  advance(load: Load, nowMs: number): void;
  decided(step: DecisionStep, snapshot: Snapshot): void;
  idle(nowMs: number): void;
}

/** How one job fared, in seconds from the start of the day. */
export interface JobOutcome {
  readonly job: SimulatedJob;
  readonly startedAtS: number;
  readonly finishedAtS: number;
}

export interface SimulationOptions {
  readonly policy: Policy;
  /** What decides when the policy fails. */
  readonly heuristic: Policy;
  readonly rng: Rng;
  readonly observer?: SimulationObserver;
}

/** A job that cannot run on the simulated machine, or a policy that lets everybody wait for ever. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';
}

interface LiveJob {
  readonly job: SimulatedJob;
  readonly deviceIds: readonly string[];
  readonly startedAtS: number;
  leftS: number;
}

/** Two jobs on one device then finish a quarter more work together than one alone. */
const SHARING_SLOWDOWN = 0.6;
/** CPU-only jobs that may run at once. */
const CPU_SLOTS = 4;

/**
 * Runs a day of jobs to its end under a policy, through the very decision core that runs live: a virtual clock,
 * devices that hold and share memory, and nothing else (no start-up times, no failures, no preemption).
 * @throws {SimulationError} when jobs are left that never start.
 */
export function simulate(world: SimulatedWorld, options: SimulationOptions): JobOutcome[] {
  return new Simulation(world, options).run();
}

class Simulation {
  private readonly world: SimulatedWorld;
  private readonly options: SimulationOptions;
  private readonly outcomes: JobOutcome[] = [];
  private readonly service: Record<string, number> = {};
  private waiting: SimulatedJob[] = [];
  private live: LiveJob[] = [];
  private nowS = 0;

  constructor(world: SimulatedWorld, options: SimulationOptions) {
    this.world = world;
    this.options = options;
  }

  run(): JobOutcome[] {
    const { jobs } = this.world;
    let arrived = 0;
    while (arrived < jobs.length || this.live.length > 0 || this.waiting.length > 0) {
      const arrivalS = jobs[arrived]?.submittedAtS ?? Number.POSITIVE_INFINITY;
      const eventS = Math.min(arrivalS, this.nextCompletionS());
      if (eventS === Number.POSITIVE_INFINITY) {
        throw new SimulationError(`jobs ${this.waiting.map(({ id }) => id).join(', ')} never start`);
      }
      this.elapse(Math.max(0, eventS - this.nowS));
      this.nowS = Math.max(this.nowS, eventS);
      while ((jobs[arrived]?.submittedAtS ?? Number.POSITIVE_INFINITY) <= this.nowS) {
        this.waiting.push(jobs[arrived++]!);
      }
      this.finish();
      this.epoch();
    }
    return this.outcomes;
  }

  private epoch(): void {
    const { policy, heuristic, rng, observer } = this.options;
    let snapshot = this.snapshot();
    observer?.advance(loadOf(snapshot), snapshot.nowMs);
    if (this.waiting.length === 0 && this.live.length === 0) {
      for (const user of Object.keys(this.service)) delete this.service[user];
      observer?.idle(snapshot.nowMs);
      return;
    }
    while (snapshot.waiting.length > 0) {
      const limits = this.world.limits ?? DEFAULT_LIMITS;
      const step = decide({ snapshot, policy, heuristic, rng, limits });
      observer?.decided(step, snapshot);
      const action = step.chosen;
      if (action.kind === 'wait') break;
      const job = this.waiting.find(({ id }) => id === action.jobId)!;
      this.waiting = this.waiting.filter((other) => other !== job);
      this.live.push({ job, deviceIds: action.deviceIds, startedAtS: this.nowS, leftS: job.durationS });
      snapshot = withLaunched(snapshot, action);
      observer?.advance(loadOf(snapshot), snapshot.nowMs);
    }
  }

  private elapse(dtS: number): void {
    for (const live of this.live) {
      live.leftS -= dtS * this.speed(live);
      const { user, gpus } = live.job;
      this.service[user] = (this.service[user] ?? 0) + dtS * gpus;
    }
  }

  private finish(): void {
    for (const { job, startedAtS } of this.live.filter(isDone)) {
      this.outcomes.push({ job, startedAtS, finishedAtS: this.nowS });
    }
    this.live = this.live.filter((live) => !isDone(live));
  }

  private nextCompletionS(): number {
    return this.live.reduce(
      (least, live) => Math.min(least, this.nowS + Math.max(0, live.leftS) / this.speed(live)),
      Number.POSITIVE_INFINITY,
    );
  }

  private speed(live: LiveJob): number {
    const beside = Math.max(
      0,
      ...live.deviceIds.map(
        (id) => this.live.filter((other) => other !== live && other.deviceIds.includes(id)).length,
      ),
    );
    return 1 / (1 + beside * (this.world.sharingSlowdown ?? SHARING_SLOWDOWN));
  }

  private snapshot(): Snapshot {
    return {
      nowMs: 1000 * this.nowS,
      devices: this.world.devicesMib.map(deviceOf),
      waiting: this.waiting.map(waitingJobOf),
      running: this.live.map((live) => runningJobOf(live)),
      cpuSlots: CPU_SLOTS,
      goals: this.world.goals ?? DEFAULT_GOALS,
      serviceByUser: { ...this.service },
    };
  }
}

/** Half a millisecond: what is left of a job by rounding is nothing. */
const isDone = (live: LiveJob): boolean => live.leftS < 5e-4;

const deviceOf = (memoryTotalMib: number, index: number): SnapshotDevice => ({
  id: `virtual-${index}`,
  index,
  memoryTotalMib,
  foreignMib: 0,
  usable: true,
  utilisation: null,
  temperatureC: null,
  powerW: null,
});

const waitingJobOf = (job: SimulatedJob): WaitingJob => ({
  ...commonOf(job),
  attainedGpuS: 0,
  remaining: job.predicted,
  waitingSinceMs: 1000 * job.submittedAtS,
  moved: false,
});

/** Of a running job the prediction shrinks as it runs; once it is exceeded, a tenth of it is always left. */
function runningJobOf({ job, deviceIds, startedAtS, leftS }: LiveJob): RunningJob {
  const ranS = job.durationS - leftS;
  const left = (quantileS: number): number => Math.max(0.1 * quantileS, quantileS - ranS);
  return {
    ...commonOf(job),
    attainedGpuS: ranS * job.gpus,
    remaining: job.predicted && {
      p10S: left(job.predicted.p10S),
      p50S: left(job.predicted.p50S),
      p90S: left(job.predicted.p90S),
    },
    deviceIds,
    startedAtMs: 1000 * startedAtS,
    paused: false,
    progress: null,
  };
}

function commonOf(
  job: SimulatedJob,
): Omit<WaitingJob, 'attainedGpuS' | 'remaining' | 'waitingSinceMs' | 'moved'> {
  return {
    id: job.id,
    gpus: job.gpus,
    vramMib: job.vramMib,
    exclusive: job.exclusive,
    priority: job.priority,
    rank: job.id,
    user: job.user,
    submittedAtMs: 1000 * job.submittedAtS,
  };
}
