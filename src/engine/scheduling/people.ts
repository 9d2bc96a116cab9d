import type { Action } from '../../domain/decision.ts';
import { ConflictError, FieldError, messageOf, NotFoundError } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import { mayHappen } from '../../domain/lifecycle.ts';
import type { Rng } from '../../domain/rng.ts';
import { actedInstead, type DecisionStep, decide } from '../../scheduler/decide.ts';
import { shieldOf } from '../../scheduler/shield.ts';
import type { Snapshot } from '../../scheduler/snapshot.ts';
import type { Pauses } from '../control/pauses.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { Runner } from '../jobs/runner.ts';
import type { Clock, Log } from '../ports.ts';
import type { Account } from './account.ts';
import type { Adviser } from './adviser.ts';
import type { Brain } from './brain.ts';
import type { Drain } from './drain.ts';
import type { Gate } from './gate.ts';
import type { GiveWayLimits } from './giveWayLimits.ts';
import type { Situation } from './situation.ts';

export interface PeopleOptions {
  readonly ledger: Ledger;
  readonly runner: Runner;
  readonly pauses: () => Pauses;
  readonly situation: Situation;
  readonly gate: Gate;
  readonly account: Account;
  readonly adviser: Adviser;
  readonly brain: Brain;
  readonly drain: Drain;
  readonly giveWay: GiveWayLimits;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** Opens an epoch. */
  readonly request: () => void;
}

type Launch = Extract<Action, { kind: 'launch' }>;

/**
 * What people do that a policy might have done: it goes by the same rules, stands among the decisions, and is learned
 * from as something worth imitating.
 */
export class People {
  private readonly options: PeopleOptions;

  constructor(options: PeopleOptions) {
    this.options = options;
  }

  /**
   * Starts a queued job now, before all others.
   * @param deviceIds on all of these; where it fits best when left out.
   * @throws {ConflictError} @throws {FieldError} @throws {NotFoundError} saying what is in the way, with nothing done.
   */
  start(jobId: number, deviceIds?: readonly string[]): Job {
    const job = this.startable(jobId);
    if (deviceIds !== undefined) this.checkDevices(job, deviceIds);
    const ahead = this.options.situation.ahead(job, deviceIds ?? null);
    const [first] = ahead.waiting;
    const offer = shieldOf(ahead, this.options.giveWay.limits).judge(first, 0);
    if (!offer.fits) {
      const why = offer.vetoes.map(({ reason }) => reason).join('; ');
      throw new ConflictError(
        `job ${jobId} cannot start${deviceIds === undefined ? '' : ' there'} now: ${why}`,
        'wait for that, or make room; it stays in the queue',
      );
    }
    const action: Launch = { kind: 'launch', jobId, deviceIds: [...offer.placements[0]!] };
    const done = this.before(action, ahead);
    const started = this.launch(action, first.waitingSinceMs);
    done();
    return started;
  }

  /**
   * Keeps a waiting job to these devices; null: to none.
   * @throws {FieldError} @throws {NotFoundError} where it could never start on them.
   */
  pin(jobId: number, deviceIds: readonly string[] | null): Job {
    const { ledger } = this.options;
    const job = ledger.get(jobId);
    if (deviceIds !== null) {
      this.checkKnown(deviceIds);
      const least = job.minGpus ?? job.gpus;
      if (least === 0)
        throw new FieldError('deviceIds', deviceIds.join(','), `give null: job ${jobId} runs on the CPU`);
      if (new Set(deviceIds).size < least)
        throw new FieldError('deviceIds', deviceIds.join(','), `name at least ${least} different GPUs`);
    }
    return ledger.append(
      jobId,
      { kind: 'pinned', devices: deviceIds === null ? null : [...new Set(deviceIds)] },
      'person',
    );
  }

  /** @param wanted as {@link Pauses.pause} takes it. One that ends at its own checkpoint is nothing a policy could do. */
  async pause(jobId: number, wanted?: Parameters<Pauses['pause']>[1]): Promise<Job> {
    const done = this.before({ kind: 'pause', jobId });
    const job = await this.options.pauses().pause(jobId, wanted);
    if (job.status === 'paused') done();
    return job;
  }

  preempt(jobId: number): Job {
    const done = this.before({ kind: 'preempt', jobId });
    const job = this.options.runner.preempt(jobId, 'preempted by a person', 'person');
    done();
    return job;
  }

  /**
   * Has done what the policy suggests.
   * @param id of the suggestion, as it was shown.
   * @throws {ConflictError} when it does not stand any more.
   */
  accept(id?: number): void {
    this.answer('accepted', id);
  }

  /** Has done at once what the heuristic would do instead. @throws {ConflictError} as `accept`. */
  overrule(id?: number): void {
    this.answer('overruled', id);
  }

