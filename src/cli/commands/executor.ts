import type { Command } from 'commander';
import type { ExecutorCheck, ExecutorOrder, ExecutorView } from '../../domain/executor.ts';
import { CliError, STATUS } from '../cliError.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { duration, integer } from '../flags.ts';
import { formatTime } from '../formatTime.ts';
import { type Column, renderPairs, renderTable } from '../table.ts';
import { watched } from '../watched.ts';

interface Flags {
  readonly json?: true;
  readonly data?: string;
}

interface AddFlags extends Flags {
  readonly name: string;
  readonly bin?: string;
  readonly conf?: string;
  readonly partition?: string;
  readonly account?: string;
  readonly qos?: string;
  readonly gres?: string;
  readonly option?: string[];
  readonly directory?: string;
  readonly poll?: number;
  readonly timeout?: number;
  readonly nice?: number;
  readonly atMostPending?: number;
}

const ADD_HELP = `
The Slurm is there already: Stint speaks to it by sbatch, squeue, scontrol and scancel on this machine, as you. Its nodes must
see Stint's data directory under the same name, or another one that --directory names.

Examples:
  stint executor add slurm --partition gpu --gres gpu:a100
  stint executor add slurm --name big --bin /opt/slurm/bin --directory /scratch/ada
  stint executor test slurm && stint submit --on slurm --gpus 2 --time 1d -- python train.py`;

/** `stint executor`: other queues that jobs may be handed over to. */
export function registerExecutor(program: Command, context: Context): void {
  const executor = program
    .command('executor')
    .description('Names other queues, such as a Slurm, that jobs may be handed over to.');

  clientCommand(executor, 'add', 'Adds one. Nothing is handed over but what is submitted with --on NAME.')
    .argument('<KIND>', 'slurm')
    .option('--name <NAME>', 'what you call it', 'slurm')
    .option('--bin <DIR>', 'where sbatch and the others are (default: on PATH)')
    .option('--conf <FILE>', "its slurm.conf (default: the system's)")
    .option('--partition <P>', "for jobs that name none (default: Slurm's own)")
    .option('--account <A>', 'who is charged')
    .option('--qos <Q>', 'with this quality of service')
    .option('--gres <NAME>', 'what GPUs are called there, such as gpu:a100 (default: gpu)')
    .option(
      '--option <OPTION>',
      'of sbatch, for every job, such as --option=--constraint=nvlink; may be given often',
      (text: string, before: string[] = []) => [...before, text],
    )
    .option('--directory <DIR>', "that its nodes see too (default: Stint's data directory)")
    .option('--poll <T>', 'between two looks while it has jobs (default: 2s)', duration('--poll'))
    .option('--timeout <T>', 'for each of its commands (default: 20s)', duration('--timeout'))
    .option(
      '--nice <N>',
      'the policy orders what is pending there with nice from 0 to N (default: 0, it does not)',
      integer('--nice', 0, 1_000_000),
    )
    .option(
      '--at-most-pending <N>',
      'no more are pending there at once, the others wait here (default: all)',
      integer('--at-most-pending', 1, 100_000),
    )
    .option('--json', 'print it as JSON')
    .addHelpText('after', ADD_HELP)
    .action((kind: string, flags: AddFlags) =>
      withEngine(context, flags, async (client) => {
        const { name, bin, conf, partition, account, qos, gres, directory } = flags;
        const given = { bin, conf, partition, account, qos, gres, directory };
        const made = await client.executors.add({
          name,
          kind: kind as 'slurm',
          ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
          ...(flags.option === undefined ? {} : { options: flags.option }),
          ...(flags.poll === undefined ? {} : { pollS: flags.poll }),
          ...(flags.timeout === undefined ? {} : { timeoutS: flags.timeout }),
          ...(flags.nice === undefined ? {} : { niceSpread: flags.nice }),
          ...(flags.atMostPending === undefined ? {} : { atMostPending: flags.atMostPending }),
        });
        if (flags.json) return context.out(JSON.stringify(made));
        context.out(
          `${name} is there; \`stint executor test ${name}\` tries it, \`stint submit --on ${name}\` uses it`,
        );
      }),
    );

  watched(
    clientCommand(executor, 'ls', 'Lists them, and how they are doing.'),
    context,
    { after: ['event', 'devices'], json: 'them as a JSON array' },
    async (to, client, flags: Flags) => {
      const executors = await client.executors.list();
      if (flags.json) return to.out(JSON.stringify(executors));
      if (executors.length === 0)
        return to.out(
          'Every job runs on this machine. `stint executor add --help` says how to add another queue.',
        );
      for (const line of renderTable(COLUMNS, executors, to.width)) to.out(line);
    },
  );

  watched(
    clientCommand(executor, 'show', 'Shows how one was configured, and how it is doing.').argument(
      '<NAME>',
      'as `stint executor ls` names it',
    ),
    context,
    { after: ['event', 'devices'], json: 'it as JSON' },
    async (to, client, name: string, flags: Flags) => {
      const view = await client.executors.get({ name });
      if (flags.json) return to.out(JSON.stringify(view));
      for (const line of renderPairs(pairsOf(view).filter(([, value]) => value !== ''))) to.out(line);
    },
  );

  clientCommand(executor, 'test', 'Tries what Stint needs of it, and leaves nothing there.')
    .argument('<NAME>', 'as `stint executor ls` names it')
    .option('--json', 'print what was tried as JSON')
    .action((name: string, flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const checks = await client.executors.test({ name });
        if (flags.json) context.out(JSON.stringify(checks));
        else for (const line of renderTable(CHECKS, checks, context.width)) context.out(line);
        if (checks.every(({ ok }) => ok)) return;
        if (flags.json) return context.exitWith(STATUS.failed);
        throw new CliError(STATUS.failed, `${name} does not work`, 'mend what is said above, and try again');
      }),
    );

  clientCommand(executor, 'order', 'Shows how the policy would order what is pending there.')
    .argument('<NAME>', 'as `stint executor ls` names it')
    .option('--apply', 'have it so: with nice, from 0 to what --nice allowed; `auto` does it by itself')
    .option('--json', 'print it as JSON')
    .action((name: string, flags: Flags & { readonly apply?: true }) =>
      withEngine(context, flags, async (client) => {
        const order = await client.executors.order({ name, apply: flags.apply === true });
        if (flags.json) return context.out(JSON.stringify(order));
        if (order.jobs.length === 0) return context.out(`no job is pending in ${name}`);
        for (const line of renderTable(ORDER, order.jobs, context.width)) context.out(line);
        if (!order.applied) context.err(`it is not so yet: \`stint executor order ${name} --apply\``);
      }),
    );

  clientCommand(executor, 'rm', 'Forgets one. Refused while it has jobs that are not over.')
    .argument('<NAME>', 'as `stint executor ls` names it')
    .option('--json', 'print its name as JSON')
    .action((name: string, flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const removed = await client.executors.remove({ name });
        context.out(
          flags.json ? JSON.stringify(removed) : `${name} is forgotten; its past jobs stay in the record`,
        );
      }),
    );
}

