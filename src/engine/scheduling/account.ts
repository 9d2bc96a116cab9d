import { createHash } from 'node:crypto';
import type { Decision } from '../../domain/decision.ts';
import { messageOf } from '../../domain/errors.ts';
import { isSameAction } from '../../domain/isSameAction.ts';
import { isTerminal, type Job } from '../../domain/job.ts';
import type { DecisionStep } from '../../scheduler/decide.ts';
import { loadOf } from '../../scheduler/load.ts';
import { recordedCandidates } from '../../scheduler/recorded.ts';
import type { Snapshot } from '../../scheduler/snapshot.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { Log } from '../ports.ts';
import type { WatchHub } from '../server/watchHub.ts';
import type { DecisionStore } from '../store/decisionStore.ts';
import type { Brain } from './brain.ts';
import type { Episodes } from './episodes.ts';

/** Agreement with the heuristic is over this many decisions. */
const AGREEMENT_WINDOW = 200;

export interface AccountOptions {
  readonly ledger: Ledger;
  readonly decisions: DecisionStore;
  readonly episodes: Episodes;
  readonly brain: Brain;
  readonly hub: WatchHub;
  readonly log: Log;
}

/** How a decision came about, where it was not the policy in charge that took it. */
export interface Circumstances {
  /** `person`, or the heuristic's name; the policy that was asked when left out. */
  readonly by?: string;
  /** What a policy suggested instead, or what was accepted. */
  readonly advice?: Decision['advice'];
  /** False: nothing is to be learned from it, since there was nothing for the policy to choose. */
  readonly learned?: boolean;
}

/** Keeps account of what is decided, by whomever, and of how it goes: decisions, episodes, and what is learned from. */
export class Account {
  private readonly options: AccountOptions;
  /** Jobs that the episodes know of: ready, or started since. */
  private readonly arrived = new Set<number>();
  /** Jobs that wait and that a person gave a higher priority: that they start is what that person wanted. */
  private readonly raised = new Set<number>();
  private readonly unsubscribe: () => void;
  private readonly agreements: boolean[] = [];
  private epoch = 0;
  private decisionCount: number;
  private fallbackCount = 0;
  private lastFallback: { atMs: number; error: string } | null = null;

  constructor(options: AccountOptions) {
    this.options = options;
    this.decisionCount = options.decisions.count();
    this.unsubscribe = options.ledger.onEvent(({ event, actor }, job, before) => {
      if (event.kind === 'prioritised' && actor === 'person') {
        if (job.priority > before!.priority) this.raised.add(job.id);
        else this.raised.delete(job.id);
      }
      if (isTerminal(job.status)) this.raised.delete(job.id);
      // Told to wait, or between two attempts: it arrives once more when it is ready again.
      if (job.status === 'held' || job.retryWait !== null || isTerminal(job.status))
        this.arrived.delete(job.id);
      if (before !== null && isTerminal(job.status) && !isTerminal(before.status)) {
        this.keep(() => options.episodes.finished(job));
      }
    });
  }

  /** What was under way when the engine ended goes on with what was there. */
  resume(snapshot: Snapshot): void {
    for (const { id } of snapshot.waiting) this.arrived.add(id);
    for (const { id } of this.options.ledger.live()) this.arrived.add(id);
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

  hasArrived(job: Job): boolean {
    return this.arrived.has(job.id);
  }

  /** Decisions from now on are of another instant. */
  nextEpoch(): void {
    this.epoch++;
  }

  /** Tells the episodes of jobs that have become ready; the first one at an idle machine begins an episode. */
  noteArrivals(snapshot: Snapshot): void {
    const { episodes, brain, hub } = this.options;
    for (const { id } of snapshot.waiting) {
      if (this.arrived.has(id) && episodes.current !== null) continue;
      this.arrived.add(id);
      this.keep(() => {
        const begun = episodes.arrived(brain.policy.name, snapshot.nowMs);
        if (begun) hub.publish({ type: 'episode', episode: begun });
      });
    }
  }

  /** Books the time until now at the load that held. */
  advance(snapshot: Snapshot): void {
    const load = loadOf(snapshot);
    const gpusByUser = new Map<string, number>();
    for (const job of snapshot.running) {
      if (job.pausedBy === null)
        gpusByUser.set(job.user, (gpusByUser.get(job.user) ?? 0) + job.deviceIds.length);
    }
    this.options.episodes.advance(snapshot.nowMs, load, gpusByUser);
    this.options.brain.advance(snapshot.nowMs, load);
  }

  /** The machine is idle: whatever was under way is over. */
  idle(nowMs: number): void {
    const { brain, episodes, hub } = this.options;
    brain.idle();
    const ended = episodes.close(nowMs);
    if (ended) hub.publish({ type: 'episode', episode: ended });
  }

  /** Whatever happens to a job opens an epoch, so that this at its end is enough for a killed engine to go on with it. */
  save(): void {
    this.keep(() => this.options.episodes.save());
  }

  stop(): void {
    this.unsubscribe();
    this.save();
  }

  /** Writes down a decision, and has it learned from. */
  record(step: DecisionStep, snapshot: Snapshot, how: Circumstances = {}): void {
    const { decisions, episodes, hub } = this.options;
    const { by, advice, learned = true } = how;
    const explanation = this.options.brain.explain(step, snapshot);
    const decision: Decision = decisions.insert({
      atMs: snapshot.nowMs,
      epoch: this.epoch,
      episodeId: episodes.current?.id ?? null,
      policy: by ?? step.policyName,
      policyVersion: by === undefined ? step.policyVersion : '',
      snapshotHash: createHash('sha256').update(JSON.stringify(snapshot)).digest('hex'),
      ...recordedCandidates(step),
      exploration: { epsilon: step.choice?.epsilon ?? null, explored: step.choice?.explored ?? false },
      fallback: step.fallback,
      heuristicAction: step.heuristicAction,
      sentence: step.sentence,
      ...(explanation === null ? {} : { explanation }),
      ...(advice === undefined ? {} : { advice }),
    });
    this.decisionCount++;
    episodes.count('decisions');
    if (step.fallback) {
      this.fallbackCount++;
      this.lastFallback = { atMs: snapshot.nowMs, error: step.fallback.error };
      episodes.count('fallbacks');
      this.options.log.warn('the policy failed; the heuristic decided', { ...step.fallback });
    }
    if (step.asked && learned) this.learn(step, snapshot, decision, how);
    if (step.chosen.kind === 'launch') this.raised.delete(step.chosen.jobId);
    hub.publish({ type: 'decision', decision });
  }

  private learn(
    step: DecisionStep,
    snapshot: Snapshot,
    decision: Decision,
    { by, advice }: Circumstances,
  ): void {
    const { brain } = this.options;
    const { chosen } = step;
    // Without a suggestion, a person's act says nothing of the policy.
    if (by !== 'person' || advice !== undefined) {
      this.agreements.push(isSameAction(advice?.action ?? chosen, step.heuristicAction));
      if (this.agreements.length > AGREEMENT_WINDOW) this.agreements.shift();
    }
    const wanted = by === 'person' || (chosen.kind === 'launch' && this.raised.has(chosen.jobId));
    brain.decided(step, snapshot, decision, wanted);
  }

  /** The jobs go before their account: what cannot be written (the disk may be full) is said, and left out. */
  private keep(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.options.log.warn("the episode's account could not be written", { error: messageOf(error) });
    }
  }
}
