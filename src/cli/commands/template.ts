import type { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import { gpuNeedText } from '../../domain/gpuNeed.ts';
import type { JobSpecInput } from '../../domain/job.ts';
import { quoted } from '../../domain/quoted.ts';
import { axisText } from '../../domain/sweep.ts';
import { sweepPoints } from '../../domain/sweepPoints.ts';
import {
  type Template,
  type TemplateSpec,
  type TemplateSweep,
  templateSpecOf,
} from '../../domain/template.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { integer } from '../flags.ts';
import { formatTime } from '../formatTime.ts';
import { jobSpec } from '../jobSpec.ts';
import { type QueueFlags, queueSpec } from '../queueJob.ts';
import { withScriptHead } from '../slurm/scriptHead.ts';
import { type SubmitFlags, submitOptions } from '../submitOptions.ts';
import { pointsOf } from '../sweepFlags.ts';
import { type Column, printable, renderTable } from '../table.ts';

interface Flags {
  readonly json?: true;
  readonly data?: string;
}

interface SaveFlags extends Flags, SubmitFlags {
  readonly job?: number;
  readonly replace?: true;
}

const SAVE_HELP = `
Takes the options of \`stint submit\`, but for those that belong to one time or person: --begin, --deadline, --after and
the like, --user. Keeps no secrets: they are given when the job is submitted.

Examples:
  stint template save resnet --gpus 2 --vram 20GiB --retries 3 -- python train.py --epochs 90
  stint template save sweep --sweep lr=1e-3,3e-4 --sweep seed=0..4 -- python train.py --lr {lr} --seed {seed}
  stint template save again --job 12`;

const USE_HELP = `
Options change what the template says, for this once; words after -- are put at the end of its command.

Examples:
  stint template use resnet
  stint template use resnet --priority 10 --env SEED=7 -- --epochs 5
  stint template use sweep --at-most 2 --dry-run`;

/** `stint template`: submissions that are kept under a name. */
export function registerTemplate(program: Command, context: Context): void {
  const template = program
    .command('template')
    .description('Keeps submissions under a name, and makes them again.');

  submitOptions(clientCommand(template, 'save', 'Keeps a submission under a name; nothing is queued.'))
    .argument('<NAME>', 'what to call it')
    .argument('[command...]', 'what to run, after --')
    .usage('NAME [options] -- CMD ARGS…')
    .option('--job <ID>', 'as that job was submitted', integer('--job', 1, Number.MAX_SAFE_INTEGER))
    .option('--replace', 'one that has the name already gives way')
    .option('--json', 'print it as JSON')
    .addHelpText('after', SAVE_HELP)
    .action((name: string, command: string[], flags: SaveFlags) =>
      withEngine(context, flags, async (client) => {
        if (flags.job !== undefined && command.length > 0) {
          throw new FieldError('--job', flags.job, 'give either it or a command');
        }
        const given =
          flags.job === undefined
            ? submission(context, command, flags)
            : { spec: templateSpecOf(await client.jobs.get({ id: flags.job })), sweep: null };
        const saved = await client.templates.save({ name, ...given, replace: flags.replace === true });
        context.out(flags.json ? JSON.stringify(saved) : `kept; \`stint template use ${quoted(name)}\``);
      }),
    );

  clientCommand(template, 'ls', 'Lists the templates by name.')
    .option('--json', 'print them as a JSON array')
    .action((flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const all = await client.templates.list();
        if (flags.json) return context.out(JSON.stringify(all));
        if (all.length === 0)
          return context.out('No templates. `stint template save NAME -- CMD` keeps one.');
        for (const line of renderTable(COLUMNS, all, context.width)) context.out(line);
      }),
    );

  clientCommand(template, 'show', 'Shows what a template would submit.')
    .argument('<NAME>', 'as `stint template ls` names it')
    .option('--json', 'print it as JSON')
    .action((name: string, flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const found = await client.templates.get({ name });
        if (flags.json) return context.out(JSON.stringify(found));
        for (const [field, value] of said(found)) context.out(printable(`${field.padEnd(18)} ${value}`));
      }),
    );

  submitOptions(clientCommand(template, 'use', 'Submits what a template says.'))
    .argument('<NAME>', 'as `stint template ls` names it')
    .argument('[arguments...]', 'more arguments for its command, after --')
    .usage('NAME [options] [-- ARGS…]')
    .option('--no-preflight', 'queue it without looking whether it could run')
    .option('--dry-run', 'print what would be queued, and queue nothing')
    .option('--json', 'print the job as JSON')
    .addHelpText('after', USE_HELP)
    .action((name: string, more: string[], flags: QueueFlags) =>
      withEngine(context, flags, async (client) => {
        const found = await client.templates.get({ name });
        const spec = laidOver(context, found.spec, more, flags);
        await queueSpec(context, client, spec, pointsOf(context, flags, found.sweep), flags);
      }),
    );

  clientCommand(template, 'rename', 'Gives a template another name.')
    .argument('<NAME>', 'as `stint template ls` names it')
    .argument('<TO>', 'its new name')
    .option('--json', 'print it as JSON')
    .action((name: string, to: string, flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const renamed = await client.templates.rename({ name, to });
        context.out(flags.json ? JSON.stringify(renamed) : `${name} is ${to} now`);
      }),
    );

  clientCommand(template, 'rm', 'Removes a template.')
    .argument('<NAME>', 'as `stint template ls` names it')
    .option('--json', 'print what it was as JSON')
    .action((name: string, flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const removed = await client.templates.remove({ name });
        context.out(flags.json ? JSON.stringify(removed) : `${name} is gone`);
      }),
    );
}

