import type {
  HostReading,
  JobView,
  Overview,
  SchedulerStatus,
  WatchMessage,
} from '../../contract/messages.ts';
import type { Device } from '../../domain/device.ts';

/** What `stint top` shows. */
export interface TopState {
  readonly hostname: string;
  readonly jobs: ReadonlyMap<number, JobView>;
  readonly devices: readonly Device[];
  readonly host: HostReading | null;
  readonly scheduler: SchedulerStatus;
}

/** Of jobs that are over, so many are kept. */
const MOST_OVER = 50;

export const topStateOf = ({ system, jobs, devices, host, scheduler }: Overview): TopState => ({
  hostname: system.hostname,
  jobs: recent(new Map(jobs.map((job) => [job.id, job]))),
  devices,
  host,
  scheduler,
});

/** The state after a message of `watch`. */
export function afterMessage(state: TopState, message: WatchMessage): TopState {
  switch (message.type) {
    case 'event':
      return { ...state, jobs: recent(new Map(state.jobs).set(message.job.id, message.job)) };
    case 'reasons': {
      const jobs = new Map(state.jobs);
      for (const [id, waitingReason] of Object.entries(message.reasons)) {
        const job = jobs.get(Number(id));
        if (job) jobs.set(job.id, { ...job, waitingReason });
      }
      return { ...state, jobs };
    }
    case 'devices':
      return { ...state, devices: message.devices, host: message.host };
    case 'scheduler':
      return { ...state, scheduler: message.scheduler };
    case 'decision':
    case 'episode':
      return state;
  }
}

function recent(jobs: Map<number, JobView>): Map<number, JobView> {
  const over = [...jobs.values()].filter(({ finishedAtMs }) => finishedAtMs !== null);
  over.sort((a, b) => b.finishedAtMs! - a.finishedAtMs!);
  for (const { id } of over.slice(MOST_OVER)) jobs.delete(id);
  return jobs;
}

const LIVE_ORDER = ['stopping', 'running', 'paused', 'starting', 'queued', 'held'];

/** Those that run, those that wait in the order of the queue, then those that are over, latest first. */
export function topJobs({ jobs }: TopState): JobView[] {
  const place = (job: JobView): number => {
    if (job.finishedAtMs !== null) return LIVE_ORDER.length;
    // What waits is one queue, whether it is held or not.
    return Math.min(LIVE_ORDER.indexOf(job.status), LIVE_ORDER.indexOf('queued'));
  };
  return [...jobs.values()].sort(
    (a, b) =>
      place(a) - place(b) ||
      (b.finishedAtMs ?? 0) - (a.finishedAtMs ?? 0) ||
      b.priority - a.priority ||
      a.rank - b.rank,
  );
}
