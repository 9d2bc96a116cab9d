import { createHash } from 'node:crypto';
import type { Decision } from '../../domain/decision.ts';
import type { Device } from '../../domain/device.ts';
import { ConflictError, messageOf } from '../../domain/errors.ts';
import type { GiveWay } from '../../domain/giveWay.ts';
import { isLive, isTerminal, type Job } from '../../domain/job.ts';
import { isGivingWay, mayHappen } from '../../domain/lifecycle.ts';
import type { GoalWeights } from '../../domain/reward.ts';
import type { Rng } from '../../domain/rng.ts';
import { type DecisionStep, decide, withApplied } from '../../scheduler/decide.ts';
import { waitingReasons } from '../../scheduler/explain.ts';
import { loadOf } from '../../scheduler/load.ts';
import { recordedCandidates } from '../../scheduler/recorded.ts';
import type { Snapshot } from '../../scheduler/snapshot.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { Runner } from '../jobs/runner.ts';
import type { Clock, Log } from '../ports.ts';
import type { WatchHub } from '../server/watchHub.ts';
import type { DecisionStore } from '../store/decisionStore.ts';
import type { Brain } from './brain.ts';
import type { Drain } from './drain.ts';
import type { Durations } from './durations.ts';
import type { Episodes } from './episodes.ts';
import { Gate } from './gate.ts';
import type { GiveWayLimits } from './giveWayLimits.ts';
import { type ReadyJob, WINDOW, windowOf } from './queueWindow.ts';
import type { ServiceHistory } from './serviceHistory.ts';
import { buildSnapshot, type Guards } from './snapshotBuilder.ts';

/** While anything waits, the scheduler looks again after this time even if nothing happened. */
const REVIEW_INTERVAL_MS = 30_000;
/**
 * Epochs that start nothing take at most a tenth of the engine's time, however fast submissions come: a thousand of
 * them into a full machine share a few. One that started something is followed at once, as is what makes room.
 */
