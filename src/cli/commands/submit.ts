import { realpathSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import type { JobSpecInput } from '../../domain/job.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { assignment, duration, integer, memory } from '../flags.ts';

interface Flags {
  readonly gpus?: number;
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
  readonly json?: true;
  readonly data?: string;
}

const HELP = `
The command runs as it stands, without a shell: for pipes or && write \`-- sh -c '…'\`. It sees the GPUs that it was
given as CUDA_VISIBLE_DEVICES. Everything after -- belongs to it.

Prints the job's id alone, or with --json the job.

Examples:
  stint submit -- python train.py --epochs 90
  stint submit --gpus 2 --vram 20GiB --priority 10 --name "resnet, run 3" -- torchrun train.py
  stint submit --gpus 0 -- ./prepare-data.sh
  stint submit --env SEED=7 --env OMP_NUM_THREADS=4 --cwd ~/exp -- python train.py`;

export function registerSubmit(program: Command, context: Context): void {
  clientCommand(program, 'submit', 'Queues a job.')
    .argument('<command...>', 'what to run, after --')
    .passThroughOptions()
    .usage('[options] -- CMD ARGS…')
    .option('--gpus <N>', 'GPUs it needs, 0 for none (default: 1)', integer('--gpus', 0, 64))
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
    .option('--json', 'print the job as JSON')
    .addHelpText('after', HELP)
    .action(async (command: string[], flags: Flags) => {
      const spec = specOf(context, command, flags);
      const job = await withEngine(context, flags, (client) => client.jobs.submit(spec));
      context.out(flags.json ? JSON.stringify(job) : String(job.id));
    });
}

function specOf(context: Context, command: readonly string[], flags: Flags): JobSpecInput {
  return {
    command: [...command],
    cwd: directory(context, flags.cwd),
    user: flags.user ?? userInfo().username,
    ...(flags.gpus === undefined ? {} : { gpus: flags.gpus }),
    ...(flags.vram === undefined ? {} : { vramMib: flags.vram }),
    ...(flags.exclusive ? { exclusive: true } : {}),
    ...(flags.priority === undefined ? {} : { priority: flags.priority }),
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.project === undefined ? {} : { project: flags.project }),
    ...(flags.env === undefined ? {} : { env: flags.env }),
    ...(flags.hold ? { hold: true } : {}),
    ...(flags.estimate === undefined ? {} : { estimateS: flags.estimate }),
  };
}

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
