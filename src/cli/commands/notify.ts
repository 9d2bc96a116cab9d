import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { StintClient } from '../../contract/client.ts';
import { FieldError } from '../../domain/errors.ts';
import {
  HTTP_KINDS,
  type HttpKind,
  NOTIFY_EVENTS,
  type NotifyEvent,
  type NotifyView,
} from '../../domain/notifyRule.ts';
import { formatDuration } from '../../domain/units.ts';
import { CliError, STATUS } from '../cliError.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { duration } from '../flags.ts';
import { formatTime } from '../formatTime.ts';
import { type Column, renderTable } from '../table.ts';

interface Flags {
  readonly json?: true;
  readonly data?: string;
}

interface AddFlags extends Flags, Partial<Record<HttpKind, string>> {
  readonly on: NotifyEvent[];
  readonly over?: number;
  readonly user?: string;
  readonly project?: string;
  readonly mail?: string[];
  readonly smtp?: string;
  readonly from?: string;
  readonly secretFile?: string;
}

type Target = Parameters<StintClient['notify']['add']>[0]['target'];

const ADD_HELP = `
Events: failed (also timed out and lost, and not tried again), finished (however it ended), gpu-lost.

A webhook is signed with a secret, which is made and printed once unless you bring one: docs/notify.md says how to check it
(\`stint help notify\`). --secret-file holds that secret in one line, the token for ntfy, or the password for --smtp; - reads it from stdin.

Examples:
  stint notify add phone --on failed,gpu-lost --ntfy https://ntfy.sh/my-topic
  stint notify add team --on finished --over 1h --project vision --slack https://hooks.slack.com/services/…
  stint notify add me --mail ada@example.org --smtp smtps://ada@mail.example.org --secret-file password.txt
  stint notify add ci --webhook https://ci.example.org/stint`;

/** `stint notify`: who is told what happens. */
export function registerNotify(program: Command, context: Context): void {
  const notify = program
    .command('notify')
    .description('Tells people and programs that jobs failed or finished.');

  const add = clientCommand(notify, 'add', 'Adds a rule: of what, and whom to tell.')
    .argument('<NAME>', 'what you call it')
    .option('--on <EVENTS>', `${NOTIFY_EVENTS.join(', ')} (default: failed)`, events, [
      'failed',
    ] as NotifyEvent[])
    .option('--over <T>', 'of jobs that finished only those that ran so long, such as 1h', duration('--over'))
    .option('--user <U>', 'only jobs of this user')
    .option('--project <S>', 'only jobs of this project');
  for (const kind of HTTP_KINDS) add.option(`--${kind} <URL>`, WHOM[kind]);
  add
    .option('--mail <ADDRESS...>', 'mail to these addresses')
    .option(
      '--smtp <SERVER>',
      'through this server, such as smtps://ada@mail.example.org (default: smtp://localhost)',
    )
    .option('--from <ADDRESS>', 'from this address (default: stint@ this machine)')
    .option('--secret-file <FILE>', 'file with the secret, token or password; - for stdin')
    .option('--json', 'print the rule, and the secret if one was made, as JSON')
    .addHelpText('after', ADD_HELP)
    .action((name: string, flags: AddFlags) =>
      withEngine(context, flags, async (client) => {
        const { on, over, user, project } = flags;
        const made = await client.notify.add({
          name,
          on,
          ...(over === undefined ? {} : { overS: over }),
          ...(user === undefined ? {} : { user }),
          ...(project === undefined ? {} : { project }),
          target: targetOf(context, flags),
        });
        if (flags.json) return context.out(JSON.stringify(made));
        context.out(
          `${name} tells ${made.rule.to} of ${on.join(', ')}; \`stint notify test ${name}\` tries it`,
        );
        if (made.secret !== null) context.out(`signed with ${made.secret} (shown this once)`);
      }),
    );

  clientCommand(notify, 'ls', 'Lists the rules, oldest first, and how they are doing.')
    .option('--json', 'print them as a JSON array')
    .action((flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const rules = await client.notify.list();
        if (flags.json) return context.out(JSON.stringify(rules));
        if (rules.length === 0) return context.out('Nobody is told. `stint notify add --help` says how.');
        for (const line of renderTable(COLUMNS, rules, context.width)) context.out(line);
      }),
    );

  clientCommand(notify, 'test', 'Sends a message by a rule now, and says how that went.')
    .argument('<NAME>', 'as `stint notify ls` names it')
    .option('--json', 'print how it went as JSON')
    .action((name: string, flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const result = await client.notify.test({ name });
        if (flags.json) context.out(JSON.stringify(result));
        else if (result.ok) context.out(`${name} works: ${result.detail}`);
        if (result.ok) return;
        if (flags.json) return context.exitWith(STATUS.failed);
        throw new CliError(
          STATUS.failed,
          `${name} does not work: ${result.detail}`,
          'mend it there, or remove the rule and add it anew',
        );
      }),
    );

  clientCommand(notify, 'rm', 'Removes a rule. What it had still to tell is told to nobody.')
    .argument('<NAME>', 'as `stint notify ls` names it')
    .option('--json', 'print its name as JSON')
    .action((name: string, flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const removed = await client.notify.remove({ name });
        context.out(flags.json ? JSON.stringify(removed) : `${name} tells nobody any more`);
      }),
    );
}

