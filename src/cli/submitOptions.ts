import type { Command } from 'commander';
import { parseTags } from '../domain/parseTags.ts';
import { arrays, dependencies, slurmDependencies } from '../domain/readDependencies.ts';
import { type RetryOn, retryOn } from '../domain/retryOn.ts';
import { signalName } from '../domain/signalName.ts';
import type { Dependency } from '../domain/terms.ts';
import { parseUlimit } from '../domain/ulimits.ts';
import type { Ulimits } from '../domain/ulimitsSchema.ts';
import { assignment, duration, integer, memory } from './flags.ts';
import { axis, type SweepFlags } from './sweepFlags.ts';

/** What the command line, or the head of a script, says of a job. */
export interface SubmitFlags extends SweepFlags {
  readonly afterArray?: Dependency[];
  readonly gpus?: string;
  readonly vram?: number;
  readonly exclusive?: true;
  readonly priority?: number;
  readonly name?: string;
  readonly user?: string;
  readonly project?: string;
  readonly tag?: string[];
  readonly env?: Record<string, string>;
  readonly envFile?: string[];
  readonly secretsFrom?: number;
  readonly snapshot?: true;
  readonly venv?: string;
  readonly conda?: string;
  readonly pre?: string;
  readonly post?: string;
  readonly ulimit?: Ulimits;
  readonly executor?: string;
  readonly slurm?: string[];
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
  readonly output?: string;
  readonly export?: string;
  readonly after?: Dependency[];
  readonly afterOk?: Dependency[];
  readonly afterAny?: Dependency[];
  readonly afterNotOk?: Dependency[];
  readonly dependency?: Dependency[];
}

/** Adds the options that say what a job is. A script may have them in its head, after `#STINT`. */
export function submitOptions(command: Command): Command {
  return command
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
    .option('--tag <A,B>', 'words to find it by; may be given often', (text: string, before: string[] = []) =>
      parseTags(text, '--tag', before),
    )
    .option('--env <K=V>', 'a variable for the job; may be given often', assignment)
    .option(
      '--env-file <FILE>',
      'variables from a file, a NAME=VALUE a line; --env goes first. May be given often',
      (file: string, before: string[] = []) => [...before, file],
    )
    .option(
      '--secrets-from <ID>',
      'what stands as [secret:1] and the like is what it is in that job',
      integer('--secrets-from', 1, Number.MAX_SAFE_INTEGER),
    )
    .option(
      '--snapshot',
      'run it from a copy of the code as it is now, so that later edits change nothing for it',
    )
    .option('--venv <DIR>', 'run it in this virtual environment of Python')
    .option('--conda <NAME>', 'run it in this conda environment, by its name or its directory')
    .option('--pre <CMD>', 'a shell runs this first, at each attempt; where it fails, the command is not run')
    .option(
      '--post <CMD>',
      'a shell runs this afterwards, however it ended; STINT_EXIT_CODE is its exit code',
    )
    .option(
      '--ulimit <NAME=SOFT[:HARD]>',
      'a limit of the kernel, such as nofile=65536, as=64GiB, core=0 or cpu=2h; may be given often',
      (text: string, before: Ulimits = {}) => ({ ...before, ...parseUlimit(text, '--ulimit') }),
    )
    .option(
      '--on, --executor <NAME>',
      'hand it over to this executor, or to a partition of it: cluster, cluster:gpu (default: run it here)',
    )
    .option(
      '--slurm <OPTION>',
      'of sbatch, for an executor that is a Slurm, such as --slurm=--mem=32G; may be given often',
      (text: string, before: string[] = []) => [...before, text],
    )
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
    .option(
      '--output <FILE>',
      'where its output is to be found as well, such as logs/%j.out: %j is its number, %A and %a its array\nand its index, %x its name',
    )
    .option(
      '--export <LIST>',
      "variables of your shell that go with it: ALL, or names, also with a value, such as PATH,SEED=7\n(default: none; it has the engine's)",
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
    .option('--at-most <N>', 'so many of these jobs run at once', integer('--at-most', 1, 10_000));
}