const ORDER: readonly Column<ExecutorOrder['jobs'][number]>[] = [
  { title: 'ID', right: true, cell: ({ jobId }) => String(jobId) },
  { title: 'NICE', right: true, cell: ({ nice }) => String(nice) },
  { title: 'GIVEN', right: true, cell: ({ given }) => String(given ?? '') },
];

const CHECKS: readonly Column<ExecutorCheck>[] = [
  { title: 'WHAT', cell: ({ what }) => what },
  { title: '', cell: ({ ok }) => (ok ? 'ok' : 'FAILS') },
  { title: 'DETAIL', least: 24, cell: ({ detail }) => detail },
];

const COLUMNS: readonly Column<ExecutorView>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'KIND', cell: ({ kind, version }) => (version === null ? kind : `${kind} ${version}`) },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'PARTITION', expendable: true, cell: ({ partition }) => partition ?? '' },
  { title: 'HERE', right: true, cell: ({ waiting }) => String(waiting) },
  { title: 'PENDING', right: true, cell: ({ pending }) => String(pending) },
  { title: 'RUNNING', right: true, cell: ({ running }) => String(running) },
  { title: 'TROUBLE', least: 12, cell: ({ trouble }) => trouble ?? '' },
];

const pairsOf = (view: ExecutorView): (readonly [string, string])[] => [
  ['name', view.name],
  ['kind', [view.kind, view.version ?? ''].join(' ').trim()],
  ['cluster', view.cluster ?? ''],
  ['state', view.trouble === null ? view.state : `${view.state}: ${view.trouble}`],
  ['jobs', `${view.waiting} wait here, ${view.pending} are pending there, ${view.running} run`],
  ['commands', view.bin ?? 'on PATH'],
  ['slurm.conf', view.conf ?? ''],
  ['partition', view.partition ?? ''],
  ['account', view.account ?? ''],
  ['qos', view.qos ?? ''],
  ['gpus are', view.gres],
  ['options', view.options.join(' ')],
  ['directory', view.directory ?? "Stint's own"],
  ['looks every', `${view.pollS} s; a command may take ${view.timeoutS} s`],
  [
    'order',
    view.niceSpread === 0 ? 'as handed over' : `by the policy, with nice from 0 to ${view.niceSpread}`,
  ],
  ['at most', view.atMostPending === null ? '' : `${view.atMostPending} pending there`],
  ['added', formatTime(view.createdAtMs)],
];