/** What the command line asks for, as a template keeps it. @throws {FieldError} */
function submission(context: Context, given: readonly string[], flags: SaveFlags) {
  if (given.length === 0) throw new FieldError('command', undefined, 'give a command after --, or --job ID');
  for (const flag of [
    'begin',
    'deadline',
    'after',
    'afterOk',
    'afterAny',
    'afterNotOk',
    'afterArray',
  ] as const) {
    if (flags[flag] === undefined) continue;
    const name = `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new FieldError(name, undefined, 'it belongs to one time: give it to `stint template use`');
  }
  const script = withScriptHead(context, given, flags);
  for (const note of script?.notes ?? []) context.err(note);
  const all = { ...flags, ...script?.flags };
  const {
    user: _,
    beginAtMs,
    deadlineAtMs,
    after,
    ...spec
  } = jobSpec(context, script?.command ?? given, all);
  return { spec, sweep: sweepOf(context, all) };
}

/** The sweep as it was written. @throws {FieldError} */
function sweepOf(context: Context, flags: SubmitFlags): TemplateSweep | null {
  // It complains about what does not go together.
  if (pointsOf(context, flags) === null) return null;
  const { array = null, sweep = [], sweepFile, samples = null, seed = null, atMost = null } = flags;
  if (sweepFile !== undefined) {
    throw new FieldError(
      '--sweep-file',
      sweepFile,
      'a template keeps no file: give it to `stint template use`',
    );
  }
  return { array, axes: sweep.map(axisText), samples, seed, atMost };
}

/** A template's submission with what this command line changes. */
function laidOver(
  context: Context,
  spec: TemplateSpec,
  more: readonly string[],
  flags: QueueFlags,
): JobSpecInput {
  const given = jobSpec(context, [...spec.command, ...more], {
    cwd: spec.cwd,
    ...flags,
    ...(flags.retries === undefined && spec.retries > 0 ? { retries: spec.retries } : {}),
  });
  return {
    ...spec,
    ...given,
    env: { ...spec.env, ...given.env },
    ...(given.venv ? { conda: null } : given.conda ? { venv: null } : {}),
  };
}

/** What it says, in the order in which a person asks. */
function said({ spec, sweep, savedAtMs }: Template): (readonly [string, string])[] {
  const { command, gpus: _, minGpus, gpuShare, ...rest } = spec;
  const facts: [string, unknown][] = [
    ['command', command.map(quoted).join(' ')],
    ['gpus', gpuNeedText(spec)],
    ...Object.entries(rest),
    ...Object.entries(sweep ?? {}),
    ['saved', formatTime(savedAtMs)],
  ];
  const isEmpty = (value: unknown): boolean =>
    value === null ||
    value === false ||
    value === '' ||
    (typeof value === 'object' && Object.keys(value).length === 0);
  return facts
    .filter(([, value]) => !isEmpty(value))
    .map(([field, value]) => [field, typeof value === 'object' ? JSON.stringify(value) : String(value)]);
}

const COLUMNS: readonly Column<Template>[] = [
  { title: 'NAME', least: 10, cell: (t) => t.name },
  { title: 'GPUS', cell: (t) => gpuNeedText(t.spec) },
  {
    title: 'JOBS',
    cell: (t) => (t.sweep === null ? '1' : String(sweepPoints(t.sweep, 0).points.length)),
  },
  { title: 'SAVED', expendable: true, cell: (t) => formatTime(t.savedAtMs) },
  { title: 'COMMAND', least: 20, cell: (t) => t.spec.command.map(quoted).join(' ') },
];
