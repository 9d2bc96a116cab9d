import { formatDuration } from '../../domain/units.ts';
import type { Recording } from './record.ts';
import type { ReplayedJobs } from './replayRun.ts';
import { ASSUMED_CHECKPOINT_EVERY_S, ASSUMED_RESTART_S, type ReplayMachine } from './replayWorld.ts';

export interface LimitFacts {
  readonly recording: Recording;
  readonly replayed: ReplayedJobs;
  /** Jobs of the period that are not over. */
  readonly notOver: number;
  readonly machine: ReplayMachine;
  /** Whether one of the policies stops running jobs. */
  readonly preempts: boolean;
}

/** What a replay leaves out, assumes and cannot know, in plain sentences: what is sure to matter first. */
export function replayLimits(facts: LimitFacts): string[] {
  const { recording, replayed, notOver, machine, preempts } = facts;
  const { jobs, rejected } = replayed;
  const count = (of: (job: (typeof jobs)[number]) => boolean): number => jobs.filter(of).length;
  const shared = sharers(jobs);
  const paused = count((job) => job.pausedS > 0);
  const pausedS = jobs.reduce((sum, job) => sum + job.pausedS, 0);
  const lost = count((job) => job.status === 'lost');
  const cut = count((job) => job.status !== 'succeeded') - lost;
  const held = count((job) => job.readyAtMs > job.submittedAtMs);
  const moved = count((job) => job.moved);
  const limits: (string | false)[] = [
    'People would have submitted other jobs, at other times, had they waited longer or less: arrivals are as recorded.',
    shared === 0
      ? 'Durations are as measured with each job alone on its GPUs; where a policy lets jobs share, they are taken to run as fast as alone.'
      : `Durations are as measured with the neighbours that jobs had (${jobsOf(shared)} shared a GPU); with others beside them they are taken to run as fast.`,
    notOver > 0 && `${jobsOf(notOver)} of that time ${notOver === 1 ? 'is' : 'are'} not over and left out.`,
    recording.cpuOnly > 0 && `${jobsOf(recording.cpuOnly)} without a GPU left out.`,
    recording.neverRan > 0 &&
      `${jobsOf(recording.neverRan)} that never ran left out, though they waited in the queue.`,
    rejected > 0 &&
      `${jobsOf(rejected)} larger than the simulated machine left out of every row, the first too: what the others waited for them is still in it.`,
    recording.spilledIn > 0 &&
      `${jobsOf(recording.spilledIn)} that came before held GPUs at the beginning; the replay begins with an empty machine.`,
    cut > 0 &&
      `Jobs that failed or were cancelled (${cut}) run as long as they did, and not as long as they would have.`,
    lost > 0 &&
      `Jobs that were lost (${lost}) run until their loss was noticed, which may have been long after.`,
    paused > 0 &&
      `${jobsWere(paused)} paused by a person, ${formatDuration(1000 * pausedS)} together; the replay lets them run through.`,
    held > 0 && `${jobsWere(held)} held first: arrival is then the release.`,
    moved > 0 && `${jobsWere(moved)} moved in the queue by hand; the replay takes the order of submission.`,
    'Policies that learn from jobs of the past begin knowing none.',
    'Priorities are those that jobs had at their end. Memory that others took and GPUs that failed are not in the record.',
    `A start takes ${formatDuration(1000 * machine.startS)}: the mean, in the record, from what let a job start to its start, without outliers.`,
    preempts &&
      `Nobody was preempted, so what that costs is assumed: every job can be stopped, loses the work since its last checkpoint (one every ${formatDuration(1000 * ASSUMED_CHECKPOINT_EVERY_S)}), and takes ${formatDuration(1000 * ASSUMED_RESTART_S)} to load it.`,
  ];
  return limits.filter((limit) => limit !== false);
}

const jobsOf = (n: number): string => (n === 1 ? '1 job' : `${n} jobs`);
const jobsWere = (n: number): string => `${jobsOf(n)} ${n === 1 ? 'was' : 'were'}`;

/** Jobs that were on a device together with another. */
function sharers(jobs: ReplayedJobs['jobs']): number {
  const byDevice = new Map<string, ReplayedJobs['jobs'][number][]>();
  for (const job of jobs) {
    for (const id of job.devices) {
      const on = byDevice.get(id);
      if (on === undefined) byDevice.set(id, [job]);
      else on.push(job);
    }
  }
  const found = new Set<number>();
  for (const on of byDevice.values()) {
    on.sort((a, b) => a.startedAtMs - b.startedAtMs);
    let longest = on[0]!;
    for (const job of on.slice(1)) {
      if (job.startedAtMs < longest.finishedAtMs) found.add(job.id).add(longest.id);
      if (job.finishedAtMs > longest.finishedAtMs) longest = job;
    }
  }
  return found.size;
}