const REST_PER_EPOCH = 9;
const LONGEST_REST_MS = 1000;
/** Changed reasons are told at most this often; a list of thousands is not read faster. */
const REASONS_INTERVAL_MS = 250;
const BACKLOGGED = `in a long queue: the scheduler looks at ${WINDOW} jobs at a time, and this is not among them yet`;
const DRAINED = 'the machine is drained: nothing is started';
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
  readonly giveWay: GiveWayLimits;
  readonly cpuSlots: number;
  readonly drain: Drain;
  /** The owner's rules; null while they are not known yet. */
  readonly guards: () => Guards | null;
  /** What is set aside for a job on each of its GPUs, MiB; null: it needs them to itself. */
  readonly reservationMib: (job: Job) => number | null;
  /** Measured speeds of pairs, as snapshots carry them. */
  readonly interference: () => Readonly<Record<string, number>>;
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
  private readonly gate: Gate;
  /** Jobs that the episodes know of: ready, or started since. */
  private readonly arrived = new Set<number>();
  private wake: NodeJS.Timeout | null = null;
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
  /** Whether there are waiting jobs that no decision looks at yet. */
  private backlogged = false;
  private reasonsEpoch = -1;
  private looks = 0;
  private reasonsTimer: NodeJS.Timeout | null = null;

  constructor(options: DispatcherOptions) {
    this.options = options;
    this.decisionCount = options.decisions.count();
    this.gate = new Gate(options.ledger);
    // What is open goes on with what was there.
    if (options.episodes.current !== null) {
      for (const { id } of this.snapshot().waiting) this.arrived.add(id);
      for (const { id } of options.ledger.live()) this.arrived.add(id);
    }
    this.unsubscribe = options.ledger.onEvent((entry, job, before) =>
      this.onEvent(entry.event.kind, job, before),
    );
    this.review = setInterval(() => {
      const jobs = options.ledger.inOrder();
      const idle = !jobs.some((job) => job.status === 'queued' || isLive(job.status));
      // An episode that is open on an idle machine is one whose end could not be written.
      if (idle ? options.episodes.current !== null : jobs.some((job) => job.status === 'queued'))
        this.request();
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

  /** Why a waiting job waits, as of now; null for a job that does not wait. */
  reasonOf(job: Job): string | null {
    if (job.status === 'held') return 'held: it waits until it is released';
    if (job.status !== 'queued') return null;
    this.refreshReasons();
    const known = this.reasons.get(job.id);
    if (known !== undefined) return known;
    return this.backlogged ? BACKLOGGED : 'new: the scheduler looks at it next';
  }

  get status() {
    const agreed = this.agreements.filter(Boolean).length;
    return {
      decisions: this.decisionCount,
      fallbacks: this.fallbackCount,
      agreement: this.agreements.length > 0 ? agreed / this.agreements.length : null,
      lastFallback: this.lastFallback,
      drainedSinceMs: this.options.drain.sinceMs,
      giveWay: this.options.giveWay.current,
    };
  }

  /** Starts nothing from now on, or again what waits. What runs is left alone. */
  setDrain(on: boolean): void {
    this.options.drain.set(on);
    this.request();
  }

  /** What may be done to running jobs from now on. */
  setGiveWay(change: Partial<GiveWay>): void {
    this.options.giveWay.set(change);
    this.request();
  }

  /** @throws {ConflictError} if it could never start, because of how a job ended that it waits for. */
  checkStartable(job: Job): void {
    const never = this.gate.neverStarts(job);
    if (never !== null) {
      throw new ConflictError(`job ${job.id} could not start: ${never}`, 'retry that job first');
    }
  }

  /** Jobs that are not to start yet are not in it. */
  snapshot(): Snapshot {
    const { ledger, clock, goals, cpuSlots, episodes, drain, giveWay, history } = this.options;
    const nowMs = clock.nowMs();
    const ready: ReadyJob[] = [];
    const admitted = new Map<number, number>();
    for (const job of drain.sinceMs === null ? ledger.inOrder() : []) {
      if (job.status !== 'queued') continue;
      const readiness = this.gate.of(job, nowMs);
      if (!readiness.ready) continue;
      const room = this.gate.roomInArray(job);
      if (room !== null) {
        // No more than may start are shown to the policy, so that it cannot start more in one go.
        const arrayId = job.array!.id;
        const before = admitted.get(arrayId) ?? 0;
        if (before >= room) continue;
        admitted.set(arrayId, before + 1);
      }
      ready.push({ job, sinceMs: readiness.sinceMs });
    }
    return buildSnapshot({
      nowMs,
      queue: windowOf(ready, nowMs),
      live: ledger.live(),
      isLeaving: (jobId) => isGivingWay(ledger.stoppingAs(jobId)),
      mayPreempt: giveWay.current.preempt,
      devices: this.options.devices(),
      guards: this.options.guards(),
      reservationMib: this.options.reservationMib,
      interference: this.options.interference(),
      cpuSlots,
      goals,
      serviceByUser: episodes.serviceByUser,
      past: history.runs,
      remainingOf: (job) => this.options.durations.remainingOf(job, nowMs),
    });
  }

  stop(): void {
    this.stopped = true;
    this.unsubscribe();
    clearInterval(this.review);
    this.gate.stop();
    if (this.wake) clearTimeout(this.wake);
    if (this.reasonsTimer) clearTimeout(this.reasonsTimer);
    this.clearTimer();
    this.keepAccount(() => this.options.episodes.save());
  }

  private clearTimer(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer as NodeJS.Timeout);
    clearImmediate(this.timer as NodeJS.Immediate);
    this.timer = null;
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
    const { episodes } = this.options;
    // Told to wait, or between two attempts: it arrives once more when it is ready again.
    if (job.status === 'held' || job.retryWait !== null || isTerminal(job.status))
      this.arrived.delete(job.id);
    if (before !== null && isTerminal(job.status) && !isTerminal(before.status)) {
      this.options.history.ended(job);
      this.options.durations.ended(job);
      this.keepAccount(() => episodes.finished(job));
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
      this.looks++;
    }
    // Whatever happens to a job opens an epoch, so this is enough for a killed engine to go on with it.
    this.keepAccount(() => this.options.episodes.save());
    this.wakeAtNext();
    const endedMs = this.options.clock.monotonicMs();
    const restMs = started > 0 ? 0 : Math.min(LONGEST_REST_MS, REST_PER_EPOCH * (endedMs - startedMs));
    this.restUntilMs = endedMs + restMs;
    this.tellReasonsSoon();
  };

  /** @returns how many jobs it started, or tried to. */
  private runEpoch(): number {
    const { brain, episodes, giveWay, rng, runner, ledger, hub, history } = this.options;
    this.withdrawHopeless();
    this.resumeForgotten();
    let snapshot = this.snapshot();
    this.noteArrivals(snapshot);
    this.advance(snapshot);
    if (snapshot.waiting.length === 0 && snapshot.running.length === 0) {
      brain.idle();
      const ended = episodes.close(snapshot.nowMs);
      if (ended) hub.publish({ type: 'episode', episode: ended });
      return 0;
    }
    this.epoch++;
    const { limits } = giveWay;
    /** Who was told in this epoch to leave, and what that will free: not yet to be given to anybody. */
    const leaving = new Set<number>();
    const leavingFrom = new Set<string>();
    let started = 0;
    for (;;) {
      const { policy, heuristic } = brain;
      const step = decide({ snapshot, policy, heuristic, rng, limits, history: history.gpuSeconds });
      const { chosen } = step;
      // For this it was told to leave: its end opens the epoch in which somebody else is started there.
      if (chosen.kind === 'launch' && leaving.size > 0) {
        if (leaving.has(chosen.jobId) || chosen.deviceIds.some((id) => leavingFrom.has(id))) break;
      }
      if (step.asked || chosen.kind !== 'wait') this.record(step, snapshot);
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
      snapshot = isLive(job.status) ? withApplied(snapshot, chosen) : this.snapshot();
      if (ledger.get(job.id).status === 'queued') break;
    }
    started += this.startOnProcessors();
    this.advance(this.snapshot());
    return started;
  }

  /**
   * Starts the CPU-only jobs that fit and that the policy left waiting, by priority and age: they take nothing that a
   * GPU job could use, so nothing is gained by their waiting, whatever the policy (or the order of the queue) says.
   * @returns how many.
   */
  private startOnProcessors(): number {
    const { brain, giveWay, rng, runner } = this.options;
    for (let started = 0; ; started++) {
      const all = this.snapshot();
      const snapshot = { ...all, waiting: all.waiting.filter(({ gpus }) => gpus === 0) };
      if (snapshot.waiting.length === 0) return started;
      const { heuristic } = brain;
      const step = decide({ snapshot, policy: heuristic, heuristic, rng, limits: giveWay.limits });
      if (step.chosen.kind !== 'launch') return started;
      this.record(step, snapshot, false);
      const { jobId } = step.chosen;
      runner.start(jobId, [], snapshot.waiting.find(({ id }) => id === jobId)?.waitingSinceMs);
      if (this.options.ledger.get(jobId).status === 'queued') return started;
    }
  }

  /** Lets go on what the scheduler paused, where it would never be asked about it again. */
  private resumeForgotten(): void {
    const { brain, giveWay, runner, ledger } = this.options;
    if (brain.policy.preempts === true && giveWay.current.pause) return;
    for (const job of ledger.live()) if (job.pausedBy === 'scheduler') runner.resume(job.id, 'scheduler');
  }

  /** Cancels what waits for something that can no longer happen, and what waits for that in turn. */
  private withdrawHopeless(): void {
    const { ledger } = this.options;
    for (;;) {
      const hopeless: { id: number; reason: string }[] = [];
      for (const job of ledger.inOrder()) {
        if (job.after.length === 0 || !mayHappen(job.status, 'withdrawn')) continue;
        const reason = this.gate.neverStarts(job);
        if (reason !== null) hopeless.push({ id: job.id, reason });
      }
      if (hopeless.length === 0) return;
      for (const { id, reason } of hopeless) ledger.append(id, { kind: 'withdrawn', reason }, 'engine');
    }
  }

  /** Opens an epoch when the next job's time comes, if that is before the next review. */
  private wakeAtNext(): void {
    const { drain, clock, ledger } = this.options;
    if (this.wake) clearTimeout(this.wake);
    this.wake = null;
    if (drain.sinceMs !== null) return;
    const nowMs = clock.nowMs();
    const reviewMs = nowMs + REVIEW_INTERVAL_MS;
    let untilMs = reviewMs;
    for (const job of ledger.inOrder()) {
      if (job.status !== 'queued' || (job.beginAtMs === null && job.retryWait === null)) continue;
      const readiness = this.gate.of(job, nowMs);
      // One whose time has come during the epoch was not looked at in it.
      const nextMs = readiness.ready ? (this.arrived.has(job.id) ? reviewMs : nowMs) : readiness.untilMs;
      untilMs = Math.min(untilMs, nextMs ?? reviewMs);
    }
    if (untilMs < reviewMs) this.wake = setTimeout(() => this.request(), untilMs - nowMs);
  }

  /** Tells the episodes of jobs that have become ready; the first one at an idle machine begins an episode. */
  private noteArrivals(snapshot: Snapshot): void {
    const { episodes, brain, hub } = this.options;
    for (const { id } of snapshot.waiting) {
      if (this.arrived.has(id) && episodes.current !== null) continue;
      this.arrived.add(id);
      this.keepAccount(() => {
        const begun = episodes.arrived(brain.policy.name, snapshot.nowMs);
        if (begun) hub.publish({ type: 'episode', episode: begun });
      });
    }
  }

  private advance(snapshot: Snapshot): void {
    const load = loadOf(snapshot);
    const gpusByUser = new Map<string, number>();
    for (const job of snapshot.running) {
      if (job.pausedBy === null)
        gpusByUser.set(job.user, (gpusByUser.get(job.user) ?? 0) + job.deviceIds.length);
    }
    this.options.episodes.advance(snapshot.nowMs, load, gpusByUser);
    this.options.brain.advance(snapshot.nowMs, load);
  }

  /** @param learned false: nothing is to be learned from it, since the policy in charge was not asked. */
  private record(step: DecisionStep, snapshot: Snapshot, learned = true): void {
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
    if (step.asked && learned) {
      this.agreements.push(step.chosen === step.heuristicAction);
      if (this.agreements.length > AGREEMENT_WINDOW) this.agreements.shift();
      // The network knows launches only: what else there was to choose would look like waiting to it.
      if (step.allowedActions.every(({ kind }) => kind === 'launch' || kind === 'wait')) {
        brain.decided(step, snapshot, decision);
      }
    }
    hub.publish({ type: 'decision', decision });
  }

  private refreshReasons(): void {
    if (this.reasonsEpoch === this.looks) return;
    const snapshot = this.snapshot();
    const reasons = waitingReasons(snapshot, this.options.giveWay.limits);
    const drained = this.options.drain.sinceMs !== null;
    const windowed = new Set(snapshot.waiting.map(({ id }) => id));
    for (const job of this.options.ledger.inOrder()) {
      if (job.status !== 'queued' || reasons.has(job.id)) continue;
      const readiness = this.gate.of(job, snapshot.nowMs);
      if (!readiness.ready) reasons.set(job.id, readiness.reason);
      else if (!drained && this.gate.roomInArray(job) !== null && !windowed.has(job.id))
        reasons.set(job.id, 'its array starts others first');
      // What is in the backlog is not listed one by one: there may be very many.
      else if (drained) reasons.set(job.id, DRAINED);
    }
    for (const job of this.options.ledger.inOrder()) {
      if (job.deadlineAtMs === null || job.deadlineAtMs >= snapshot.nowMs) continue;
      const reason = reasons.get(job.id);
      if (reason !== undefined) reasons.set(job.id, `${reason} (it has missed its deadline)`);
    }
    this.reasons = reasons;
    this.backlogged = snapshot.backlog !== undefined;
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
    for (const id of this.toldReasons.keys()) {
      if (!this.reasons.has(id)) changed[id] = this.reasonOf(this.options.ledger.get(id));
    }
    this.toldReasons = this.reasons;
    if (Object.keys(changed).length > 0) this.options.hub.publish({ type: 'reasons', reasons: changed });
  }
}
