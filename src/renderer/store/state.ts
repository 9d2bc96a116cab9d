import type {
  Allocation,
  HostReading,
  JobView,
  LoggedEvent,
  Overview,
  SampleSeries,
  SchedulerStatus,
  SystemInfo,
  WatchMessage,
} from '../../contract/messages.ts';
import type { Decision } from '../../domain/decision.ts';
import type { Device, Reading } from '../../domain/device.ts';
import type { Episode } from '../../domain/episode.ts';
import { isLive, isTerminal } from '../../domain/job.ts';

/** How long sparklines look back. */
export const SAMPLE_WINDOW_MS = 10 * 60_000;
/** How long the timeline looks back at most. */
export const ALLOCATION_WINDOW_MS = 60 * 60_000;
/** Nothing is drawn finer than a second: what comes sooner after the last is passed over. */
const SAMPLE_STEP_MS = 900;
const DECISIONS_KEPT = 300;
const EPISODES_KEPT = 200;
const EVENTS_KEPT = 2000;
/** Of the jobs that are over, at least so many of the latest are kept, and never more than twice as many. */
const OVER_KEPT = 100;

/** A reading without its processes, as series hold it. */
export type Sample = Omit<Reading, 'processes'>;

/**
 * - connecting: nothing was ever received
 * - live: what is shown is how things stand
 * - lost: what is shown is how things stood; it is being tried again
 * - refused: this browser may not see the machine; only a person can change that
 */
export type Phase = 'connecting' | 'live' | 'lost' | 'refused';

/** What the console knows of the machine once it has heard from it. */
export interface Machine {
  /** Everything up to this event is included. */
  readonly seq: number;
  /** The engine's clock minus this one's, ms. */
  readonly clockOffsetMs: number;
  readonly system: SystemInfo;
  readonly jobs: ReadonlyMap<number, JobView>;
  readonly devices: readonly Device[];
  readonly scheduler: SchedulerStatus;
  readonly host: HostReading | null;
  /** Whether what was before is known: what follows holds only what came since until then. */
  readonly past: boolean;
  readonly hostSamples: readonly HostReading[];
  /** Readings by device id over the last ten minutes, oldest first. */
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
  readonly allocations: readonly Allocation[];
  /** Latest first. */
  readonly decisions: readonly Decision[];
  /** Latest first. */
  readonly episodes: readonly Episode[];
  /** Events that came since the console opened, oldest first. */
  readonly events: readonly LoggedEvent[];
}

export interface State {
  readonly phase: Phase;
  /** Since when the connection is lost; null while it is not. */
  readonly lostAtMs: number | null;
  readonly machine: Machine | null;
}

export const INITIAL: State = { phase: 'connecting', lostAtMs: null, machine: null };

/** History that is fetched beside the overview. */
export interface History {
  readonly samples: readonly SampleSeries[];
  readonly allocations: readonly Allocation[];
  readonly decisions: readonly Decision[];
  readonly episodes: readonly Episode[];
}

/** The state after a fresh overview: what was known before is replaced, events are kept, and what was before is not known yet. */
export function withOverview(state: State, overview: Overview, nowMs: number): State {
  const events = (state.machine?.events ?? []).filter((entry) => entry.seq <= overview.seq);
  const { jobs, devices, seq, system, scheduler, host } = overview;
  return {
    phase: 'live',
    lostAtMs: null,
    machine: {
      seq,
      system,
      devices,
      scheduler,
      host,
      events,
      clockOffsetMs: overview.nowMs - nowMs,
      jobs: new Map(jobs.map((job) => [job.id, job])),
      past: false,
      hostSamples: host ? appendSample(state.machine?.hostSamples ?? [], host) : [],
      samples: new Map(),
      allocations: [],
      decisions: [],
      episodes: withEpisode([], scheduler.currentEpisode),
    },
  };
}

