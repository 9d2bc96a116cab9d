import type { Job } from '../../domain/job.ts';
import { visibleDevices } from '../../domain/visibleDevices.ts';
import { activation } from './activation.ts';

/** Set for the engine by its own surroundings; a job must not see them. */
const NOT_FOR_JOBS =
  /^(npm_|INIT_CWD$|ELECTRON_|CHROME_|GOOGLE_API_KEY$|NODE_OPTIONS$|NODE_CHANNEL_FD$|STINT_NVML_LIBRARY$|STINT_NVIDIA_SMI$|STINT_KERNEL_LOG$|STINT_NVIDIA_PROC$)/;

/**
 * What a job's command sees: the engine's environment, the job's own variables, and the devices it was given,
 * by UUID in the order of the PCI bus, so that index 0 means the same everywhere.
 * @param checkpointDir the same for all of its attempts.
 */
export function jobEnvironment(
  job: Job,
  engineEnv: Readonly<Record<string, string | undefined>>,
  checkpointDir: string,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(engineEnv)) {
    if (value !== undefined && !NOT_FOR_JOBS.test(name)) env[name] = value;
  }
  const visible: Record<string, string> = {};
  const own = { ...job.env };
  for (const [name, value] of Object.entries(visibleDevices(job.devices))) {
    delete env[name];
    delete own[name];
    if (value !== null) visible[name] = value;
  }
  const entered = activation(job, { ...env, ...own });
  if (job.venv !== null) for (const all of [env, own]) delete all.PYTHONHOME;
  return {
    ...env,
    // Otherwise Python holds its progress back in a buffer, and the console would show nothing for minutes.
    PYTHONUNBUFFERED: '1',
    // Where it keeps what it goes on from; a job may have a place of its own for that.
    STINT_CHECKPOINT_DIR: checkpointDir,
    ...own,
    ...entered,
    ...visible,
    STINT_JOB_ID: String(job.id),
    // Where it was submitted; it may run from a copy of that.
    STINT_SUBMIT_DIR: job.cwd,
    STINT_ATTEMPT: String(job.attempt),
    // 0: there is nothing to go on from.
    STINT_RESTART_COUNT: String(job.attempt - 1),
    ...arrayVariables(job),
    ...slurmVariables(job),
    STINT_GPUS: String(job.devices.length),
  };
}

/** Which job of its array it is, and its parameters. */
function arrayVariables({ array }: Job): Record<string, string> {
  if (array === null) return {};
  return {
    STINT_ARRAY_ID: String(array.id),
    STINT_ARRAY_INDEX: String(array.index),
    STINT_ARRAY_SIZE: String(array.size),
    STINT_PARAMS: JSON.stringify(array.values),
  };
}

/** A Slurm script finds itself under the names that it knows; `stint submit` marks one by its directory. */
function slurmVariables(job: Job): Record<string, string> {
  if (job.env.SLURM_SUBMIT_DIR === undefined) return {};
  const array: Record<string, string> =
    job.array === null
      ? {}
      : {
          SLURM_ARRAY_JOB_ID: String(job.array.id),
          SLURM_ARRAY_TASK_ID: String(job.array.index),
          SLURM_ARRAY_TASK_COUNT: String(job.array.size),
        };
  return {
    SLURM_JOB_ID: String(job.id),
    SLURM_JOBID: String(job.id),
    SLURM_JOB_NAME: job.name,
    SLURM_GPUS_ON_NODE: String(job.devices.length),
    SLURM_RESTART_COUNT: String(job.attempt - 1),
    ...array,
  };
}
