import type { Job } from '../../domain/job.ts';
import type { Rng } from '../../domain/rng.ts';
import type { ActingPolicy } from '../../scheduler/policies/acting.ts';
import { rankOf } from '../../scheduler/rank.ts';
import type { Pauses } from '../control/pauses.ts';
import { Forecaster } from '../forecast/forecaster.ts';
import type { Runner } from '../jobs/runner.ts';
import { Undo } from '../jobs/undo.ts';
import type { Log } from '../ports.ts';
import type { WatchHub } from '../server/watchHub.ts';
import type { DecisionStore } from '../store/decisionStore.ts';
import type { SettingStore } from '../store/settingStore.ts';
import type { StartEstimateStore } from '../store/startEstimateStore.ts';
import type { SuggestionStore } from '../store/suggestionStore.ts';
import { Account } from './account.ts';
import { Adviser } from './adviser.ts';
import type { Brain } from './brain.ts';
import { Dispatcher } from './dispatcher.ts';
import { Drain } from './drain.ts';
import { Gate } from './gate.ts';
import { GiveWayLimits } from './giveWayLimits.ts';
import { People } from './people.ts';
import { Reasons } from './reasons.ts';
import { Situation, type SituationOptions } from './situation.ts';

export interface SchedulingOptions extends Omit<SituationOptions, 'giveWay' | 'drain'> {
  readonly runner: Runner;
  /** Comes after the scheduling. */
  readonly pauses: () => Pauses;
  readonly brain: Brain;
  readonly hub: WatchHub;
  readonly stores: {
    readonly decisions: DecisionStore;
    readonly settings: SettingStore;
    readonly suggestions: SuggestionStore;
    readonly startEstimates: StartEstimateStore;
  };
  /** Why a job waits that is for another queue. */
  readonly elsewhere: (job: Job) => string;
  readonly rng: Rng;
  readonly log: Log;
}

/** While the policy only advises. */
const HEURISTIC_ACTS: ActingPolicy = { name: 'aged', version: 'advise', weights: null, bandit: null };

/** What decides and acts on the live machine, put together: the dispatcher, and what it and people share. */
export function createScheduling(options: SchedulingOptions) {
  const { ledger, clock, brain, stores } = options;
  const drain = new Drain(stores.settings, clock);
  const giveWay = new GiveWayLimits(stores.settings);
  const adviser = new Adviser(stores.settings, stores.suggestions, clock);
  brain.explore(adviser.mode === 'auto');
  const gate = new Gate(ledger);
  const situation = new Situation({ ...options, drain, giveWay }, gate);
  const account = new Account({ ...options, decisions: stores.decisions });
  const snapshot = () => situation.now();
  const reasons = new Reasons({ ...options, gate, drain, giveWay, adviser, snapshot });
  const shared = { ...options, drain, giveWay, adviser, gate, situation, account, reasons };
  const dispatcher = new Dispatcher(shared);
  const forecaster = new Forecaster({
    ...options,
    store: stores.startEstimates,
    snapshot,
    acting: () => {
      if (adviser.mode === 'manual' || drain.sinceMs !== null) return null;
      return adviser.mode === 'auto' ? brain.acting : HEURISTIC_ACTS;
    },
    limits: () => giveWay.limits,
    history: () => options.history.gpuSeconds,
  });
  const people = new People({ ...shared, request: () => dispatcher.request() });
  return {
    dispatcher,
    drain,
    giveWay,
    adviser,
    people,
    reasons,
    forecaster,
    /** As the status tells it. */
    get status() {
      return {
        ...account.status,
        ...adviser.status,
        drainedSinceMs: drain.sinceMs,
        giveWay: giveWay.current,
      };
    },
    gate,
    /** Jobs of another queue in the order in which the policy in charge would start them. */
    orderElsewhere(jobs: readonly Job[]): Job[] {
      if (jobs.length < 2) return [...jobs];
      const { policy, heuristic } = brain;
      const { limits } = giveWay;
      const ids = rankOf({ snapshot: situation.apart(jobs), policy, heuristic, rng: options.rng, limits });
      const place = new Map(ids.map((id, at) => [id, at]));
      const placeOf = ({ id }: Job): number => place.get(id) ?? ids.length;
      return jobs.toSorted((a, b) => placeOf(a) - placeOf(b) || a.rank - b.rank);
    },
    undo: new Undo({ ledger, clock, statusOf: (dependency) => gate.statusOf(dependency) }),
    /** @throws {ConflictError} if it could never start, because of how a job ended that it waits for. */
    checkStartable: (job: Job): void => gate.checkStartable(job),
    async stop(): Promise<void> {
      dispatcher.stop();
      reasons.stop();
      gate.stop();
      account.stop();
      await forecaster.stop();
    },
  };
}
export type Scheduling = ReturnType<typeof createScheduling>;