const WHOM: Readonly<Record<HttpKind, string>> = {
  webhook: 'a program of yours, as signed JSON',
  ntfy: 'a topic of ntfy, such as https://ntfy.sh/my-topic',
  slack: 'an incoming webhook of Slack',
  discord: 'a webhook of Discord',
  feishu: 'a custom bot of Feishu or Lark',
  dingtalk: 'a custom robot of DingTalk',
};

function events(text: string): NotifyEvent[] {
  const names = text.split(',').map((word) => word.trim());
  for (const name of names) {
    if (!NOTIFY_EVENTS.some((known) => known === name)) {
      throw new FieldError('--on', name, `choose from ${NOTIFY_EVENTS.join(', ')}`);
    }
  }
  return [...new Set(names)] as NotifyEvent[];
}

/** @throws {FieldError} unless exactly one is given. */
function targetOf(context: Context, flags: AddFlags): Target {
  const given = [...HTTP_KINDS, 'mail' as const].filter((kind) => flags[kind] !== undefined);
  const [kind] = given;
  const all = [...HTTP_KINDS, 'mail'].map((one) => `--${one}`).join(', ');
  if (kind === undefined) throw new FieldError('whom to tell', undefined, `give one of ${all}`);
  if (given.length > 1)
    throw new FieldError(`--${given[1]}`, flags[given[1]!], `give it in a rule of its own: one of ${all}`);
  const secret = flags.secretFile === undefined ? {} : { secret: secretOf(context, flags.secretFile) };
  if (kind !== 'mail') {
    for (const flag of ['smtp', 'from'] as const) {
      if (flags[flag] !== undefined) throw new FieldError(`--${flag}`, flags[flag], 'it is for --mail');
    }
    return { kind, url: flags[kind]!, ...secret };
  }
  return {
    kind,
    to: flags.mail!,
    ...(flags.from === undefined ? {} : { from: flags.from }),
    ...(flags.smtp === undefined ? {} : { server: flags.smtp }),
    ...(secret.secret === undefined ? {} : { password: secret.secret }),
  };
}

/** From a file, because what stands on a command line is seen by everybody on the machine. */
function secretOf(context: Context, file: string): string {
  try {
    const text = readFileSync(file === '-' ? 0 : resolve(context.callerDir, file), 'utf8').trim();
    if (text !== '') return text;
  } catch (error) {
    throw new FieldError(
      '--secret-file',
      file,
      `give a file that you may read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  throw new FieldError('--secret-file', file, 'put the secret into it, in one line');
}

const COLUMNS: readonly Column<NotifyView>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'TELLS', cell: ({ kind }) => kind },
  { title: 'TO', least: 12, cell: ({ to }) => to },
  {
    title: 'OF',
    least: 8,
    cell: ({ on, overS, user, project }) =>
      [
        on.join(','),
        overS === null ? '' : `over ${formatDuration(overS * 1000)}`,
        user === null ? '' : `user ${user}`,
        project === null ? '' : `project ${project}`,
      ]
        .filter((part) => part !== '')
        .join(' '),
  },
  {
    title: 'LAST SENT',
    expendable: true,
    cell: (r) => (r.lastSentAtMs === null ? 'never' : formatTime(r.lastSentAtMs)),
  },
  { title: 'WAITING', right: true, cell: ({ waiting }) => String(waiting) },
  {
    title: 'TROUBLE',
    least: 12,
    cell: ({ lastError, attempts, nextAtMs, dropped }) =>
      [
        lastError === null
          ? ''
          : `${lastError}; tried ${attempts} times, next at ${formatTime(nextAtMs ?? 0)}`,
        dropped === 0 ? '' : `${dropped} not told`,
      ]
        .filter((part) => part !== '')
        .join('; '),
  },
];