  private answer(outcome: 'accepted' | 'overruled', id: number | undefined): void {
    const { adviser, situation, brain, rng, giveWay } = this.options;
    const suggestion = adviser.present(id);
    const snapshot = situation.now();
    const { policy, heuristic } = brain;
    const step = decide({ snapshot, policy, heuristic, rng, limits: giveWay.limits });
    const wanted = outcome === 'accepted' ? suggestion.action : suggestion.heuristicAction;
    const acted = actedInstead({ snapshot, limits: giveWay.limits }, step, wanted);
    if (acted.allowedActions.length > step.allowedActions.length) {
      adviser.withdraw();
      this.options.request();
      throw new ConflictError('what was suggested is not possible any more', 'look at what is suggested now');
    }
    this.perform(acted.chosen, snapshot);
    adviser.answered(outcome, step, acted.chosen);
    const { policyVersion } = suggestion;
    this.record(acted, snapshot, { policy: suggestion.policy, policyVersion, action: suggestion.action });
    this.options.request();
  }

  private perform(action: Action, snapshot: Snapshot): void {
    const { runner } = this.options;
    switch (action.kind) {
      case 'launch':
        this.launch(action, snapshot.waiting.find(({ id }) => id === action.jobId)?.waitingSinceMs);
        return;
      case 'pause':
        runner.pause(action.jobId);
        return;
      case 'resume':
        runner.resume(action.jobId);
        return;
      case 'preempt':
        runner.preempt(action.jobId, 'preempted by a person, as suggested', 'person');
        return;
      case 'wait':
    }
  }

  private launch({ jobId, deviceIds }: Launch, readyAtMs: number | undefined): Job {
    return this.options.runner.start(jobId, deviceIds, readyAtMs, 'person');
  }

  /**
   * How things stand before a person acts.
   * @param beside where the present queue does not show the job: how it is shown then, and nothing is learned.
   * @returns to be called once it is done: writes it down.
   */
  private before(action: Exclude<Action, { kind: 'wait' }>, beside?: Snapshot): () => void {
    const { situation, adviser, brain, rng, giveWay } = this.options;
    const all = situation.now();
    const here = action.kind === 'launch' ? all.waiting : all.running;
    const shown = here.some(({ id }) => id === action.jobId);
    const snapshot = shown ? all : beside;
    if (snapshot === undefined) return () => undefined;
    const { heuristic } = brain;
    const { limits } = giveWay;
    const before = decide({ snapshot, policy: heuristic, heuristic, rng, limits });
    const acted = actedInstead({ snapshot, limits }, before, action);
    return () => {
      adviser.personDid(action);
      this.record(acted, snapshot, undefined, shown);
    };
  }

  private record(
    step: DecisionStep,
    snapshot: Snapshot,
    advice?: { policy: string; policyVersion: string; action: Action },
    learned = true,
  ): void {
    const { account, situation, log } = this.options;
    try {
      // Time has passed, and other epochs with it, where what was done took its time.
      const now = situation.now();
      account.nextEpoch();
      account.noteArrivals(now);
      account.advance(now);
      account.record(step, snapshot, { by: 'person', learned, ...(advice === undefined ? {} : { advice }) });
    } catch (error) {
      // It is done, and stands among the job's events.
      log.warn('what a person did could not be written down as a decision', { error: messageOf(error) });
    }
  }

  private startable(jobId: number): Job {
    const { ledger, drain, gate } = this.options;
    const job = ledger.get(jobId);
    if (job.status === 'held')
      throw new ConflictError(`job ${jobId} is held`, `release it first: stint release ${jobId}`);
    if (job.executor !== null)
      throw new ConflictError(
        `job ${jobId} is for ${job.executor}, which starts it itself`,
        'only a job for this machine can be started here',
      );
    if (!mayHappen(job.status, 'launching'))
      throw new ConflictError(`job ${jobId} is ${job.status}`, 'only a queued job can be started');
    if (drain.sinceMs !== null)
      throw new ConflictError(
        'the machine is drained: nothing is started',
        'end that first: stint drain --off',
      );
    const readiness = gate.of(job, this.options.clock.nowMs());
    if (!readiness.ready)
      throw new ConflictError(`job ${jobId} cannot start yet: ${readiness.reason}`, 'wait for that');
    return job;
  }

  private checkDevices(job: Job, deviceIds: readonly string[]): void {
    const least = job.minGpus ?? job.gpus;
    this.checkKnown(deviceIds);
    const distinct = new Set(deviceIds).size;
    const needs = least === job.gpus ? `${least}` : `${least} to ${job.gpus}`;
    if (distinct < deviceIds.length || distinct < least || distinct > job.gpus) {
      throw new FieldError(
        'deviceIds',
        deviceIds.join(','),
        `name ${needs} different GPUs: job ${job.id} needs so many`,
      );
    }
  }
  private checkKnown(deviceIds: readonly string[]): void {
    const known = this.options.situation.now().devices;
    for (const id of deviceIds) {
      if (!known.some((device) => device.id === id))
        throw new NotFoundError('device', id, 'stint devices lists those that there are');
    }
  }
}
