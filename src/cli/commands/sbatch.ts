import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import { readSlurmOptions } from '../../domain/slurm/slurmOptions.ts';
import { clientCommand } from '../clientCommand.ts';
import type { Context } from '../context.ts';
import { type QueueFlags, queueJob } from '../queueJob.ts';
import { withScriptHead } from '../slurm/scriptHead.ts';

const HELP = `
Reads the options of Slurm's sbatch, and those in the script after #SBATCH, and says which have no meaning here. Prints
\`Submitted batch job 12\`, or with --parsable the number alone. \`stint help slurm\`
has the table.

Examples:
  stint sbatch --gres=gpu:1 --time=1-0 job.sh --lr 3e-4
  stint sbatch --array=0-9%2 --output=logs/%A_%a.out job.sh
  stint sbatch -J quick -G 1 --wrap "python train.py"`;

/** `stint sbatch`: for fingers and scripts that know Slurm. */
export function registerSbatch(program: Command, context: Context): void {
  clientCommand(program, 'sbatch', 'Queues a Slurm script, or --wrap CMD, with the options of sbatch.')
    .argument('[words...]', 'options of sbatch, the script, and its arguments')
    .allowUnknownOption()
    .passThroughOptions()
    .usage('[options of sbatch] SCRIPT [ARGS…]')
    .option('--no-preflight', 'queue it without looking whether it could run')
    .option('--json', 'print the job as JSON')
    .addHelpText('after', HELP)
    .action((words: string[], flags: QueueFlags) => {
      const { options, rest } = readSlurmOptions(words, '');
      const wrap = options.findLast(({ name }) => name === 'wrap')?.value ?? null;
      if (wrap === null) checkScript(context, rest[0]);
      else if (rest.length > 0) throw new FieldError('--wrap', wrap, 'give either it or a script');
      const script = withScriptHead(context, rest, {}, options)!;
      const command = wrap === null ? script.command : ['/bin/sh', '-c', wrap];
      for (const note of script.notes) context.err(note);
      const parsable = options.some(({ name }) => name === 'parsable');
      return queueJob(context, command, { ...flags, ...script.flags }, (id) =>
        parsable ? String(id) : `Submitted batch job ${id}`,
      );
    });
}

function checkScript(context: Context, script: string | undefined): void {
  const remedy = 'give a script that exists and begins with #!, or a command with --wrap';
  if (script === undefined) throw new FieldError('script', undefined, remedy);
  try {
    const path = resolve(context.callerDir, script);
    if (statSync(path).isFile() && readFileSync(path).subarray(0, 2).toString() === '#!') return;
  } catch (error) {
    throw new FieldError('script', script, `${remedy} (${(error as NodeJS.ErrnoException).code})`);
  }
  throw new FieldError('script', script, remedy);
}
