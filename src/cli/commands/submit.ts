import { realpathSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { parseBegin } from '../../domain/begin.ts';
import { FieldError } from '../../domain/errors.ts';
import { parseGpuNeed } from '../../domain/gpuNeed.ts';
import type { JobSpecInput } from '../../domain/job.ts';
import { filledJob, unusedParameters } from '../../domain/placeholders.ts';
import type { Point } from '../../domain/sweep.ts';
import type { Dependency } from '../../domain/terms.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { arrays, dependencies, slurmDependencies } from '../dependencies.ts';
import { assignment, duration, integer, memory, type RetryOn, retryOn, signalName } from '../flags.ts';
import { offsetMinAt } from '../period.ts';
import { quoted } from '../quoted.ts';
import { axis, pointsOf, type SweepFlags } from '../sweepFlags.ts';
import { printable } from '../table.ts';

interface Flags extends SweepFlags {
  readonly afterArray?: Dependency[];
  readonly dryRun?: true;
  readonly gpus?: string;
  readonly vram?: number;
  readonly exclusive?: true;
  readonly priority?: number;
  readonly name?: string;
  readonly user?: string;
  readonly project?: string;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly hold?: true;
  readonly estimate?: number;
  readonly begin?: string;
  readonly time?: number;
  readonly retries?: number;
  readonly retryDelay?: number;
  readonly retryOn?: RetryOn;
  readonly deadline?: string;
  readonly restartable?: true;
  readonly checkpointSignal?: string;
  readonly grace?: number;
  readonly after?: Dependency[];
  readonly afterOk?: Dependency[];
  readonly afterAny?: Dependency[];
  readonly afterNotOk?: Dependency[];
  readonly dependency?: Dependency[];
  readonly json?: true;
  readonly data?: string;
}

const HELP = `
The command runs as it stands, without a shell: for pipes or && write \`-- sh -c '…'\`. It sees the GPUs that it was
given as CUDA_VISIBLE_DEVICES. Everything after -- belongs to it.

Prints the job's id alone, or with --json the job; of an array the id of its first job, which is the array's.

With --array, --sweep or --sweep-file, {index} and {NAME} stand for each job's own values in the command, --name and
the values of --env; each job also has STINT_ARRAY_INDEX and STINT_PARAMS. --dry-run shows them.

Examples:
  stint submit -- python train.py --epochs 90
  stint submit --gpus 2 --vram 20GiB --priority 10 --name "resnet, run 3" -- torchrun train.py
  stint submit --gpus 0 -- ./prepare-data.sh
  stint submit --after 12 --time 2d --retries 3 --retry-on 1,137 -- python train.py
  stint submit --begin 22:00 -- python sweep.py
  stint submit --gpus 1-4 --restartable --checkpoint-signal USR1 --grace 2min -- torchrun train.py
  stint submit --gpus 0.5 --deadline "tomorrow 09:00" -- python evaluate.py
  stint submit --array 0-9%2 -- python train.py --fold {index}
  stint submit --sweep lr=1e-3,3e-4 --sweep seed=0..4 --name "lr {lr}" -- python train.py --lr {lr} --seed {seed}
  stint submit --sweep lr=log:1e-5..1e-1 --samples 20 --at-most 4 -- python train.py --lr {lr}
  stint submit --env SEED=7 --env OMP_NUM_THREADS=4 --cwd ~/exp -- python train.py`;

export function registerSubmit(program: Command, context: Context): void {
  clientCommand(program, 'submit', 'Queues a job.')
    .argument('<command...>', 'what to run, after --')
    .passThroughOptions()
    .usage('[options] -- CMD ARGS…')
    .option(
      '--gpus <N>',
      'GPUs it needs, 0 for none (default: 1); 1-4: between so many, as the scheduler sees fit;\n0.5: half of one, to be shared with others',
    )
    .option(
      '--vram <SIZE>',
      'most memory it takes on each GPU, such as 4GiB or 800MiB; then it may share a GPU\n(default: unknown, so it gets its GPUs to itself)',
      memory('--vram'),
    )
    .option('--exclusive', 'never share its GPUs')
    .option(
      '--priority <P>',
      'higher goes first, -1000 to 1000 (default: 0)',
      integer('--priority', -1000, 1000),
    )
    .option('--name <S>', 'shown instead of the command')
    .option('--user <U>', 'whose job it is (default: you)')
    .option('--project <S>', 'groups jobs (default: default)')
    .option('--env <K=V>', 'a variable for the job; may be given often', assignment)
    .option('--cwd <DIR>', 'directory to run in (default: the one you are in)')
    .option('--hold', 'wait until somebody releases it')
    .option('--estimate <T>', 'how long you think it runs, such as 90s, 45min or 2h', duration('--estimate'))
    .option('--begin <T>', 'not before then: +2h, 22:30, "tomorrow 07:00", 2026-11-24 or "2026-11-24 09:00"')
    .option(
      '--time <T>',
      'longest it may run, pauses not counted, such as 2h; then it is ended and has timed out',
      duration('--time'),
    )
    .option(
      '--retries <N>',
      'try it again so often by itself when it fails (default: 0)',
      integer('--retries', 0, 1000),
    )
    .option(
      '--retry-delay <T>',
      'wait before the first of these, twice as long before each further one (default: 30s)',
      duration('--retry-delay'),
    )
    .option(
      '--retry-on <LIST>',
      'only after these exit codes or causes of death, such as 1,137,gpu-memory (default: any exit code but 0)',
      retryOn,
    )
    .option('--after <IDS>', 'start once these have succeeded, such as 12,13', dependencies('--after', 'ok'))
    .option('--after-ok <IDS>', 'the same', dependencies('--after-ok', 'ok'))
    .option('--after-any <IDS>', 'start once these have ended', dependencies('--after-any', 'any'))
    .option('--after-not-ok <IDS>', 'start once these have failed', dependencies('--after-not-ok', 'not-ok'))
    .option(
      '--after-array <IDS>',
      'start once all jobs of these arrays have succeeded',
      arrays('--after-array', 'ok'),
    )
    .option(
      '--dependency <LIST>',
      "the same in Slurm's words, such as afterok:12:13,afterany:14",
      slurmDependencies,
    )
    .option('--deadline <T>', 'when it should have ended, as for --begin: it goes first when time gets short')
    .option('--restartable', 'it may be stopped at any time, and goes on from its checkpoint')
    .option(
      '--checkpoint-signal <S>',
      'what makes it write one and end, such as USR1 (default: TERM)',
      signalName,
    )
    .option(
      '--grace <T>',
      'how long it may take to end before it is killed (default: 10s)',
      duration('--grace'),
    )
    .option('--array <LIST>', 'one job for each index, such as 0-9, 1,3,5-7 or 0-9%2 (two at once)')
    .option(
      '--sweep <NAME=VALUES>',
      'one job for each combination: lr=1e-3,3e-4 or seed=0..4; may be given often',
      axis,
    )
    .option(
      '--sweep-file <FILE>',
      'one job for each line of a CSV file with a head, or each object of a JSON list',
    )
    .option(
      '--samples <K>',
      'so many combinations drawn at random, also from lr=log:1e-5..1e-1 or p=uniform:0..0.5',
      integer('--samples', 1, 10_000),
    )
    .option('--seed <N>', 'draw the same again', integer('--seed', 0, 2 ** 32 - 1))
    .option('--at-most <N>', 'so many of these jobs run at once', integer('--at-most', 1, 10_000))
    .option('--dry-run', 'print what would be queued, and queue nothing')
    .option('--json', 'print the job as JSON')
    .addHelpText('after', HELP)
    .action(async (command: string[], flags: Flags) => {
      const spec = specOf(context, command, flags);
      const sweep = pointsOf(context, flags);
      if (sweep !== null) return submitArray(context, flags, spec, sweep);
      if (flags.dryRun) return preview(context, flags, spec, [{ index: 0, values: {} }]);
      const job = await withEngine(context, flags, (client) => client.jobs.submit(spec));
      context.out(flags.json ? JSON.stringify(job) : String(job.id));
    });
}

async function submitArray(
  context: Context,
  flags: Flags,
  spec: JobSpecInput,
  { points, atMost }: { readonly points: readonly Point[]; readonly atMost: number | null },
): Promise<void> {
  const unused = unusedParameters(spec, Object.keys(points[0]?.values ?? {}));
  if (unused.length > 0) {
    const names = unused.map((name) => `{${name}}`).join(', ');
    context.err(
      `${names} occurs nowhere in the command, its name or variables: jobs find it in STINT_PARAMS only`,
    );
  }
  if (flags.dryRun) return preview(context, flags, spec, points);
  const request = { spec, members: points.map((point) => ({ ...point })), atMost };
  const array = await withEngine(context, flags, (client) => client.arrays.submit(request));
  context.out(flags.json ? JSON.stringify(array) : String(array.id));
}

/** Lines of a preview; who wants all of more has --json. */
const PREVIEWED = 20;

function preview(context: Context, flags: Flags, spec: JobSpecInput, points: readonly Point[]): void {
  const jobs = points.map(({ index, values }) => ({
    index,
    values,
    ...filledJob(
      spec,
      flags.array === undefined && Object.keys(values).length === 0
        ? {}
        : { ...values, index: String(index) },
    ),
  }));
  if (flags.json) return context.out(JSON.stringify(jobs));
  for (const { index, command, name } of jobs.slice(0, PREVIEWED)) {
    const line = `${index}  ${name === null ? '' : `${name}: `}${command.map(quoted).join(' ')}`;
    context.out(printable(line));
  }
  if (jobs.length > PREVIEWED) context.out(`and ${jobs.length - PREVIEWED} more (--json shows them)`);
  context.err(`${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'}, nothing was queued`);
}

function specOf(context: Context, command: readonly string[], flags: Flags): JobSpecInput {
  const { after: ok, afterOk, afterAny, afterNotOk, afterArray, dependency } = flags;
  const after = [ok, afterOk, afterAny, afterNotOk, afterArray, dependency].flatMap((some) => some ?? []);
  if (!flags.retries && (flags.retryDelay !== undefined || flags.retryOn !== undefined)) {
    const [flag, value] =
      flags.retryOn === undefined
        ? ['--retry-delay', `${flags.retryDelay}s`]
        : ['--retry-on', [...flags.retryOn.codes, ...flags.retryOn.causes].join(',')];
    throw new FieldError(flag, value, 'say how often it is tried again, such as --retries 3');
  }
  return {
    command: [...command],
    cwd: directory(context, flags.cwd),
    user: flags.user ?? userInfo().username,
    ...(flags.gpus === undefined ? {} : parseGpuNeed(flags.gpus, '--gpus')),
    ...(flags.vram === undefined ? {} : { vramMib: flags.vram }),
    ...(flags.exclusive ? { exclusive: true } : {}),
    ...(flags.priority === undefined ? {} : { priority: flags.priority }),
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.project === undefined ? {} : { project: flags.project }),
    ...(flags.env === undefined ? {} : { env: flags.env }),
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
  };
}

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