/** The state with what was before. What came since the overview is later than that, and may be part of it already. */
export function withHistory(state: State, history: History): State {
  const { machine } = state;
  if (machine === null) return state;
  const samples = new Map(machine.samples);
  for (const { deviceId, readings } of history.samples) {
    const lastMs = readings.at(-1)?.atMs ?? 0;
    const since = (machine.samples.get(deviceId) ?? []).filter(({ atMs }) => atMs > lastMs);
    samples.set(deviceId, [...readings, ...since]);
  }
  const stretchOf = ({ jobId, deviceId, startMs }: Allocation): string => `${jobId} ${deviceId} ${startMs}`;
  const since = new Set(machine.allocations.map(stretchOf));
  const before = history.allocations.filter((stretch) => !since.has(stretchOf(stretch)));
  return {
    ...state,
    machine: {
      ...machine,
      past: true,
      samples,
      allocations: [...before, ...machine.allocations],
      decisions: machine.decisions
        .toReversed()
        .reduce(latestFirst<Decision>, history.decisions)
        .slice(0, DECISIONS_KEPT),
      episodes: machine.episodes.toReversed().reduce(withEpisode, history.episodes),
    },
  };
}

/** The state with jobs that the overview left out. What is known of one by now is later than that. */
export function withMoreJobs(state: State, jobs: readonly JobView[]): State {
  const { machine } = state;
  if (machine === null) return state;
  const more = jobs.filter(({ id }) => !machine.jobs.has(id)).map((job) => [job.id, job] as const);
  return { ...state, machine: { ...machine, jobs: new Map([...machine.jobs, ...more]) } };
}

/**
 * The state after one message of the stream. Events that are already included (after a resumed connection) are
 * passed over, so that each counts once; the other messages replace what they describe.
 */
export function withMessage(state: State, message: WatchMessage): State {
  const { machine } = state;
  if (machine === null) return state;
  const next = reduce(machine, message);
  return next === machine ? state : { ...state, machine: next };
}

function reduce(machine: Machine, message: WatchMessage): Machine {
  switch (message.type) {
    case 'event': {
      if (message.entry.seq <= machine.seq) return machine;
      return {
        ...machine,
        seq: message.entry.seq,
        jobs: withJob(machine.jobs, message.job),
        allocations: withAllocations(machine.allocations, message.entry, message.job),
        events: [...machine.events, message.entry].slice(-EVENTS_KEPT),
      };
    }
    case 'reasons': {
      const jobs = new Map(machine.jobs);
      for (const [id, waitingReason] of Object.entries(message.reasons)) {
        const job = jobs.get(Number(id));
        if (job) jobs.set(job.id, { ...job, waitingReason });
      }
      return { ...machine, jobs };
    }
    case 'devices':
      return {
        ...machine,
        devices: message.devices,
        host: message.host,
        hostSamples: message.host ? appendSample(machine.hostSamples, message.host) : machine.hostSamples,
        samples: withSamples(machine.samples, message.devices),
      };
    case 'decision':
      return {
        ...machine,
        decisions: latestFirst(machine.decisions, message.decision).slice(0, DECISIONS_KEPT),
      };
    case 'scheduler':
      return {
        ...machine,
        scheduler: message.scheduler,
        episodes: withEpisode(machine.episodes, message.scheduler.currentEpisode),
      };
    case 'episode':
      return { ...machine, episodes: withEpisode(machine.episodes, message.episode) };
  }
}

/** The job as just answered by a call, unless the stream already told something later. */
export function withAnswer(state: State, job: JobView): State {
  const { machine } = state;
  if (machine === null) return state;
  const known = machine.jobs.get(job.id);
  if (known && isTerminal(known.status)) return state;
  return { ...state, machine: { ...machine, jobs: withJob(machine.jobs, job) } };
}

function withJob(jobs: ReadonlyMap<number, JobView>, job: JobView): ReadonlyMap<number, JobView> {
  const next = new Map(jobs).set(job.id, job);
  if (!isTerminal(job.status)) return next;
  const { over } = boardOf(next);
  if (over.length > 2 * OVER_KEPT) for (const { id } of over.slice(OVER_KEPT)) next.delete(id);
  return next;
}

function withEpisode(episodes: readonly Episode[], episode: Episode | null): readonly Episode[] {
  return episode === null ? episodes : latestFirst(episodes, episode).slice(0, EPISODES_KEPT);
}

