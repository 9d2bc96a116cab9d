import { Command, type CommanderError } from 'commander';
import { CliError, STATUS } from './cliError.ts';
import type { Context } from './context.ts';
import { version } from './version.ts';

type Register = (program: Command, context: Context) => void | Promise<void>;

/** Which file has which commands, in the order of the help. Only the one that is called for is loaded. */
const GROUPS: readonly { readonly names: readonly string[]; readonly load: () => Promise<Register> }[] = [
  { names: ['serve'], load: async () => (await import('./commands/serve.ts')).registerServe },
  { names: ['submit', 'add'], load: async () => (await import('./commands/submit.ts')).registerSubmit },
  { names: ['sbatch'], load: async () => (await import('./commands/sbatch.ts')).registerSbatch },
  { names: ['ls', 'squeue', 'show'], load: async () => (await import('./commands/jobs.ts')).registerJobs },
  { names: ['logs', 'wait'], load: async () => (await import('./commands/follow.ts')).registerFollow },
  { names: ['attach'], load: async () => (await import('./commands/attach.ts')).registerAttach },
  { names: ['metrics'], load: async () => (await import('./commands/metrics.ts')).registerMetrics },
  {
    names: [
      'start',
      'pin',
      'pause',
      'resume',
      'throttle',
      'rungs',
      'preempt',
      'cancel',
      'undo',
      'scancel',
      'kill',
      'retry',
      'hold',
      'release',
      'priority',
    ],
    load: async () => (await import('./commands/control.ts')).registerControl,
  },
  { names: ['top'], load: async () => (await import('./commands/top.ts')).registerTop },
  {
    names: ['devices', 'status', 'console'],
    load: async () => (await import('./commands/machine.ts')).registerMachine,
  },
  { names: ['device'], load: async () => (await import('./commands/device.ts')).registerDevice },
  {
    names: ['reserve', 'reservations', 'unreserve'],
    load: async () => (await import('./commands/reserve.ts')).registerReserve,
  },
  { names: ['df', 'cleanup'], load: async () => (await import('./commands/keeping.ts')).registerKeeping },
  { names: ['settings'], load: async () => (await import('./commands/settings.ts')).registerSettings },
  {
    names: ['policy', 'drain', 'preemption', 'interference', 'why', 'decisions', 'episodes'],
    load: async () => (await import('./commands/scheduler.ts')).registerScheduler,
  },
  { names: ['starts'], load: async () => (await import('./commands/starts.ts')).registerStarts },
  { names: ['usage'], load: async () => (await import('./commands/usage.ts')).registerUsage },
  { names: ['goals'], load: async () => (await import('./commands/goals.ts')).registerGoals },
  { names: ['doctor'], load: async () => (await import('./commands/doctor.ts')).registerDoctor },
  { names: ['notify'], load: async () => (await import('./commands/notify.ts')).registerNotify },
  { names: ['executor'], load: async () => (await import('./commands/executor.ts')).registerExecutor },
  { names: ['backup', 'restore'], load: async () => (await import('./commands/backup.ts')).registerBackup },
  { names: ['service'], load: async () => (await import('./commands/service.ts')).registerService },
  { names: ['mcp'], load: async () => (await import('./commands/mcp.ts')).registerMcp },
  {
    names: ['template'],
    load: async () => (await import('./commands/template.ts')).registerTemplate,
  },
  { names: ['token'], load: async () => (await import('./commands/token.ts')).registerToken },
  { names: ['replay'], load: async () => (await import('./commands/replay.ts')).registerReplay },
  { names: ['export'], load: async () => (await import('./commands/export.ts')).registerExport },
  { names: ['simulate'], load: async () => (await import('./commands/simulate.ts')).registerSimulate },
  { names: ['generate'], load: async () => (await import('./commands/generate.ts')).registerGenerate },
  { names: ['evaluate'], load: async () => (await import('./commands/evaluate.ts')).registerEvaluate },
  { names: ['train'], load: async () => (await import('./commands/train.ts')).registerTrain },
  { names: ['deeprm'], load: async () => (await import('./commands/deeprm.ts')).registerDeeprm },
  { names: ['help'], load: async () => (await import('./commands/help.ts')).registerHelp },
  { names: ['schema'], load: async () => (await import('./commands/schema.ts')).registerSchema },
  { names: ['completion'], load: async () => completion },
];

const completion: Register = async (program, context) => {
  const { registerCompletion } = await import('./commands/completion.ts');
  registerCompletion(program, context, () => createProgram(context, undefined));
};

/** True: a command, or another name of one. */
export const isCommand = (name: string | undefined): boolean =>
  GROUPS.some(({ names }) => name !== undefined && names.includes(name));

const ENDING = `
Examples:
  stint serve                                        start the engine and the console's page
  stint submit --gpus 1 --vram 4GiB -- python train.py --epochs 90
  stint ls                                           what runs, what waits and why
  stint logs -f 12                                   follow the output of job 12
  id=$(stint submit -- ./prepare.sh) && stint wait $id && stint submit -- ./train.sh

Every command takes --help, and each that works with an engine --data DIR, else $STINT_HOME, else the
platform's data directory, to find it. Results go to stdout, everything else to stderr.

Exit status: 0 all well; 1 it did not work; 2 wrong usage or input; 3 no engine is running. \`wait\` answers with
the job's own status instead (\`stint help exit-codes\`). \`stint help\` lists the pages of the manual.`;

/**
 * The command line.
 * @param called the first argument: only that command is loaded, or all of them for the help.
 * @throws from parsing: {CliError}, and whatever the commands throw.
 */
export async function createProgram(context: Context, called: string | undefined): Promise<Command> {
  const program = new Command('stint');
  program
    .description(
      'Queues deep-learning jobs on the GPUs of this machine, and starts each when its turn comes.',
    )
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this, or the help of a command')
    .helpCommand(false)
    .enablePositionalOptions()
    .showSuggestionAfterError(true)
    .addHelpText('after', ENDING)
    .action(() => {
      if (program.args.length > 0) throw usage(program, `no such command: ${program.args[0]}`);
      throw usage(program, 'give a command, such as `stint ls`');
    })
    .argument('[command...]')
    .usage('COMMAND [options]');
  const group = GROUPS.find(({ names }) => called !== undefined && names.includes(called));
  const groups = group ? [group] : called === '--version' || called === '-V' ? [] : GROUPS;
  for (const { load } of groups) await (await load())(program, context);
  for (const command of withAllBelow(program)) {
    command.configureOutput({
      writeOut: (text) => context.write(text),
      writeErr: () => undefined,
      outputError: () => undefined,
    });
    command.exitOverride((error) => endOf(command, error));
  }
  return program;
}

const withAllBelow = (command: Command): Command[] => [command, ...command.commands.flatMap(withAllBelow)];

/** Turns commander's way of ending into ours. */
function endOf(command: Command, error: CommanderError): never {
  // Help or version: that is all that was asked for.
  if (error.exitCode === 0) throw error;
  throw usage(command, error.message.replace(/^error:\s*/, '').replace(/\s*\n\s*/g, ' '));
}

function usage(command: Command, problem: string): CliError {
  const path: string[] = [];
  for (let one: Command | null = command; one; one = one.parent) path.unshift(one.name());
  return new CliError(STATUS.badUsage, problem, `see \`${path.join(' ')} --help\``);
}
