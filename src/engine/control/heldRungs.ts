import type { Device } from '../../domain/device.ts';
import { ConflictError } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import type { HeldRung } from '../../domain/rungs.ts';
import { isAlive } from '../jobs/processes.ts';
import type { Cgroups } from './cgroups.ts';
import { nicenessOf, niceTrouble, setNiceness } from './niceness.ts';
import { checkPowerIsIts, type PowerLimits } from './powerLimits.ts';

/** One way to slow a job down that kernel or driver keep to by themselves. */
export interface Held {
  /** Why it does not work on this machine, and what would help; null: it does. */
  trouble(): Promise<string | null>;
  /** @throws {ConflictError} where it works here, but not for this job. */
  check(job: Job): void | Promise<void>;
  /** Said again, it does no harm. @throws {Error} where it could not be done. */
  hold(job: Job, share: number): void | Promise<void>;
  /** Undoes it, also for a job that is over. */
  letGo(job: Job, share: number): void | Promise<void>;
  /** Undoes what an engine that was killed left of jobs that are not held any more. */
  sweep?(isHeld: (jobId: number) => boolean): Promise<void>;
}

export interface HeldRungParts {
  readonly cgroups: Cgroups;
  readonly power: PowerLimits;
  readonly devices: () => readonly Device[];
}

export function heldRungs({ cgroups, power, devices }: HeldRungParts): Readonly<Record<HeldRung, Held>> {
  return {
    'cpu-quota': {
      trouble: () => cgroups.cpuTrouble(),
      check: async (job) => void (await cgroups.gather(job)),
      hold: async (job, share) => {
        await cgroups.gather(job);
        if (!cgroups.limitCpu(job, share)) throw new Error('its control group is gone');
      },
      letGo: (job) => void cgroups.limitCpu(job, null),
    },
    nice: {
      trouble: async () => niceTrouble(),
      check: () => undefined,
      hold: (job, share) => setNiceness(processOf(job), nicenessOf(share)),
      letGo: (job, share) => {
        if (job.process !== null && isAlive(job.process)) setNiceness(job.process, 0, nicenessOf(share));
      },
    },
    'gpu-power': {
      trouble: () => power.trouble(),
      check: (job) => checkPowerIsIts(job, devices()),
      hold: (job, share) => power.lower(job, share),
      letGo: ({ id }) => power.restore((jobId) => jobId === id),
      sweep: (isHeld) => power.restore((jobId) => !isHeld(jobId)),
    },
  };
}

function processOf({ id, process }: Job): NonNullable<Job['process']> {
  if (process !== null) return process;
  throw new ConflictError(`job ${id} has no process`, 'wait until it runs');
}
