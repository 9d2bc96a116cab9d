import type { Fared, GoalsPreview } from '../../domain/goalsPreview.ts';
import { heedsGoals } from '../../domain/policyNames.ts';
import type { PreviewTask } from '../../domain/previewMessage.ts';
import type { GoalWeights } from '../../domain/reward.ts';
import type { Policy } from '../../scheduler/policy.ts';
import type { JobOutcome } from '../../simulator/world.ts';
import { type Recording, recordingOf } from '../replay/record.ts';
import { fitsMachine, replayWorld } from '../replay/replayWorld.ts';
import { runWorld } from '../runWorld.ts';
import { simulationRow } from '../simulationRow.ts';

/** So many of those that moved most are told. */
const MOST_MOVED = 50;
/** Starts closer together are the same. */
const SAME_S = 1;

/**
 * Replays the jobs of a stretch of the record twice under one policy: under the goals of now, and under others. Both are
 * simulations, so that what differs comes from the goals alone.
 * @param policy a new one for each replay: some remember. @param onProgress 0 to 1.
 * @returns null when no job of it ran on GPUs that this machine has.
 */
export function previewGoals(
  task: PreviewTask,
  policy: () => Policy,
  onProgress: (fraction: number) => void,
): GoalsPreview | null {
  const { history, fromMs, toMs, devicesMib, now, instead } = task;
  const arrived = ({ readyAtMs }: { readonly readyAtMs: number }): boolean =>
    readyAtMs >= fromMs && readyAtMs < toMs;
  const recording = recordingOf(history, arrived);
  const jobs = recording.jobs.filter((job) => fitsMachine(job, devicesMib));
  if (jobs.length === 0) return null;
  const machine = { devicesMib, startS: recording.startS };
  const run = (goals: GoalWeights, done: number): JobOutcome[] => {
    let started = 0;
    const world = { ...replayWorld(jobs, recording.originMs, machine, false), goals };
    const outcomes = runWorld(world, policy(), task.seed, () => {
      onProgress(done + Math.min(1, ++started / jobs.length) / 2);
    });
    return outcomes.sort((a, b) => a.job.id - b.job.id);
  };
  const [before, after] = [run(now, 0), run(instead, 0.5)];
  const gpus = devicesMib.length;
  const moved = before.map((one, i) => ({
    one,
    other: after[i]!,
    byS: after[i]!.startedAtS - one.startedAtS,
  }));
  const told = moved
    .filter(({ byS }) => Math.abs(byS) >= SAME_S)
    .sort((a, b) => Math.abs(b.byS) - Math.abs(a.byS));
  const names = new Map(jobs.map((job) => [job.id, job]));
  const atMs = (s: number): number => recording.originMs + Math.round(1000 * s);
  return {
    policy: task.policy.name,
    heeds: heedsGoals(task.policy.name),
    fromMs,
    toMs,
    gpus,
    jobs: jobs.length,
    now: fared(now, before, gpus),
    instead: fared(instead, after, gpus),
    earlier: moved.filter(({ byS }) => byS <= -SAME_S).length,
    later: moved.filter(({ byS }) => byS >= SAME_S).length,
    same: moved.length - told.length,
    moved: told.slice(0, MOST_MOVED).map(({ one, other }) => ({
      jobId: one.job.id,
      name: names.get(one.job.id)!.name,
      user: one.job.user,
      startMs: atMs(one.startedAtS),
      insteadMs: atMs(other.startedAtS),
    })),
    limits: limitsOf(recording, recording.jobs.length - jobs.length),
  };
}

function fared(goals: GoalWeights, outcomes: readonly JobOutcome[], gpus: number): Fared {
  const row = simulationRow({ name: 'preview' }, outcomes, { gpus, rejected: 0 });
  const mean = (of: (outcome: JobOutcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / outcomes.length;
  return {
    goals,
    meanWaitS: mean(({ job, startedAtS }) => startedAtS - job.submittedAtS),
    meanCompletionS: row.mean_jct_s,
    meanSlowdown: row.mean_slowdown,
    maxWaitS: row.max_wait_s,
    energyKwh: outcomes.reduce((sum, { energyJ }) => sum + energyJ, 0) / 3.6e6,
    gpuHours: outcomes.reduce((sum, { attainedGpuS }) => sum + attainedGpuS, 0) / 3600,
  };
}

function limitsOf({ cpuOnly, neverRan, spilledIn }: Recording, tooLarge: number): string[] {
  const limits: (string | false)[] = [
    'Both rows are replays of the same arrivals; people might have submitted other jobs had they waited longer or less.',
    'Jobs take as long as they did, whoever is beside them, and none is stopped for another.',
    'The replay begins with an empty machine, and with what the submitters guessed of run times.',
    spilledIn > 0 && `Jobs that held GPUs at its beginning: ${spilledIn}, left out.`,
    cpuOnly > 0 && `Jobs without a GPU: ${cpuOnly}, left out.`,
    neverRan > 0 && `Jobs that never ran: ${neverRan}, left out.`,
    tooLarge > 0 && `Jobs larger than the machine is now: ${tooLarge}, left out.`,
  ];
  return limits.filter((limit) => limit !== false);
}
