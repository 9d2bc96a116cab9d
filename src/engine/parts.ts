import type { HostReading, JobView, SchedulerStatus, SystemInfo } from '../contract/messages.ts';
import type { Device } from '../domain/device.ts';
import type { Job } from '../domain/job.ts';
import type { GoalWeights } from '../domain/reward.ts';
import type { Rung } from '../domain/rungSchemas.ts';
import type { CodeRecorder } from './code/codeRecorder.ts';
import type { Snapshots } from './code/snapshots.ts';
import type { Close } from './devices/focus.ts';
import type { Executors } from './executors/executors.ts';
import type { Owner } from './guards/owner.ts';
import type { Ledger } from './jobs/ledger.ts';
import type { Runner } from './jobs/runner.ts';
import type { Secrets } from './jobs/secrets.ts';
import type { Templates } from './jobs/templates.ts';
import type { Keeper } from './keeping/keeper.ts';
import type { Notifier } from './notify/notifier.ts';
import type { Clock, Log } from './ports.ts';
import type { Brain } from './scheduling/brain.ts';
import type { Episodes } from './scheduling/episodes.ts';
import type { GoalsPreviews } from './scheduling/goalsPreviews.ts';
import type { LearningBudget } from './scheduling/learningBudget.ts';
import type { Replays } from './scheduling/replays.ts';
import type { Scheduling } from './scheduling/scheduling.ts';
import type { Tokens } from './server/tokens.ts';
import type { WatchHub } from './server/watchHub.ts';
import type { Interference } from './sharing/interference.ts';
import type { MemoryModel } from './sharing/memoryModel.ts';
import type { DecisionStore } from './store/decisionStore.ts';
import type { DeviceStore } from './store/deviceStore.ts';
import type { EnergyStore } from './store/energyStore.ts';
import type { EpisodeStore } from './store/episodeStore.ts';
import type { HistoryStore } from './store/historyStore.ts';
import type { JobSearch } from './store/jobSearch.ts';
import type { LearningCurveStore } from './store/learningCurveStore.ts';
import type { LogGapStore } from './store/logGapStore.ts';
import type { MetricStore } from './store/metricStore.ts';
import type { OwnersChoice } from './store/ownersChoice.ts';
import type { SettingStore } from './store/settingStore.ts';
import type { TransitionStore } from './store/transitionStore.ts';
import type { Tracer } from './traces/tracer.ts';

/** What the handlers of the contract work with. */
export interface EngineParts {
  readonly clock: Clock;
  readonly log: Log;
  /** What jobs inherit. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ledger: Ledger;
  readonly runner: Runner;
  readonly secrets: Secrets;
  /** Whoever runs jobs: what people do to a job goes there. */
  readonly executors: Executors;
  readonly code: CodeRecorder;
  readonly snapshots: Snapshots;
  readonly keeper: Keeper;
  readonly scheduling: Scheduling;
  readonly brain: Brain;
  readonly episodes: Episodes;
  readonly learning: LearningBudget;
  readonly goals: OwnersChoice<GoalWeights>;
  readonly goalsPreviews: GoalsPreviews;
  readonly replays: Replays;
  readonly hub: WatchHub;
  readonly owner: Owner;
  readonly memory: MemoryModel;
  readonly interference: Interference;
  readonly templates: Templates;
  readonly tokens: Tokens;
  readonly notifier: Notifier;
  readonly tracer: Tracer;
  readonly stores: {
    readonly decisions: DecisionStore;
    readonly devices: DeviceStore;
    readonly energy: EnergyStore;
    readonly episodes: EpisodeStore;
    readonly history: HistoryStore;
    readonly search: JobSearch;
    readonly learningCurve: LearningCurveStore;
    readonly logGaps: LogGapStore;
    readonly metrics: MetricStore;
    readonly settings: SettingStore;
    readonly transitions: TransitionStore;
  };
  /** Of both ladders, the gentlest first: whether each works here. */
  rungs(): Promise<Rung[]>;
  devices(): Device[];
  /** @throws {NotFoundError} for a device that is not there. */
  focus(deviceIds: readonly string[], sinceMs: number, forMs: number): Close;
  host(): HostReading | null;
  system(): SystemInfo;
  scheduler(): SchedulerStatus;
  /** The job with what is derived for its row. */
  view(job: Job): JobView;
}
