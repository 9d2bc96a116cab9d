import type { SchedulerStatus } from '../../contract/messages.ts';
import type { Decision, Explanation } from '../../domain/decision.ts';
import { messageOf } from '../../domain/errors.ts';
import { type BanditName, isBandit, type PolicyName } from '../../domain/policyNames.ts';
import { type Load, scalarise } from '../../domain/reward.ts';
import type { Rng } from '../../domain/rng.ts';
import { type AgentConfig, LIVE_AGENT } from '../../learning/agent.ts';
import type { BackendName } from '../../learning/backend.ts';
import { Learner, type LearnerStatus } from '../../learning/learner.ts';
import { sanityCheck } from '../../learning/policyCheck.ts';
import { Recorder } from '../../learning/recorder.ts';
import { seenStep } from '../../learning/seenStep.ts';
import { type LoadedPolicy, loadShippedPolicy } from '../../learning/shippedPolicy.ts';
import { encodeTransition, type Transition } from '../../learning/transition.ts';
import type { DecisionStep } from '../../scheduler/decide.ts';
import { FEATURE_NAMES } from '../../scheduler/features.ts';
import { decodeWeights, encodeWeights, type Weights } from '../../scheduler/network.ts';
import type { ActingPolicy } from '../../scheduler/policies/acting.ts';
import type { BanditPolicy, BanditState } from '../../scheduler/policies/bandit.ts';
import { createDqnPolicy, type DqnPolicy } from '../../scheduler/policies/dqn.ts';
import { banditByName, heuristicByName } from '../../scheduler/policies/heuristics.ts';
import { createPgPolicy } from '../../scheduler/policies/pg.ts';
import type { Policy } from '../../scheduler/policy.ts';
import type { Snapshot } from '../../scheduler/snapshot.ts';
import { whyChosen } from '../../scheduler/whyChosen.ts';
import { resourcePath } from '../packageRoot.ts';
import type { Clock, Log } from '../ports.ts';
import type { DecisionStore } from '../store/decisionStore.ts';
import type { ModelStore, StoredModel } from '../store/modelStore.ts';
import type { SettingStore } from '../store/settingStore.ts';
import type { TransitionStore } from '../store/transitionStore.ts';
import { Promotion, type PromotionOptions } from './promotion.ts';

export interface BrainOptions {
  readonly policy: PolicyName;
  readonly stores: {
    readonly decisions: DecisionStore;
    readonly transitions: TransitionStore;
    readonly models: ModelStore;
    readonly settings: SettingStore;
  };
  /** What a candidate is judged on, and how often. */
  readonly gate: Pick<
    PromotionOptions,
    'recentJobs' | 'devicesMib' | 'everySteps' | 'everyMs' | 'jobsPerWorld'
  >;
  /** A transition was stored. */
  readonly onTransition: () => void;
  /** The learner has taken steps. */
  readonly onLearned: (trainSteps: number, loss: number) => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** What the learner computes with; our own kernels when left out. */
  readonly backend?: BackendName;
  /** Where the shipped weights are; this installation's when left out. */
  readonly shippedPath?: string;
}

/** Verdicts against what was learned, one after another, until it is given up. */
const MOST_REFUSALS = 3;

/** A workstation decides a few dozen times a day: begin early and publish often, in the small steps of LIVE_AGENT. */
const CONFIG: AgentConfig = { ...LIVE_AGENT, minReplay: 8, publishEverySteps: 16 };

/**
 * Holds the policy in charge, and the learned one whether it is in charge or not: it learns from every decision,
 * whoever took it, since Q-learning is off-policy. Training happens in the learner's process; this one only
 * multiplies matrices.
 */
export class Brain {
  /** Decides when the policy fails, and is compared with it. */
  readonly heuristic: Policy = heuristicByName('aged');
  /** Which weights are in charge. */
  readonly promotion: Promotion;
  private readonly options: BrainOptions;
  private readonly dqn: DqnPolicy;
  private readonly recorder: Recorder;
  private learner: Learner | null = null;
  private trouble: string | null = null;
  private origin = 'none';
  private refusals = 0;
  private cpuShare = 1;
  private notedSteps = 0;
  private name: PolicyName;
  private bandit: BanditPolicy | null = null;
  /** Without weights until they are loaded, and where they cannot be: the heuristic decides in its place then. */
  private pg: Policy = createPgPolicy({ weights: null, version: 'none' });
  private pgWeights: Weights | null = null;

