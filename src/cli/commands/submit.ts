import type { Command } from 'commander';
import { clientCommand } from '../clientCommand.ts';
import type { Context } from '../context.ts';
import { type QueueFlags, queueJob } from '../queueJob.ts';
import { withScriptHead } from '../slurm/scriptHead.ts';
import { submitOptions } from '../submitOptions.ts';

interface Flags extends QueueFlags {
  /** False: what the script's head asks for is left out. */
  readonly headers: boolean;
}

const HELP = `
The command runs as it stands, without a shell: for pipes or && write \`-- sh -c '…'\`. It sees the GPUs that it was
given as CUDA_VISIBLE_DEVICES. Everything after -- belongs to it.

Prints the job's id alone, or with --json the job; of an array the id of its first job, which is the array's.

With --array, --sweep or --sweep-file, {index} and {NAME} stand for each job's own values in the command, --name and
the values of --env; each job also has STINT_ARRAY_INDEX and STINT_PARAMS. --dry-run shows them.

A script may say what it needs itself, in lines before its first command: #STINT with the options above, or #SBATCH
with those of Slurm (\`stint help slurm\`). What is given here goes first. It is run as it stands when the job starts.

Examples:
  stint submit -- python train.py --epochs 90
  stint submit --gpus 2 --vram 20GiB --priority 10 --name "resnet, run 3" -- torchrun train.py
  stint submit --gpus 0 -- ./prepare-data.sh
  stint submit --after 12 --time 2d --retries 3 --retry-on 1,137 -- python train.py
  stint submit --begin 22:00 -- python sweep.py
  stint submit --snapshot -- python train.py      from a copy: go on editing
  stint submit --gpus 1-4 --restartable --checkpoint-signal USR1 --grace 2min -- torchrun train.py
  stint submit --gpus 0.5 --deadline "tomorrow 09:00" -- python evaluate.py
  stint submit --array 0-9%2 -- python train.py --fold {index}
  stint submit --sweep lr=1e-3,3e-4 --sweep seed=0..4 --name "lr {lr}" -- python train.py --lr {lr} --seed {seed}
  stint submit --sweep lr=log:1e-5..1e-1 --samples 20 --at-most 4 -- python train.py --lr {lr}
  stint submit job.sh                 with what its #SBATCH or #STINT lines ask for
  stint submit --env SEED=7 --env OMP_NUM_THREADS=4 --cwd ~/exp -- python train.py`;

export function registerSubmit(program: Command, context: Context): void {
  submitOptions(clientCommand(program, 'submit', 'Queues a job.'))
    .alias('add')
    .argument('<command...>', 'what to run, after --')
    .passThroughOptions()
    .usage('[options] -- CMD ARGS…')
    .option('--no-headers', 'do not read #SBATCH and #STINT in a script')
    .option('--no-preflight', 'queue it without looking whether it could run')
    .option('--dry-run', 'print what would be queued, and queue nothing')
    .option('--json', 'print the job as JSON')
    .addHelpText('after', HELP)
    .action((given: string[], flags: Flags) => {
      const script = flags.headers ? withScriptHead(context, given, flags) : null;
      for (const note of script?.notes ?? []) context.err(note);
      return queueJob(context, script?.command ?? given, { ...flags, ...script?.flags });
    });
}
