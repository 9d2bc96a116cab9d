import { metricsOf } from '../simulator/metrics.ts';
import type { PlainRow } from '../simulator/plain/plainRow.ts';
import type { JobOutcome } from '../simulator/world.ts';

/** One policy's result on the virtual machine: that of plain mode, and what only happens here. */
export interface SimulationRow extends PlainRow {
  /** Times that a job stood still and kept its memory. */
  readonly pauses: number;
  /** Deaths for want of memory, after each of which the job ran again. */
  readonly oom_deaths: number;
  /** The same for crashes that were nobody's fault. */
  readonly failures: number;
  /** Work that was done and had to be done again, as seconds on the job's own GPUs × their number. */
  readonly lost_gpu_s: number;
}

/**
 * The metrics of a run on the virtual machine. Its utilisation counts useful work, and may exceed 1 where shared GPUs do
 * more of it than one job at a time.
 * @param outcomes at least one, in any order.
 * @param rejected jobs that were larger than the machine.
 */
export function simulationRow(
  policy: { readonly name: string; readonly clairvoyant?: boolean },
  outcomes: readonly JobOutcome[],
  machine: { readonly gpus: number; readonly rejected: number },
): SimulationRow {
  // Sums of the same numbers in the same order, whatever the policy.
  const inOrder = outcomes.toSorted((a, b) => a.job.id - b.job.id);
  const users = new Map<string, number>();
  for (const { job } of inOrder) if (!users.has(job.user)) users.set(job.user, users.size);
  const sum = (value: (outcome: JobOutcome) => number): number =>
    inOrder.reduce((total, outcome) => total + value(outcome), 0);
  const metrics = metricsOf(
    {
      length: inOrder.length,
      submitS: inOrder.map(({ job }) => job.submittedAtS),
      durationS: inOrder.map(({ job }) => job.durationS),
      gpus: inOrder.map(({ job }) => job.gpus),
      user: inOrder.map(({ job }) => users.get(job.user)!),
      finishS: inOrder.map(({ finishedAtS }) => finishedAtS),
    },
    machine.gpus,
  );
  return {
    policy: policy.name,
    clairvoyant: policy.clairvoyant === true,
    jobs: inOrder.length,
    ...metrics,
    preemptions: sum(({ preemptions }) => preemptions),
    rejected: machine.rejected,
    pauses: sum(({ pauses }) => pauses),
    oom_deaths: sum(({ oomDeaths }) => oomDeaths),
    failures: sum(({ failures }) => failures),
    lost_gpu_s: sum(({ lostS, job }) => lostS * job.gpus),
  };
}