  constructor(options: BrainOptions) {
    this.options = options;
    this.name = options.policy;
    this.dqn = createDqnPolicy({
      weights: null,
      version: 'none',
      decisionsTaken: options.stores.decisions.countOf('dqn'),
    });
    const { stores, gate, clock, log } = options;
    this.promotion = new Promotion({
      models: stores.models,
      settings: stores.settings,
      use: (weights, version) => this.use(weights, version),
      onVerdict: (passed) => this.judged(passed),
      ...gate,
      clock,
      log,
    });
    this.recorder = new Recorder({ onTransition: (transition) => this.store(transition), rng: options.rng });
  }

  /**
   * Loads the weights in charge, else the shipped ones; newly shipped ones replace those that were shipped before. Without
   * either, the heuristic stands in for `dqn`.
   */
  async load(): Promise<void> {
    await this.loadPg();
    const { stores, clock, log } = this.options;
    const shipped = await this.shipped();
    const stored = stores.models.inCharge();
    const outdated = stored?.source === 'shipped' && shipped !== null && shipped.name !== stored.version;
    let weights = stored === null || outdated ? null : usable(stored, log);
    let version = stored?.version ?? '';
    if (weights === null) {
      if (shipped === null) {
        log.warn('there are no weights for dqn: the heuristic decides in its place', { error: this.trouble });
        return;
      }
      weights = shipped.weights;
      version = shipped.name;
      stores.models.register({
        version,
        createdAtMs: clock.nowMs(),
        source: 'shipped',
        trainSteps: 0,
        weights: encodeWeights(weights, FEATURE_NAMES),
      });
      stores.models.promote(version, clock.nowMs());
    }
    this.trouble = null;
    this.use(weights, version);
    // What was learned last goes on being learned, whether or not it ever takes charge.
    const learned = stores.models.newestLearned();
    const continued =
      learned !== null && originOf(learned.version) === this.origin ? usable(learned, log) : null;
    this.learn(continued ?? weights, learned?.trainSteps ?? 0);
  }

  /** It does not learn here: there is nothing but what ships. */
  private async loadPg(): Promise<void> {
    try {
      const { name, weights } = await loadShippedPolicy(resourcePath('policy', 'pg.json'));
      this.pg = createPgPolicy({ weights, version: name });
      this.pgWeights = weights;
    } catch (error) {
      // Of no interest to whoever never puts it in charge; its decisions say so where somebody does.
      this.options.log.info('there are no weights for pg', { error: messageOf(error) });
    }
  }

  private async shipped(): Promise<LoadedPolicy | null> {
    try {
      return await loadShippedPolicy(this.options.shippedPath ?? resourcePath('policy', 'second-wind.json'));
    } catch (error) {
      this.trouble = messageOf(error);
      return null;
    }
  }

  private use(weights: Weights, version: string): void {
    this.dqn.setWeights(weights, version);
    this.origin = originOf(version);
  }

  private learn(weights: Weights, trainSteps: number): void {
    const { transitions } = this.options.stores;
    this.learner = new Learner({
      weights,
      trainSteps,
      config: CONFIG,
      ...(this.options.backend === undefined ? {} : { backend: this.options.backend }),
      cpuShare: this.cpuShare,
      storedTransitions: transitions.count(),
      refill: (limit, skip) => transitions.latest(limit, skip),
      onWeights: (learned, steps, blob) => this.offer(learned, steps, blob),
      onStatus: (status) => this.noteProgress(status),
    });
  }

  private noteProgress({ trainSteps, loss }: LearnerStatus): void {
    if (loss === null || trainSteps === this.notedSteps) return;
    this.notedSteps = trainSteps;
    this.options.onLearned(trainSteps, loss);
  }

  /** @param share part of one core that learning may take, 0 to 1. */
  setLearningShare(share: number): void {
    this.cpuShare = share;
    this.learner?.setCpuShare(share);
    this.promotion.setShare(share);
  }

  /** A copy that went astray is given up: after several refusals, learning begins anew from the weights in charge. */
  private judged(passed: boolean): void {
    this.refusals = passed ? 0 : this.refusals + 1;
    if (this.refusals < MOST_REFUSALS) return;
    this.refusals = 0;
    const model = this.options.stores.models.inCharge();
    const weights = model === null ? null : usable(model, this.options.log);
    const { learner } = this;
    if (weights === null || learner === null) return;
    this.options.log.warn('learning begins anew from the weights in charge: what was learned was refused', {
      times: MOST_REFUSALS,
    });
    const { trainSteps } = learner.status();
    void learner.stop();
    this.learn(weights, trainSteps);
  }

