import type { SchedulerStatus } from '../../contract/messages.ts';
import type { Decision } from '../../domain/decision.ts';
import { messageOf } from '../../domain/errors.ts';
import type { PolicyName } from '../../domain/policyNames.ts';
import { type Load, scalarise } from '../../domain/reward.ts';
import type { Rng } from '../../domain/rng.ts';
import { type AgentConfig, LIVE_AGENT } from '../../learning/agent.ts';
import { Learner } from '../../learning/learner.ts';
import { sanityCheck } from '../../learning/policyCheck.ts';
import { Recorder } from '../../learning/recorder.ts';
import { seenStep } from '../../learning/seenStep.ts';
import { loadShippedPolicy } from '../../learning/shippedPolicy.ts';
import { encodeTransition, type Transition } from '../../learning/transition.ts';
import type { DecisionStep } from '../../scheduler/decide.ts';
import { FEATURE_NAMES } from '../../scheduler/features.ts';
import { decodeWeights, encodeWeights, type Weights } from '../../scheduler/network.ts';
import { createDqnPolicy, type DqnPolicy } from '../../scheduler/policies/dqn.ts';
import { heuristicByName } from '../../scheduler/policies/heuristics.ts';
import type { Policy } from '../../scheduler/policy.ts';
import type { Snapshot } from '../../scheduler/snapshot.ts';
import { resourcePath } from '../packageRoot.ts';
import type { Clock, Log } from '../ports.ts';
import type { DecisionStore } from '../store/decisionStore.ts';
import type { ModelStore } from '../store/modelStore.ts';
import type { TransitionStore } from '../store/transitionStore.ts';

export interface BrainOptions {
  readonly policy: PolicyName;
  readonly stores: {
    readonly decisions: DecisionStore;
    readonly transitions: TransitionStore;
    readonly models: ModelStore;
  };
  /** A transition was stored. */
  readonly onTransition: () => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** Where the shipped weights are; this installation's when left out. */
  readonly shippedPath?: string;
}

/** A workstation decides a few dozen times a day: begin early and publish often, in the small steps of LIVE_AGENT. */
const CONFIG: AgentConfig = { ...LIVE_AGENT, minReplay: 8, publishEverySteps: 16 };

/**
 * Holds the policy in charge, and the learned one whether it is in charge or not: it learns from every decision,
 * whoever took it, since Q-learning is off-policy. Training happens in the learner's worker thread; this thread
 * only multiplies matrices.
 */
export class Brain {
  /** Decides when the policy fails, and is compared with it. */
  readonly heuristic: Policy = heuristicByName('priority');
  private readonly options: BrainOptions;
  private readonly dqn: DqnPolicy;
  private readonly recorder: Recorder;
  private learner: Learner | null = null;
  private trouble: string | null = null;
  private origin = 'none';
  private name: PolicyName;

  constructor(options: BrainOptions) {
    this.options = options;
    this.name = options.policy;
    this.dqn = createDqnPolicy({
      weights: null,
      version: 'none',
      decisionsTaken: options.stores.decisions.countOf('dqn'),
    });
    this.recorder = new Recorder({ onTransition: (transition) => this.store(transition), rng: options.rng });
  }

  /** Loads the weights in charge, else the shipped ones. Without either, the heuristic stands in for `dqn`. */
  async load(): Promise<void> {
    const { stores, clock, log } = this.options;
    const stored = stores.models.inCharge('dqn');
    let start: { weights: Weights; trainSteps: number } | null = null;
    if (stored !== null) {
      try {
        const weights = decodeWeights(stored.weights, FEATURE_NAMES);
        sanityCheck(weights);
        this.dqn.setWeights(weights, stored.version);
        start = { weights, trainSteps: stored.trainSteps };
        this.origin = stored.version.split('+')[0]!;
      } catch (error) {
        log.warn('the stored weights cannot be used; the shipped ones take their place', {
          error: messageOf(error),
        });
      }
    }
    if (start === null) {
      try {
        const { name, weights } = await loadShippedPolicy(
          this.options.shippedPath ?? resourcePath('policy', 'first-light.json'),
        );
        this.dqn.setWeights(weights, name);
        stores.models.promote({
          policy: 'dqn',
          version: name,
          createdAtMs: clock.nowMs(),
          source: 'shipped',
          trainSteps: 0,
          weights: encodeWeights(weights, FEATURE_NAMES),
        });
        start = { weights, trainSteps: 0 };
        this.origin = name;
      } catch (error) {
        this.trouble = messageOf(error);
        log.warn('there are no weights for dqn: the heuristic decides in its place', { error: this.trouble });
        return;
      }
    }
    this.learner = new Learner({
      ...start,
      config: CONFIG,
      storedTransitions: stores.transitions.count(),
      refill: (limit) => stores.transitions.latest(limit),
      onWeights: (weights, trainSteps, blob) => this.promote(weights, trainSteps, blob),
    });
  }

  get policy(): Policy {
    return this.name === 'dqn' ? this.dqn : heuristicByName(this.name);
  }

  setPolicy(name: PolicyName): void {
    this.name = name;
  }

  /** The chance that the next decision is a random one; null for a policy that does not explore. */
  get epsilon(): number | null {
    return this.name === 'dqn' ? this.dqn.epsilon : null;
  }

  get learnerStatus(): SchedulerStatus['learner'] {
    const status = this.learner?.status();
    return {
      state: status === undefined || status.state === 'stopped' ? 'off' : status.state,
      backend: status?.backend ?? null,
      trainSteps: status?.trainSteps ?? 0,
      replaySize: status?.replaySize ?? 0,
      replayCapacity: CONFIG.replayCapacity,
      loss: status?.loss ?? null,
      trouble: status?.trouble ?? this.trouble,
    };
  }

  /** Books the time until now at the load that held, and takes the new one. */
  advance(nowMs: number, load: Load): void {
    this.recorder.advance(load, nowMs);
  }

  /** A choice was made among `step.allowedActions`. */
  decided(step: DecisionStep, snapshot: Snapshot, decision: Decision): void {
    const seen = seenStep(step, snapshot, decision.id, decision.episodeId);
    if (seen !== null) this.recorder.decided(seen);
  }

  /** The machine is idle: what was decided before matters no more. */
  idle(): void {
    this.recorder.idle();
  }

  async stop(): Promise<void> {
    await this.learner?.stop();
  }

  private store(transition: Transition): void {
    const { decisionId, episodeId, atMs, reward, discount, next, goals } = transition;
    try {
      this.options.stores.transitions.insert({
        decisionId,
        episodeId,
        atMs,
        reward: scalarise(reward, goals),
        parts: reward,
        discount,
        done: next === null,
        body: encodeTransition(transition, FEATURE_NAMES),
      });
    } catch (error) {
      // Learning must not keep a job from starting.
      this.options.log.warn('a transition could not be stored', { error: messageOf(error) });
      return;
    }
    this.learner?.push(transition);
    this.options.onTransition();
  }

  private promote(weights: Weights, trainSteps: number, blob: Uint8Array): void {
    const { stores, clock, log } = this.options;
    try {
      sanityCheck(weights);
      const version = `${this.origin}+${trainSteps}`;
      this.dqn.setWeights(weights, version);
      stores.models.promote({
        policy: 'dqn',
        version,
        createdAtMs: clock.nowMs(),
        source: 'online',
        trainSteps,
        weights: blob,
      });
    } catch (error) {
      log.warn('newly learned weights were refused; the old ones stay', { error: messageOf(error) });
    }
  }
}
