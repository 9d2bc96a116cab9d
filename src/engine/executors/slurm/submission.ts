import { copyFileSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ExecutorConfig, parseChoice } from '../../../domain/executor.ts';
import type { Job } from '../../../domain/job.ts';
import type { Dependency } from '../../../domain/terms.ts';
import { shellUlimits } from '../../../domain/ulimits.ts';
import { activationScripts } from '../../jobs/activation.ts';
import { jobEnvironment } from '../../jobs/environment.ts';
import { linkOutput } from '../../jobs/linkOutput.ts';
import { RunDirectory } from '../../jobs/runDirectory.ts';
import { makeDirectory } from '../../makeDirectory.ts';
import { resourcePath } from '../../packageRoot.ts';
import { writePrivateFile } from '../../privateFile.ts';

/** Given by Slurm to what it starts, and nobody else's to set. */
const SLURMS_OWN =
  /^(SLURM_|SLURMD_|SBATCH_|CUDA_VISIBLE_DEVICES$|CUDA_DEVICE_ORDER$|ROCR_VISIBLE_DEVICES$|HIP_VISIBLE_DEVICES$|GPU_DEVICE_ORDINAL$|ZE_AFFINITY_MASK$|TMPDIR$)/;
const WORD_OF = { ok: 'afterok', any: 'afterany', 'not-ok': 'afternotok' } as const;
/** Nothing that Slurm writes down may be longer, or be more than one line. */
const LONGEST_NAME = 100;

/** Where the launches of jobs lie: in Stint's own directory, or in one that the nodes see. */
export interface Places {
  /** Stint's own. */
  readonly runPath: (jobId: number, attempt: number) => string;
  readonly home: string;
  /** Which Stint it is, among those that share a directory. */
  readonly homeId: string;
}

/** Directory of a launch as the nodes see it. */
export function sharedRun(places: Places, config: ExecutorConfig, jobId: number, attempt: number): string {
  if (config.directory === null) return places.runPath(jobId, attempt);
  return join(config.directory, `stint-${places.homeId}`, String(jobId), String(attempt));
}

/**
 * Writes down what a job is, where its nodes find it, and nowhere else: Slurm's own records get none of its variables and
 * arguments, which may be secret.
 * @param job with its secrets, at the attempt that is to be.
 */