  get policy(): Policy {
    if (this.name === 'dqn') return this.dqn;
    if (this.name === 'pg') return this.pg;
    return isBandit(this.name) ? this.banditInCharge(this.name) : heuristicByName(this.name);
  }

  /** The policy in charge, so that another process can decide as it would. */
  get acting(): ActingPolicy {
    const { policy, name } = this;
    const weights = name === 'dqn' ? this.dqn.weights : name === 'pg' ? this.pgWeights : null;
    return {
      name,
      version: policy.version,
      weights: weights === null ? null : encodeWeights(weights, FEATURE_NAMES),
      bandit: isBandit(name) ? this.banditInCharge(name).save() : null,
    };
  }

  setPolicy(name: PolicyName): void {
    this.name = name;
  }

  /** The chance that the next decision is a random one; null for a policy that does not explore. */
  get epsilon(): number | null {
    return this.name === 'dqn' ? this.dqn.epsilon : null;
  }

  get learnerStatus(): Omit<SchedulerStatus['learner'], 'limits' | 'yields'> {
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
    this.policy.advance?.(load, nowMs);
  }

  /**
   * A choice was made among `step.allowedActions`.
   * @param wanted a person made it, or it is what a person wanted.
   */
  decided(step: DecisionStep, snapshot: Snapshot, decision: Decision, wanted = false): void {
    // To a network that knows launches only, what else there was to choose would look like waiting.
    const changes = step.allowedActions.some(({ kind }) => kind !== 'launch' && kind !== 'wait');
    if (changes && this.dqn.preempts !== true) return;
    const seen = seenStep(step, snapshot, decision.id, decision.episodeId, wanted);
    if (seen !== null) this.recorder.decided(seen);
  }

  /** Why the network chose as it did; null where it did not. Never throws: a decision does not depend on it. */
  explain(step: DecisionStep, snapshot: Snapshot): Explanation | null {
    const { weights } = this.dqn;
    if (weights === null || step.policyName !== this.dqn.name) return null;
    try {
      return whyChosen(step, snapshot, weights);
    } catch (error) {
      this.options.log.warn('a decision could not be explained', { error: messageOf(error) });
      return null;
    }
  }

  /** False: what it says from now on is for a person to judge, and nothing is tried. */
  explore(on: boolean): void {
    this.dqn.explore(on);
  }

  /** The machine is idle: what was decided before matters no more. */
  idle(): void {
    this.recorder.idle();
    this.policy.idle?.();
  }

  /** It goes on with what it had learned when it was last in charge, also after a restart. */
  private banditInCharge(name: BanditName): BanditPolicy {
    if (this.bandit?.name === name) return this.bandit;
    const { settings } = this.options.stores;
    const key = `policy.${name}`;
    let state: BanditState | null = null;
    try {
      state = JSON.parse(settings.get(key) ?? 'null') as BanditState | null;
    } catch (error) {
      this.options.log.warn(`what ${name} had learned cannot be read; it begins anew`, {
        error: messageOf(error),
      });
    }
    const bandit = banditByName(name, {
      ...(state === null ? {} : { state }),
      onLearned: () => {
        try {
          settings.set(key, JSON.stringify(bandit.save()));
        } catch (error) {
          // Learning must not keep a job from starting.
          this.options.log.warn(`what ${name} has learned could not be stored`, { error: messageOf(error) });
        }
      },
    });
    this.bandit = bandit;
    return bandit;
  }

  async stop(): Promise<void> {
    await this.promotion.stop();
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

  private offer(weights: Weights, trainSteps: number, blob: Uint8Array): void {
    try {
      sanityCheck(weights);
      this.promotion.offer(`${this.origin}+${trainSteps}`, trainSteps, blob);
    } catch (error) {
      this.options.log.warn('newly learned weights were refused; the old ones stay', {
        error: messageOf(error),
      });
    }
  }
}

/** `second-wind` for `second-wind+350`. */
const originOf = (version: string): string => version.split('+')[0]!;

function usable({ weights, version }: StoredModel, log: Log): Weights | null {
  try {
    const decoded = decodeWeights(weights, FEATURE_NAMES);
    sanityCheck(decoded);
    return decoded;
  } catch (error) {
    log.warn('stored weights cannot be used', { version, error: messageOf(error) });
    return null;
  }
}
