import { messageOf } from '../../domain/errors.ts';
import type { ExpectedStart, ExpectedStarts, SpreadMs } from '../../domain/expectedStart.ts';
import type { JobEventKind } from '../../domain/lifecycle.ts';
import type { GoalWeights } from '../../domain/reward.ts';
import { type HorizonName, horizonOf } from '../../domain/startHorizon.ts';
import { stretched } from '../../domain/startSpread.ts';
import type { ActingPolicy } from '../../scheduler/policies/acting.ts';
import type { ShieldLimits, Snapshot } from '../../scheduler/snapshot.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { Clock, Log } from '../ports.ts';
import type { StartEstimate, StartEstimateStore } from '../store/startEstimateStore.ts';
import { ForecastWorker } from './forecastWorker.ts';

export interface ForecasterOptions {
  readonly ledger: Ledger;
  readonly store: StartEstimateStore;
  readonly snapshot: () => Snapshot;
  /** Who starts jobs by itself now; null: nobody does. */
  readonly acting: () => ActingPolicy | null;
  readonly limits: () => ShieldLimits;
  readonly goals: () => GoalWeights;
  readonly history: () => readonly number[];
  readonly clock: Clock;
  readonly log: Log;
}

const SAMPLES = 40;
/** Of the processor, for all futures of one look; and how long it rests after, in what it took: a tenth of a core at most. */
const BUDGET_S = 1;
const REST_PER_LOOK = 9;
/** Also where nothing happened: time has gone on, and jobs have told how far they are. */
const FRESH_MS = 15_000;
/** What starts at once is no estimate. */
const AT_ONCE_MS = 5000;

interface Look {
  readonly atMs: number;
  /** Changes with what decisions rest on beside the jobs. */
  readonly key: string;
  readonly samples: number;
  readonly jobs: readonly ExpectedStart[];
}

/** What a person did changes what was foreseen, and is no fault of it. */
const BY_PEOPLE: ReadonlySet<JobEventKind> = new Set(['held', 'moved', 'pinned', 'prioritised', 'withdrawn']);

/**
 * Says when waiting jobs will start. It looks ahead only when somebody asks, in a process of the lowest priority, and keeps
 * account of what it showed: how often the true start lay where it had said.
 */
export class Forecaster {
  private readonly options: ForecasterOptions;
  private readonly worker = new ForecastWorker();
  private readonly unsubscribe: () => void;
  private last: Look | null = null;
  private noted: Look | null = null;
  private looking: Promise<void> | null = null;
  private stale = true;
  private restUntilMs = 0;
  private looks = 0;
  /** By which what is shown was stretched. */
  private stretches: ReadonlyMap<HorizonName, number> = new Map();
  private troubled = false;

  constructor(options: ForecasterOptions) {
    this.options = options;
    const { ledger, store } = options;
    this.keep(() => store.forgetOpen());
    this.unsubscribe = ledger.onEvent(({ event, actor, atMs, jobId }) => {
      if (event.kind === 'progressed') return;
      this.stale = true;
      if (event.kind === 'launching' && actor !== 'person') this.keep(() => store.started(jobId, atMs));
      else if (event.kind === 'launching' || BY_PEOPLE.has(event.kind)) this.keep(() => store.forget(jobId));
    });
  }

  /**
   * As fresh as they can be had within `waitMs`; `atMs` says how fresh. Jobs that have started since are left out.
   */
  async expected(waitMs: number): Promise<ExpectedStarts> {
    const { clock, store, acting } = this.options;
    const policy = acting();
    if (policy === null)
      return { atMs: clock.nowMs(), policy: null, samples: 0, jobs: [], calibration: store.calibration() };
    const key = this.keyOf(policy);
    const fresh = (): boolean =>
      !this.stale && this.last?.key === key && clock.nowMs() - this.last.atMs < FRESH_MS;
    if (!fresh()) {
      this.looking ??= this.look(policy, key);
      await Promise.race([this.looking, new Promise((resolve) => setTimeout(resolve, waitMs).unref())]);
    }
    // Another policy, or other goals: what was foreseen is of no use.
    const look = this.last?.key === key ? this.last : null;
    const jobs = (look?.jobs ?? []).filter(({ jobId }) => this.options.ledger.get(jobId).status === 'queued');
    if (look !== null && look !== this.noted) this.note(jobs, look.atMs);
    this.noted = look;
    return {
      atMs: look?.atMs ?? null,
      policy: policy.name,
      samples: look?.samples ?? 0,
      jobs,
      calibration: store.calibration(),
    };
  }

