import { messageOf } from '../../domain/errors.ts';
import { isLive, isTerminal, type Job } from '../../domain/job.ts';
import { mayHappen } from '../../domain/lifecycle.ts';
import type { Rng } from '../../domain/rng.ts';
import { actedInstead, type DecisionStep, decide, withApplied } from '../../scheduler/decide.ts';
import type { Snapshot } from '../../scheduler/snapshot.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { Runner } from '../jobs/runner.ts';
import type { Clock, Log } from '../ports.ts';
import type { Account, Circumstances } from './account.ts';
import type { Adviser } from './adviser.ts';
import type { Brain } from './brain.ts';
import type { Drain } from './drain.ts';
import type { Durations } from './durations.ts';
import type { Episodes } from './episodes.ts';
import type { Gate } from './gate.ts';
import type { GiveWayLimits } from './giveWayLimits.ts';
import type { Reasons } from './reasons.ts';
import type { ServiceHistory } from './serviceHistory.ts';
import type { Situation } from './situation.ts';

/** While anything waits, the scheduler looks again after this time even if nothing happened. */
const REVIEW_INTERVAL_MS = 30_000;
/**
 * Epochs that start nothing take at most a tenth of the engine's time, however fast submissions come: a thousand of
 * them into a full machine share a few. One that started something is followed at once, as is what makes room.
 */
const REST_PER_EPOCH = 9;
const LONGEST_REST_MS = 1000;

export interface DispatcherOptions {
  readonly ledger: Ledger;
  readonly runner: Runner;
  readonly account: Account;
  readonly adviser: Adviser;
  readonly episodes: Episodes;
  readonly brain: Brain;
  readonly gate: Gate;
  readonly giveWay: GiveWayLimits;
  readonly drain: Drain;
  readonly situation: Situation;
  readonly reasons: Reasons;
  readonly history: ServiceHistory;
  readonly durations: Durations;
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
  private wake: NodeJS.Timeout | null = null;
  private timer: NodeJS.Timeout | NodeJS.Immediate | null = null;
  private restUntilMs = 0;
  private inEpoch = false;
  private stopped = false;

  constructor(options: DispatcherOptions) {
    this.options = options;
    if (options.episodes.current !== null) options.account.resume(options.situation.now());
    this.unsubscribe = options.ledger.onEvent((entry, job, before) =>
      this.onEvent(entry.event.kind, job, before),
    );
    this.review = setInterval(() => {
      const waits = options.ledger.inOrder().some(isQueuedHere);
      const idle = !waits && options.ledger.live().length === 0;
      // An episode that is open on an idle machine is one whose end could not be written.
      if (idle ? options.episodes.current !== null : waits) this.request();
    }, REVIEW_INTERVAL_MS);
  }

  /**
   * Asks for an epoch soon. Cheap: requests that come close together share one.
   * @param room true: there is room that was not there before, which is worth another look at once.
   */
  request(room = false): void {
    if (this.stopped || this.inEpoch) return;
    if (room) this.restUntilMs = 0;
    if (this.timer !== null) {
      if (!room) return;
      this.clearTimer();
    }
    const restMs = this.restUntilMs - this.options.clock.monotonicMs();
    this.timer = restMs > 1 ? setTimeout(this.run, restMs) : setImmediate(this.run);
  }

  stop(): void {
    this.stopped = true;
    this.unsubscribe();
    clearInterval(this.review);
    if (this.wake) clearTimeout(this.wake);
    this.clearTimer();
  }