function latestFirst<T extends { readonly id: number }>(items: readonly T[], item: T): readonly T[] {
  const others = items.filter((other) => other.id !== item.id);
  const at = others.findIndex((other) => other.id < item.id);
  return at < 0 ? [...others, item] : [...others.slice(0, at), item, ...others.slice(at)];
}

function appendSample<T extends { readonly atMs: number }>(series: readonly T[], sample: T): readonly T[] {
  const last = series.at(-1);
  if (last && sample.atMs < last.atMs + SAMPLE_STEP_MS) return series;
  const from = sample.atMs - SAMPLE_WINDOW_MS;
  const firstKept = series.findIndex((other) => other.atMs >= from);
  return [...(firstKept < 0 ? [] : series.slice(firstKept)), sample];
}

function withSamples(
  samples: ReadonlyMap<string, readonly Sample[]>,
  devices: readonly Device[],
): ReadonlyMap<string, readonly Sample[]> {
  const next = new Map(samples);
  for (const { id, reading } of devices) {
    if (reading === null) continue;
    const { processes: _, ...sample } = reading;
    next.set(id, appendSample(next.get(id) ?? [], sample));
  }
  return next;
}

/** Opens a stretch when a job is given its devices and closes it when the job leaves them. */
function withAllocations(
  allocations: readonly Allocation[],
  entry: LoggedEvent,
  job: JobView,
): readonly Allocation[] {
  const { event, atMs } = entry;
  const current = allocations.map((a) => (a.jobId === job.id ? { ...a, status: job.status } : a));
  if (event.kind === 'launching') {
    const opened = event.devices.map((deviceId) => ({
      jobId: job.id,
      name: job.name,
      project: job.project,
      user: job.user,
      deviceId,
      startMs: atMs,
      endMs: null,
      status: job.status,
    }));
    const earliest = atMs - ALLOCATION_WINDOW_MS;
    // Of what was asked for after the event it is part already.
    const others = current.filter((a) => !(a.jobId === job.id && a.startMs === atMs));
    return [...others.filter((a) => a.endMs === null || a.endMs >= earliest), ...opened];
  }
  const left =
    event.kind === 'exited' ||
    event.kind === 'lost' ||
    event.kind === 'launch-failed' ||
    event.kind === 'launch-abandoned';
  return left
    ? current.map((a) => (a.jobId === job.id && a.endMs === null ? { ...a, endMs: atMs } : a))
    : current;
}

/** Jobs on the board by what they do: on a device, waiting in queue order, and over (latest first). */
export interface Board {
  readonly live: readonly JobView[];
  readonly waiting: readonly JobView[];
  readonly over: readonly JobView[];
}

export function boardOf(jobs: ReadonlyMap<number, JobView>): Board {
  const live: JobView[] = [];
  const waiting: JobView[] = [];
  const over: JobView[] = [];
  for (const job of jobs.values()) {
    (isLive(job.status) ? live : isTerminal(job.status) ? over : waiting).push(job);
  }
  live.sort((a, b) => (a.startedAtMs ?? Infinity) - (b.startedAtMs ?? Infinity) || a.id - b.id);
  waiting.sort((a, b) => a.rank - b.rank || a.id - b.id);
  over.sort((a, b) => (b.finishedAtMs ?? 0) - (a.finishedAtMs ?? 0) || b.id - a.id);
  return { live, waiting, over };
}

/** The state with waiting job `id` put before `beforeId` (null: last), as the engine will confirm. */
export function withMove(state: State, id: number, beforeId: number | null): State {
  const { machine } = state;
  const job = machine?.jobs.get(id);
  if (!machine || !job || id === beforeId) return state;
  const others = boardOf(machine.jobs).waiting.filter((other) => other.id !== id);
  const at = beforeId === null ? others.length : others.findIndex((other) => other.id === beforeId);
  if (at < 0) return state;
  const before = others[at - 1]?.rank;
  const after = others[at]?.rank;
  const rank =
    before === undefined
      ? (after ?? job.rank + 1) - 1
      : after === undefined
        ? before + 1
        : (before + after) / 2;
  return { ...state, machine: { ...machine, jobs: withJob(machine.jobs, { ...job, rank, moved: true }) } };
}