  async stop(): Promise<void> {
    this.unsubscribe();
    await this.worker.stop();
  }

  private async look(policy: ActingPolicy, key: string): Promise<void> {
    const { clock, limits, history, log } = this.options;
    try {
      const restMs = this.restUntilMs - clock.monotonicMs();
      if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs).unref());
      this.stale = false;
      const snapshot = this.options.snapshot();
      if (snapshot.waiting.length === 0) {
        this.last = { atMs: snapshot.nowMs, key, samples: 0, jobs: [] };
        return;
      }
      const answer = await this.worker.run({
        snapshot,
        policy,
        limits: limits(),
        history: history(),
        seed: ++this.looks,
        samples: SAMPLES,
        budgetS: BUDGET_S,
      });
      if ('trouble' in answer) {
        this.stale = true;
        if (!this.troubled) log.warn('when jobs start could not be foreseen', { error: answer.trouble });
        this.troubled = true;
        this.restUntilMs = clock.monotonicMs() + 1000 * BUDGET_S * REST_PER_LOOK;
        return;
      }
      this.troubled = false;
      this.restUntilMs = clock.monotonicMs() + 1000 * answer.tookS * REST_PER_LOOK;
      const { samples } = answer;
      const jobs = this.widened(answer.jobs, snapshot.nowMs);
      this.last = { atMs: snapshot.nowMs, key, samples, jobs };
    } finally {
      this.looking = null;
    }
  }

  /** As wide as the record of such estimates has it. */
  private widened(jobs: readonly ExpectedStart[], madeAtMs: number): ExpectedStart[] {
    this.stretches = this.options.store.stretches();
    return jobs.map((job) => {
      const { p50Ms } = job.start;
      const stretch = p50Ms === null ? 1 : (this.stretches.get(horizonOf(p50Ms - madeAtMs)) ?? 1);
      return {
        ...job,
        start: stretched(job.start, madeAtMs, stretch),
        end: stretched(job.end, madeAtMs, stretch),
      };
    });
  }

  private keyOf({ name, version }: ActingPolicy): string {
    return JSON.stringify([name, version, this.options.goals(), this.options.limits()]);
  }

  /** Writes down what is shown, to be held against what comes. */
  private note(jobs: readonly ExpectedStart[], madeAtMs: number): void {
    const estimates = jobs.flatMap(({ jobId, start }): StartEstimate[] => {
      if (!isWhole(start) || start.p90Ms - madeAtMs < AT_ONCE_MS) return [];
      const attempt = this.options.ledger.get(jobId).attempt + 1;
      const horizon = horizonOf(start.p50Ms - madeAtMs);
      const stretch = this.stretches.get(horizon) ?? 1;
      return [{ jobId, attempt, horizon, madeAtMs, stretch, ...start }];
    });
    if (estimates.length > 0) this.keep(() => this.options.store.insert(estimates));
  }

  /** The jobs go before this account: what cannot be written (the disk may be full) is left out. */
  private keep(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.options.log.warn('what was foreseen of starts could not be written down', {
        error: messageOf(error),
      });
    }
  }
}

const isWhole = (spread: SpreadMs): spread is { [K in keyof SpreadMs]: number } =>
  spread.p10Ms !== null && spread.p50Ms !== null && spread.p90Ms !== null;