  private clearTimer(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer as NodeJS.Timeout);
    clearImmediate(this.timer as NodeJS.Immediate);
    this.timer = null;
  }

  private onEvent(kind: string, job: Job, before: Job | null): void {
    // What ran elsewhere tells nothing of this machine.
    if (before !== null && isTerminal(job.status) && !isTerminal(before.status) && job.executor === null) {
      this.options.history.ended(job);
      this.options.durations.ended(job);
    }
    if (kind !== 'progressed') this.request(before !== null && isLive(before.status) && !isLive(job.status));
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
    }
    this.options.account.save();
    this.wakeAtNext();
    const endedMs = this.options.clock.monotonicMs();
    const restMs = started > 0 ? 0 : Math.min(LONGEST_REST_MS, REST_PER_EPOCH * (endedMs - startedMs));
    this.restUntilMs = endedMs + restMs;
    this.options.reasons.changed();
  };

  /** @returns how many jobs it started, or tried to. */
  private runEpoch(): number {
    const { account, adviser, situation } = this.options;
    this.withdrawHopeless();
    this.resumeForgotten();
    const snapshot = situation.now();
    account.noteArrivals(snapshot);
    account.advance(snapshot);
    if (snapshot.waiting.length === 0 && snapshot.running.length === 0) {
      account.idle(snapshot.nowMs);
      return 0;
    }
    if (adviser.mode === 'manual') return 0;
    account.nextEpoch();
    adviser.nextEpoch();
    const started = this.decideAll(snapshot) + this.startOnProcessors();
    account.advance(situation.now());
    return started;
  }

  /** One decision after another on the same instant. @returns how many jobs it started, or tried to. */
  private decideAll(from: Snapshot): number {
    const { runner, ledger, account, situation } = this.options;
    let snapshot = from;
    /** Who was told in this epoch to leave, and what that will free: not yet to be given to anybody. */
    const leaving = new Set<number>();
    const leavingFrom = new Set<string>();
    let started = 0;
    for (;;) {
      const next = this.nextStep(snapshot);
      if (next === null) break;
      const { step, how } = next;
      const { chosen } = step;
      // For this it was told to leave: its end opens the epoch in which somebody else is started there.
      if (chosen.kind === 'launch' && leaving.size > 0) {
        if (leaving.has(chosen.jobId) || chosen.deviceIds.some((id) => leavingFrom.has(id))) break;
      }
      if (step.asked || chosen.kind !== 'wait') account.record(step, snapshot, how);
      if (chosen.kind === 'wait') break;
      if (chosen.kind !== 'launch') {
        const { deviceIds } = snapshot.running.find(({ id }) => id === chosen.jobId)!;
        if (chosen.kind === 'pause') runner.pause(chosen.jobId, 'scheduler');
        else if (chosen.kind === 'resume') runner.resume(chosen.jobId, 'scheduler');
        else {
          runner.preempt(chosen.jobId, `preempted by ${step.policyName}`, 'scheduler');
          leaving.add(chosen.jobId);
          for (const id of deviceIds) leavingFrom.add(id);
        }
        snapshot = withApplied(snapshot, chosen);
        continue;
      }
      started++;
      const { jobId, deviceIds } = chosen;
      const readyAtMs = snapshot.waiting.find(({ id }) => id === jobId)?.waitingSinceMs;
      const job = runner.start(jobId, deviceIds, readyAtMs);
      // One that could not be started holds nothing: look at the machine afresh.
      snapshot = isLive(job.status) ? withApplied(snapshot, chosen) : situation.now();
      if (ledger.get(job.id).status === 'queued') break;
    }
    return started;
  }

  /** What is to be done next; null: nothing, since a person may still say a word about it. */
  private nextStep(snapshot: Snapshot): { step: DecisionStep; how: Circumstances } | null {
    const { brain, rng, giveWay, history, adviser } = this.options;
    const { policy, heuristic } = brain;
    const { limits } = giveWay;
    const step = decide({ snapshot, policy, heuristic, rng, limits, history: history.gpuSeconds });
    if (adviser.mode === 'auto') return { step, how: {} };
    const action = adviser.answer(step);
    if (action === null) return null;
    const { policyName, policyVersion, chosen } = step;
    const advised = step.asked && step.fallback === null;
    return {
      step: action === chosen ? step : actedInstead({ snapshot, limits }, step, action),
      how: {
        by: heuristic.name,
        ...(advised ? { advice: { policy: policyName, policyVersion, action: chosen } } : {}),
      },
    };
  }

  /**
   * Starts the CPU-only jobs that fit and that the policy left waiting, by priority and age: they take nothing that a
   * GPU job could use, so nothing is gained by their waiting, whatever the policy (or the order of the queue) says.
   * @returns how many.
   */
  private startOnProcessors(): number {
    const { brain, giveWay, rng, runner, situation, account } = this.options;
    for (let started = 0; ; started++) {
      const all = situation.now();
      const snapshot = { ...all, waiting: all.waiting.filter(({ gpus }) => gpus === 0) };
      if (snapshot.waiting.length === 0) return started;
      const { heuristic } = brain;
      const step = decide({ snapshot, policy: heuristic, heuristic, rng, limits: giveWay.limits });
      if (step.chosen.kind !== 'launch') return started;
      account.record(step, snapshot, { learned: false });
      const { jobId } = step.chosen;
      runner.start(jobId, [], snapshot.waiting.find(({ id }) => id === jobId)?.waitingSinceMs);
      if (this.options.ledger.get(jobId).status === 'queued') return started;
    }
  }

  /** Lets go on what the scheduler paused, where it would never be asked about it again. */
  private resumeForgotten(): void {
    const { brain, giveWay, runner, ledger, adviser } = this.options;
    if (adviser.mode === 'auto' && brain.policy.preempts === true && giveWay.current.pause) return;
    for (const job of ledger.live()) if (job.pausedBy === 'scheduler') runner.resume(job.id, 'scheduler');
  }

  /** Cancels what waits for something that can no longer happen, and what waits for that in turn. */
  private withdrawHopeless(): void {
    const { ledger, gate } = this.options;
    for (;;) {
      const hopeless: { id: number; reason: string }[] = [];
      for (const job of ledger.inOrder()) {
        if (job.after.length === 0 || job.executor !== null || !mayHappen(job.status, 'withdrawn')) continue;
        const reason = gate.neverStarts(job);
        if (reason !== null) hopeless.push({ id: job.id, reason });
      }
      if (hopeless.length === 0) return;
      for (const { id, reason } of hopeless) ledger.append(id, { kind: 'withdrawn', reason }, 'engine');
    }
  }

  /** Opens an epoch when the next job's time comes, if that is before the next review. */
  private wakeAtNext(): void {
    const { drain, clock, ledger, gate, account, adviser } = this.options;
    if (this.wake) clearTimeout(this.wake);
    this.wake = null;
    if (drain.sinceMs !== null) return;
    const nowMs = clock.nowMs();
    const reviewMs = nowMs + REVIEW_INTERVAL_MS;
    let untilMs = Math.min(reviewMs, nowMs + (adviser.heldForMs ?? REVIEW_INTERVAL_MS));
    for (const job of ledger.inOrder()) {
      if (!isQueuedHere(job) || (job.beginAtMs === null && job.retryWait === null)) continue;
      const readiness = gate.of(job, nowMs);
      // One whose time has come during the epoch was not looked at in it.
      const nextMs = readiness.ready ? (account.hasArrived(job) ? reviewMs : nowMs) : readiness.untilMs;
      untilMs = Math.min(untilMs, nextMs ?? reviewMs);
    }
    if (untilMs < reviewMs) this.wake = setTimeout(() => this.request(), untilMs - nowMs);
  }
}

const isQueuedHere = ({ status, executor }: Job): boolean => status === 'queued' && executor === null;
