import { createHash } from 'node:crypto';
import type { Decision } from '../../domain/decision.ts';
import type { Device } from '../../domain/device.ts';
import { messageOf } from '../../domain/errors.ts';
import { isLive, isTerminal, type Job } from '../../domain/job.ts';
import type { GoalWeights } from '../../domain/reward.ts';
import type { Rng } from '../../domain/rng.ts';
import { type DecisionStep, decide, withLaunched } from '../../scheduler/decide.ts';
import { waitingReasons } from '../../scheduler/explain.ts';
import { loadOf } from '../../scheduler/load.ts';
import { recordedCandidates } from '../../scheduler/recorded.ts';
import type { ShieldLimits, Snapshot } from '../../scheduler/snapshot.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { Runner } from '../jobs/runner.ts';
import type { Clock, Log } from '../ports.ts';
import type { WatchHub } from '../server/watchHub.ts';
import type { DecisionStore } from '../store/decisionStore.ts';
import type { Brain } from './brain.ts';
import type { Episodes } from './episodes.ts';
import { buildSnapshot } from './snapshotBuilder.ts';

/** While anything waits, the scheduler looks again after this time even if nothing happened. */
const REVIEW_INTERVAL_MS = 30_000;
/**
 * Epochs that start nothing take at most a tenth of the engine's time, however fast events come: a thousand
 * submissions into a full machine share a few. One that started something is followed at once.
 */
const REST_PER_EPOCH = 9;
const LONGEST_REST_MS = 100;
/** Changed reasons are told at most this often; a list of thousands is not read faster. */
const REASONS_INTERVAL_MS = 250;
/** Agreement with the heuristic is over this many decisions. */
const AGREEMENT_WINDOW = 200;

export interface DispatcherOptions {
  readonly ledger: Ledger;
  readonly runner: Runner;
  readonly decisions: DecisionStore;
  readonly episodes: Episodes;
  readonly brain: Brain;
  readonly hub: WatchHub;
  readonly devices: () => readonly Device[];
  readonly goals: GoalWeights;
  readonly limits: ShieldLimits;
  readonly cpuSlots: number;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

/**
 * Opens an epoch whenever something may have changed what can or should run, lets the decision core take one
 * decision after another on the same instant, records each, and does it.
 */
export class Dispatcher {
  private readonly options: DispatcherOptions;
  private readonly unsubscribe: () => void;
  private readonly review: NodeJS.Timeout;
  private timer: NodeJS.Timeout | NodeJS.Immediate | null = null;
  private restUntilMs = 0;
  private epoch = 0;
  private inEpoch = false;
  private stopped = false;
  private decisionCount: number;
  private fallbackCount = 0;
  private lastFallback: { atMs: number; error: string } | null = null;
  private readonly agreements: boolean[] = [];
  private reasons: ReadonlyMap<number, string> = new Map();
  private toldReasons: ReadonlyMap<number, string> = new Map();
  private reasonsEpoch = -1;
  private looks = 0;
  private reasonsTimer: NodeJS.Timeout | null = null;

  constructor(options: DispatcherOptions) {
    this.options = options;
    this.decisionCount = options.decisions.count();
    this.unsubscribe = options.ledger.onEvent((entry, job, before) =>
      this.onEvent(entry.event.kind, job, before),
    );
    this.review = setInterval(() => {
      const jobs = options.ledger.current();
      const idle = !jobs.some((job) => job.status === 'queued' || isLive(job.status));
      // An episode that is open on an idle machine is one whose end could not be written.
      if (idle ? options.episodes.current !== null : jobs.some((job) => job.status === 'queued'))
        this.request();
    }, REVIEW_INTERVAL_MS);
  }

  /** Asks for an epoch soon. Cheap: requests that come close together share one. */
  request(): void {
    if (this.timer !== null || this.stopped || this.inEpoch) return;
    const restMs = this.restUntilMs - this.options.clock.monotonicMs();
    this.timer = restMs > 1 ? setTimeout(this.run, restMs) : setImmediate(this.run);
  }

  /** Why a waiting job waits, as of now; null for a job that does not wait. */
  reasonOf(job: Job): string | null {
    if (job.status === 'held') return 'held: it waits until it is released';
    if (job.status !== 'queued') return null;
    this.refreshReasons();
    return this.reasons.get(job.id) ?? 'new: the scheduler looks at it next';
  }

  get status() {
    const agreed = this.agreements.filter(Boolean).length;
    return {
      decisions: this.decisionCount,
      fallbacks: this.fallbackCount,
      agreement: this.agreements.length > 0 ? agreed / this.agreements.length : null,
      lastFallback: this.lastFallback,
    };
  }

  snapshot(): Snapshot {
    const { ledger, clock, goals, cpuSlots, episodes } = this.options;
    return buildSnapshot({
      nowMs: clock.nowMs(),
      jobs: ledger.current(),
      devices: this.options.devices(),
      cpuSlots,
      goals,
      serviceByUser: episodes.serviceByUser,
    });
  }

  stop(): void {
    this.stopped = true;
    this.unsubscribe();
    clearInterval(this.review);
    if (this.reasonsTimer) clearTimeout(this.reasonsTimer);
    if (this.timer) {
      clearTimeout(this.timer as NodeJS.Timeout);
      clearImmediate(this.timer as NodeJS.Immediate);
    }
    this.keepAccount(() => this.options.episodes.save());
  }

  /** The jobs go before their account: what cannot be written (the disk may be full) is said, and left out. */
  private keepAccount(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.options.log.warn("the episode's account could not be written", { error: messageOf(error) });
    }
  }

