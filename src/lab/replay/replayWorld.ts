import type { SimulatedJob, SimulatedWorld } from '../../simulator/world.ts';
import type { RecordedJob, Recording } from './record.ts';

/** To load a checkpoint, and the work between two: nothing in the record tells, since nobody was preempted. */
export const ASSUMED_RESTART_S = 60;
export const ASSUMED_CHECKPOINT_EVERY_S = 600;
/** As the live engine takes a submitter's guess: rarely better than a factor of three. */
const GUESS_FACTOR = 3;

export interface ReplayMachine {
  /** Memory of each device. */
  readonly devicesMib: readonly number[];
  /** From a start to the job's own time. Seconds. */
  readonly startS: number;
}

/**
 * The recorded jobs on a simulated machine. They keep their ids, and so their places in the queue. Each takes as long as
 * it did, whoever is beside it: its time was measured with the neighbours that it had.
 * @param restartable whether jobs can be stopped and go on from a checkpoint: all, or none.
 * @param jobs none larger than the machine.
 */
export function replayWorld(
  jobs: readonly RecordedJob[],
  originMs: Recording['originMs'],
  machine: ReplayMachine,
  restartable: boolean,
): SimulatedWorld {
  return {
    devicesMib: machine.devicesMib,
    startS: machine.startS,
    speedBeside: () => 1,
    jobs: jobs.map((job) => simulatedJob(job, originMs, restartable)),
  };
}

function simulatedJob(job: RecordedJob, originMs: number, restartable: boolean): SimulatedJob {
  const { id, gpus, vramMib, exclusive, priority, user, estimateS } = job;
  return {
    id,
    submittedAtS: (job.readyAtMs - originMs) / 1000,
    durationS: job.runS,
    predicted:
      estimateS === null
        ? null
        : { p10S: estimateS / GUESS_FACTOR, p50S: estimateS, p90S: estimateS * GUESS_FACTOR },
    gpus,
    vramMib,
    exclusive,
    priority,
    user,
    ...(restartable
      ? { restartable: true, restartS: ASSUMED_RESTART_S, checkpointEveryS: ASSUMED_CHECKPOINT_EVERY_S }
      : {}),
  };
}

/** Whether an empty machine could run the job. */
export const fitsMachine = (job: RecordedJob, devicesMib: readonly number[]): boolean =>
  devicesMib.filter((mib) => mib >= (job.vramMib ?? 0)).length >= job.gpus;
