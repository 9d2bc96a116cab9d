import type { Job } from '../../domain/job.ts';

/** Set for the engine by its own surroundings; a job must not see them. */
const NOT_FOR_JOBS =
  /^(npm_|INIT_CWD$|ELECTRON_|CHROME_|GOOGLE_API_KEY$|NODE_OPTIONS$|NODE_CHANNEL_FD$|STINT_NVML_LIBRARY$|STINT_NVIDIA_SMI$)/;

/**
 * What a job's command sees: the engine's environment, the job's own variables, and the devices it was given,
 * by UUID in the order of the PCI bus, so that index 0 means the same everywhere.
 */
export function jobEnvironment(
  job: Job,
  engineEnv: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(engineEnv)) {
    if (value !== undefined && !NOT_FOR_JOBS.test(name)) env[name] = value;
  }
  return {
    ...env,
    // Otherwise Python holds its progress back in a buffer, and the console would show nothing for minutes.
    PYTHONUNBUFFERED: '1',
    ...job.env,
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    CUDA_VISIBLE_DEVICES: job.devices.join(','),
    STINT_JOB_ID: String(job.id),
    STINT_ATTEMPT: String(job.attempt),
  };
}