  private onEvent(kind: string, job: Job, before: Job | null): void {
    const { episodes, brain, clock, hub } = this.options;
    const arrives = job.status === 'queued' && (before === null || before.status === 'held');
    this.keepAccount(() => {
      if (arrives) {
        const begun = episodes.arrived(brain.policy.name, clock.nowMs());
        if (begun) hub.publish({ type: 'episode', episode: begun });
      }
      if (before !== null && isTerminal(job.status) && !isTerminal(before.status)) episodes.finished(job);
    });
    if (kind !== 'progressed') this.request();
  }

  private readonly run = (): void => {
    this.timer = null;
    const startedMs = this.options.clock.monotonicMs();
    this.inEpoch = true;
    let started = 0;
    try {
      started = this.runEpoch();
    } catch (error) {
      // The next event or review opens another epoch; nothing that was recorded is undone.
      this.options.log.error('an epoch ended early', {
        error: messageOf(error),
        stack: (error as Error).stack,
      });
    } finally {
      this.inEpoch = false;
      this.looks++;
    }
    // Whatever happens to a job opens an epoch, so this is enough for a killed engine to go on with it.
    this.keepAccount(() => this.options.episodes.save());
    const endedMs = this.options.clock.monotonicMs();
    const restMs = started > 0 ? 0 : Math.min(LONGEST_REST_MS, REST_PER_EPOCH * (endedMs - startedMs));
    this.restUntilMs = endedMs + restMs;
    this.tellReasonsSoon();
  };

  /** @returns how many jobs it started, or tried to. */
  private runEpoch(): number {
    const { brain, episodes, limits, rng, runner, ledger, hub } = this.options;
    let snapshot = this.snapshot();
    this.advance(snapshot);
    if (snapshot.waiting.length === 0 && snapshot.running.length === 0) {
      brain.idle();
      const ended = episodes.close(snapshot.nowMs);
      if (ended) hub.publish({ type: 'episode', episode: ended });
      return 0;
    }
    this.epoch++;
    let started = 0;
    for (;;) {
      const step = decide({ snapshot, policy: brain.policy, heuristic: brain.heuristic, rng, limits });
      if (step.asked || step.chosen.kind === 'launch') this.record(step, snapshot);
      if (step.chosen.kind === 'wait') break;
      started++;
      const job = runner.start(step.chosen.jobId, step.chosen.deviceIds);
      // One that could not be started holds nothing: look at the machine afresh.
      snapshot = isLive(job.status) ? withLaunched(snapshot, step.chosen) : this.snapshot();
      if (ledger.get(job.id).status === 'queued') break;
    }
    this.advance(this.snapshot());
    return started;
  }

  private advance(snapshot: Snapshot): void {
    const load = loadOf(snapshot);
    const gpusByUser = new Map<string, number>();
    for (const job of snapshot.running) {
      if (!job.paused) gpusByUser.set(job.user, (gpusByUser.get(job.user) ?? 0) + job.deviceIds.length);
    }
    this.options.episodes.advance(snapshot.nowMs, load, gpusByUser);
    this.options.brain.advance(snapshot.nowMs, load);
  }

  private record(step: DecisionStep, snapshot: Snapshot): void {
    const { decisions, episodes, brain, hub } = this.options;
    const decision: Decision = decisions.insert({
      atMs: snapshot.nowMs,
      epoch: this.epoch,
      episodeId: episodes.current?.id ?? null,
      policy: step.policyName,
      policyVersion: step.policyVersion,
      snapshotHash: createHash('sha256').update(JSON.stringify(snapshot)).digest('hex'),
      ...recordedCandidates(step),
      exploration: { epsilon: step.choice?.epsilon ?? null, explored: step.choice?.explored ?? false },
      fallback: step.fallback,
      heuristicAction: step.heuristicAction,
      sentence: step.sentence,
    });
    this.decisionCount++;
    episodes.count('decisions');
    if (step.fallback) {
      this.fallbackCount++;
      this.lastFallback = { atMs: snapshot.nowMs, error: step.fallback.error };
      episodes.count('fallbacks');
      this.options.log.warn('the policy failed; the heuristic decided', { ...step.fallback });
    }
    if (step.asked) {
      this.agreements.push(step.chosen === step.heuristicAction);
      if (this.agreements.length > AGREEMENT_WINDOW) this.agreements.shift();
      brain.decided(step, snapshot, decision);
    }
    hub.publish({ type: 'decision', decision });
  }

  private refreshReasons(): void {
    if (this.reasonsEpoch === this.looks) return;
    this.reasons = waitingReasons(this.snapshot(), this.options.limits);
    this.reasonsEpoch = this.looks;
  }

  private tellReasonsSoon(): void {
    if (this.reasonsTimer !== null || this.stopped || !this.options.hub.watched) return;
    this.reasonsTimer = setTimeout(() => {
      this.reasonsTimer = null;
      this.tellReasons();
    }, REASONS_INTERVAL_MS);
  }

  /** Every waiting job's reason, after telling those who watch what changed: the next change is against these. */
  allReasons(): Record<string, string> {
    this.tellReasons();
    return Object.fromEntries(this.reasons);
  }

  private tellReasons(): void {
    this.refreshReasons();
    const changed: Record<string, string | null> = {};
    for (const [id, reason] of this.reasons) if (this.toldReasons.get(id) !== reason) changed[id] = reason;
    for (const id of this.toldReasons.keys()) if (!this.reasons.has(id)) changed[id] = null;
    this.toldReasons = this.reasons;
    if (Object.keys(changed).length > 0) this.options.hub.publish({ type: 'reasons', reasons: changed });
  }
}