export function writeTask(
  job: Job,
  places: Places,
  config: ExecutorConfig,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const path = sharedRun(places, config, job.id, job.attempt);
  const run = new RunDirectory(path);
  run.create();
  const here = places.runPath(job.id, job.attempt);
  if (here !== path) {
    makeDirectory(dirname(here), 0o700);
    const beside = `${here}.tmp`;
    symlinkSync(path, beside);
    renameSync(beside, here);
  }
  linkOutput(job, run);
  const variables = Object.entries({
    ...jobEnvironment(job, env, run.checkpointPath),
    STINT_GPUS: String(job.gpus),
    STINT_SUPERVISOR_ACTIVATE: activationScripts(job),
    STINT_SUPERVISOR_PRE: job.preCommand ?? '',
    STINT_SUPERVISOR_POST: job.postCommand ?? '',
    STINT_SUPERVISOR_ULIMITS: shellUlimits(job.ulimits),
  }).filter(([name]) => !SLURMS_OWN.test(name) && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  const lines = [
    ...variables.map(([name, value]) => `export ${name}=${shellWord(value)}`),
    `export SLURM_SUBMIT_DIR=${shellWord(job.cwd)}`,
    // One of an array that goes alone still finds its place in it.
    ...(job.array === null
      ? []
      : [`[ -n "$SLURM_ARRAY_TASK_ID" ] || export SLURM_ARRAY_TASK_ID=${job.array.index}`]),
    `set -- ${[job.cwd, ...job.command].map(shellWord).join(' ')}`,
  ];
  writePrivateFile(join(path, 'task.sh'), `${lines.join('\n')}\n`);
}

const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Puts the supervisor where the nodes find it. @returns its path. */
export function placeSupervisor(places: Places, config: ExecutorConfig): string {
  const path =
    config.directory === null
      ? join(places.home, 'jobs', 'supervisor.sh')
      : join(config.directory, `stint-${places.homeId}`, 'supervisor.sh');
  makeDirectory(dirname(path), 0o700);
  copyFileSync(resourcePath('supervisor.sh'), `${path}.tmp`);
  renameSync(`${path}.tmp`, path);
  return path;
}

/**
 * What Slurm is given to run. It says where a launch lies and nothing of what it is.
 * @param runs of an array by the index there; of one job under null.
 */
export function batchScript(runs: ReadonlyMap<number | null, string>, supervisor: string): string {
  const alone = runs.get(null);
  const where =
    alone !== undefined
      ? [`run=${shellWord(alone)}`]
      : [
          'case $SLURM_ARRAY_TASK_ID in',
          ...[...runs].map(([index, run]) => `${index}) run=${shellWord(run)} ;;`),
          'esac',
        ];
  const body = readFileSync(resourcePath('slurmJob.sh'), 'utf8');
  return ['#!/bin/sh', ...where, `supervisor=${shellWord(supervisor)}`, body].join('\n');
}

export interface Submission {
  /** The first of an array stands for all of it: they ask for the same. */
  readonly job: Job;
  readonly token: string;
  readonly indices: readonly number[] | null;
  /** What Slurm itself is to wait for, by its own numbers. */
  readonly after: readonly { readonly on: Dependency['on']; readonly ids: readonly string[] }[];
  readonly nice: number;
  readonly nowMs: number;
}

/** Arguments of sbatch; the script comes on its stdin. */
export function sbatchArguments(
  { job, token, indices, after, nice, nowMs }: Submission,
  config: ExecutorConfig,
): string[] {
  const partition = parseChoice(job.executor!).part ?? config.partition;
  const waitS = job.beginAtMs === null ? 0 : Math.ceil((job.beginAtMs - nowMs) / 1000);
  const dependencies = after.map(({ on, ids }) => `${WORD_OF[on]}:${ids.join(':')}`).join(',');
  const name = indices === null ? job.name : (job.array?.name ?? job.name);
  return [
    '--parsable',
    `--job-name=${oneLine(name)}`,
    `--comment=${token}`,
    '--output=/dev/null',
    '--chdir=/',
    job.restartable ? '--requeue' : '--no-requeue',
    ...(partition === null ? [] : [`--partition=${partition}`]),
    ...(config.account === null ? [] : [`--account=${config.account}`]),
    ...(config.qos === null ? [] : [`--qos=${config.qos}`]),
    ...(job.gpus === 0 ? [] : [`--gres=${config.gres}:${job.gpus}`]),
    ...(job.timeLimitS === null ? [] : [`--time=${slurmTime(job.timeLimitS)}`]),
    ...(waitS > 0 ? [`--begin=now+${waitS}`] : []),
    ...(dependencies === '' ? [] : [`--dependency=${dependencies}`, '--kill-on-invalid-dep=yes']),
    ...(indices === null ? [] : [`--array=${rangesOf(indices)}${atMostOf(job)}`]),
    ...(nice === 0 ? [] : [`--nice=${nice}`]),
    ...config.options,
    ...job.executorOptions,
  ];
}

const oneLine = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').slice(0, LONGEST_NAME) || 'stint';
const atMostOf = ({ array }: Job): string => (array?.atMost == null ? '' : `%${array.atMost}`);

/** Whole minutes are all that Slurm enforces; it rounds up itself. */
function slurmTime(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const days = Math.floor(whole / 86_400);
  const rest = whole % 86_400;
  return `${days}-${two(Math.floor(rest / 3600))}:${two(Math.floor((rest % 3600) / 60))}:${two(rest % 60)}`;
}

/** `0-9,12`. @param indices ascending. */
export function rangesOf(indices: readonly number[]): string {
  const ranges: string[] = [];
  for (let at = 0; at < indices.length; ) {
    let to = at;
    while (indices[to + 1] === indices[to]! + 1) to++;
    ranges.push(to === at ? `${indices[at]}` : `${indices[at]}-${indices[to]}`);
    at = to + 1;
  }
  return ranges.join(',');
}
