import { realpathSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { parseBegin } from '../domain/begin.ts';
import { FieldError } from '../domain/errors.ts';
import { parseGpuNeed } from '../domain/gpuNeed.ts';
import type { JobSpecInput } from '../domain/job.ts';
import type { Context } from './context.ts';
import { envFromFiles } from './envFromFiles.ts';
import { exported } from './exported.ts';
import { offsetMinAt } from './period.ts';
import type { SubmitFlags } from './submitOptions.ts';

/**
 * The job that the flags ask for.
 * @param command what to run, argv.
 * @throws {FieldError} naming the flag.
 */
export function jobSpec(context: Context, command: readonly string[], flags: SubmitFlags): JobSpecInput {
  const { after: ok, afterOk, afterAny, afterNotOk, afterArray, dependency } = flags;
  const after = [ok, afterOk, afterAny, afterNotOk, afterArray, dependency].flatMap((some) => some ?? []);
  if (!flags.retries && (flags.retryDelay !== undefined || flags.retryOn !== undefined)) {
    const [flag, value] =
      flags.retryOn === undefined
        ? ['--retry-delay', `${flags.retryDelay}s`]
        : ['--retry-on', [...flags.retryOn.codes, ...flags.retryOn.causes].join(',')];
    throw new FieldError(flag, value, 'say how often it is tried again, such as --retries 3');
  }
  const env = { ...exported(context, flags.export), ...envFromFiles(context, flags.envFile), ...flags.env };
  const cwd = directory(context, flags.cwd);
  return {
    command: [...command],
    cwd,
    user: flags.user ?? userInfo().username,
    ...(flags.gpus === undefined ? {} : parseGpuNeed(flags.gpus, '--gpus')),
    ...(flags.vram === undefined ? {} : { vramMib: flags.vram }),
    ...(flags.exclusive ? { exclusive: true } : {}),
    ...(flags.priority === undefined ? {} : { priority: flags.priority }),
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.project === undefined ? {} : { project: flags.project }),
    ...(flags.tag === undefined ? {} : { tags: flags.tag }),
    ...(Object.keys(env).length === 0 ? {} : { env }),
    ...(flags.hold ? { hold: true } : {}),
    ...(flags.estimate === undefined ? {} : { estimateS: flags.estimate }),
    ...(flags.begin === undefined ? {} : { beginAtMs: momentOf(context, flags.begin, '--begin') }),
    ...(flags.time === undefined ? {} : { timeLimitS: flags.time }),
    ...(flags.retries === undefined ? {} : { retries: flags.retries }),
    ...(flags.retryDelay === undefined ? {} : { retryDelayS: flags.retryDelay }),
    ...(flags.retryOn?.codes.length ? { retryOn: [...flags.retryOn.codes] } : {}),
    ...(flags.retryOn?.causes.length ? { retryOnDiagnoses: [...flags.retryOn.causes] } : {}),
    ...(after.length === 0 ? {} : { after }),
    ...(flags.deadline === undefined
      ? {}
      : { deadlineAtMs: momentOf(context, flags.deadline, '--deadline') }),
    ...(flags.restartable ? { restartable: true } : {}),
    ...(flags.checkpointSignal === undefined
      ? {}
      : { checkpointSignal: flags.checkpointSignal as JobSpecInput['checkpointSignal'] }),
    ...(flags.grace === undefined ? {} : { graceS: flags.grace }),
    ...(flags.executor === undefined ? {} : { executor: flags.executor }),
    ...(flags.slurm === undefined ? {} : { executorOptions: flags.slurm }),
    ...(flags.snapshot ? { snapshot: true } : {}),
    ...(flags.venv === undefined ? {} : { venv: resolve(context.callerDir, flags.venv) }),
    ...(flags.conda === undefined ? {} : { conda: condaOf(context, flags.conda) }),
    ...(flags.pre === undefined ? {} : { preCommand: flags.pre }),
    ...(flags.post === undefined ? {} : { postCommand: flags.post }),
    ...(flags.ulimit === undefined ? {} : { ulimits: flags.ulimit }),
    ...(flags.output === undefined ? {} : { outputPath: outputPath(cwd, flags.output) }),
  };
}

/** A name, unless it is written as a path. */
const condaOf = (context: Context, flag: string): string =>
  flag.includes('/') ? resolve(context.callerDir, flag) : flag;

const momentOf = (context: Context, text: string, flag: string): number =>
  parseBegin(text, flag, { nowMs: context.nowMs(), offsetMinAt });

/** The real path, because a link may point elsewhere by the time that the job starts. */
function directory(context: Context, flag: string | undefined): string {
  const path = resolve(context.callerDir, flag ?? '.');
  try {
    const real = realpathSync(path);
    if (statSync(real).isDirectory()) return real;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new FieldError('--cwd', path, `give a directory that exists and that you may enter (${code})`);
  }
  throw new FieldError('--cwd', path, 'give a directory; that is a file');
}

/** As Slurm reads it: relative to the directory that the job runs in. */
function outputPath(cwd: string, flag: string): string {
  if (flag.trim() === '' || flag.endsWith('/')) throw new FieldError('--output', flag, 'name a file');
  return resolve(cwd, flag);
}
