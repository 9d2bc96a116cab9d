import { FieldError } from '../domain/errors.ts';
import { csvRow, type TraceJob } from '../domain/trace.ts';
import { GPU_TYPES } from '../simulator/interference.ts';
import { DEFAULT_VRAM_MIB, REGIME_NAMES } from '../simulator/regimes.ts';
import { oneOf, wholeFrom } from './checks.ts';
import { fitsOn } from './evaluate/windows.ts';
import type { JobColumns } from './jobColumns.ts';
import { JOBS_HEADER, refuseSameFile, rounded } from './jobsFile.ts';
import { OutputFile } from './outputFile.ts';
import { policyMaker, policyNames } from './policies.ts';
import { type Progress, runTasks } from './pool.ts';
import { seedFor } from './runWorld.ts';
import type { SimulateOptions } from './simulate.ts';
import type { SimulationRow } from './simulationRow.ts';
import type { Task, TaskResult } from './task.ts';
import { traceJobs } from './traceFile.ts';

export interface SimulateMachineOptions extends SimulateOptions {
  readonly regime: string;
  readonly gpuType: string;
  /** Of each GPU; 24 GiB when left out. */
  readonly vramMib?: number;
  /** Whether jobs may share GPUs; as the regime says when left out. */
  readonly share?: boolean;
  /** Of everything that the regime draws. */
  readonly seed: number;
  /** Where the learned policy's weights lie. */
  readonly weightsPath: string;
  /** Threads; one for each core when left out. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

const MOST_GPUS = 64;

/**
 * Runs a trace on the virtual machine in a regime, one policy a thread.
 * @returns a row a policy, in the order of `policies`.
 * @throws {TraceError} for a malformed trace, {FieldError} naming the option for anything else that cannot be used,
 *   {Interrupted} when the signal says so.
 */
export async function simulateMachine(options: SimulateMachineOptions): Promise<SimulationRow[]> {
  const { gpus, vramMib = DEFAULT_VRAM_MIB, stretch, share, jobsFile, weightsPath, workers } = options;
  const regime = oneOf('--regime', options.regime, REGIME_NAMES);
  const gpuType = oneOf('--gpu-type', options.gpuType, GPU_TYPES);
  wholeFrom('gpus', gpus, 1, MOST_GPUS);
  const policies = policyNames(options.policies);
  // Refuses what it cannot make before the trace is read.
  await policyMaker(policies, weightsPath);
  if (jobsFile !== undefined) refuseSameFile(jobsFile, options.path);
  const file = jobsFile === undefined ? null : new OutputFile('--jobs', jobsFile);
  try {
    const all = await traceJobs(options, 'TRACE', options.limit);
    const machine = { gpus, vramMib };
    const jobs = all
      .filter((job) => fitsOn(job, machine))
      .map((job) => ({ ...job, submitS: job.submitS * stretch }));
    if (jobs.length === 0) throw nothingFits(all, machine);
    const tasks = policies.map(
      (policy): Task => ({
        label: options.file,
        jobs,
        rejected: all.length - jobs.length,
        regime,
        options: {
          ...machine,
          seed: seedFor(options.seed, 0),
          gpuType,
          ...(share === undefined ? {} : { share }),
        },
        policies: [policy],
        wantsJobs: file !== null,
      }),
    );
    const { signal, onProgress } = options;
    const pool = {
      total: tasks.length,
      policies,
      weightsPath,
      ...(workers === undefined ? {} : { workers }),
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    };
    const results: TaskResult[] = new Array(tasks.length);
    await runTasks(tasks, pool, (index, [result]) => {
      results[index] = result!;
    });
    if (file !== null) {
      file.write(`${JOBS_HEADER},pauses,oom_deaths,failures,lost_gpu_s,attained_gpu_s\n`);
      for (const { row, jobs: columns } of results) file.write(jobLines(row.policy, jobs, columns!));
      file.keep();
    }
    return results.map(({ row }) => row);
  } finally {
    file?.discard();
  }
}

function nothingFits(jobs: readonly TraceJob[], machine: { gpus: number; vramMib: number }): FieldError {
  const least = jobs.reduce((min, job) => Math.min(min, job.gpus), Number.POSITIVE_INFINITY);
  if (least > machine.gpus) {
    return new FieldError('gpus', machine.gpus, `give at least ${least}: no job asks for fewer`);
  }
  const leastMib = jobs.reduce((min, job) => Math.min(min, job.vramMib ?? 0), Number.POSITIVE_INFINITY);
  return new FieldError('--vram-mib', machine.vramMib, `give more: no job takes less than ${leastMib}`);
}

function jobLines(policy: string, jobs: readonly TraceJob[], columns: JobColumns): string {
  let lines = '';
  jobs.forEach((job, i) => {
    const jctS = columns.finishS[i]! - job.submitS;
    const times = [columns.startS[i]!, columns.finishS[i]!, jctS, Math.max(0, jctS - job.durationS)];
    const costs = [columns.lostGpuS[i]!, columns.attainedGpuS[i]!];
    lines += `${csvRow([
      policy,
      job.jobId,
      rounded(job.submitS),
      job.gpus,
      ...times.map(rounded),
      columns.preemptions[i]!,
      columns.pauses[i]!,
      columns.oomDeaths[i]!,
      columns.failures[i]!,
      ...costs.map(rounded),
    ])}\n`;
  });
  return lines;
}
