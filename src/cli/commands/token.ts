import type { Command } from 'commander';
import { type ApiToken, SCOPES, type Scope } from '../../domain/apiToken.ts';
import { FieldError } from '../../domain/errors.ts';
import { parseDurationS } from '../../domain/units.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { formatTime } from '../formatTime.ts';
import { type Column, renderTable } from '../table.ts';

interface Flags {
  readonly json?: true;
  readonly data?: string;
}

interface CreateFlags extends Flags {
  readonly scope: Scope;
  readonly expires?: number;
}

const CREATE_HELP = `
read: look at everything, logs included. act: also submit and control jobs, which is to run programs as you.
admin: also rules, policies and tokens.

Examples:
  stint token create prometheus > ~/.config/stint-prometheus.token
  export STINT_TOKEN=$(stint token create notebook --scope act --expires 30d)`;

/** `stint token`: who may speak to the engine over HTTP. */
export function registerToken(program: Command, context: Context): void {
  const token = program
    .command('token')
    .description('Makes, lists and revokes tokens for programs that speak to the engine over HTTP.');

  clientCommand(token, 'create', 'Makes a token and prints it, this once.')
    .argument('<NAME>', 'what it is for, such as prometheus')
    .option('--scope <SCOPE>', SCOPES.join(', '), scope, 'read' as Scope)
    .option('--expires <DURATION>', 'after which it opens nothing, such as 90d (default: never)', (text) =>
      parseDurationS(text, '--expires'),
    )
    .option('--json', 'print the token and what is known of it as JSON')
    .addHelpText('after', CREATE_HELP)
    .action((name: string, flags: CreateFlags) =>
      withEngine(context, flags, async (client) => {
        const made = await client.tokens.create({
          name,
          scope: flags.scope,
          expiresAtMs: flags.expires === undefined ? null : context.nowMs() + flags.expires * 1000,
        });
        context.out(flags.json ? JSON.stringify(made) : made.token);
      }),
    );

  clientCommand(token, 'ls', 'Lists the tokens, oldest first.')
    .option('--json', 'print them as a JSON array')
    .action((flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const tokens = await client.tokens.list();
        if (flags.json) return context.out(JSON.stringify(tokens));
        if (tokens.length === 0) return context.out('No tokens. `stint token create NAME` makes one.');
        for (const line of renderTable(COLUMNS, tokens, context.width)) context.out(line);
      }),
    );

  clientCommand(token, 'revoke', 'Makes a token worthless from now on.')
    .argument('<NAME>', 'as `stint token ls` names it')
    .option('--json', 'print its name as JSON')
    .action((name: string, flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const revoked = await client.tokens.revoke({ name });
        context.out(flags.json ? JSON.stringify(revoked) : `${name} opens nothing any more`);
      }),
    );
}

function scope(text: string): Scope {
  const found = SCOPES.find((one) => one === text);
  if (found === undefined) throw new FieldError('--scope', text, `choose one of ${SCOPES.join(', ')}`);
  return found;
}

const COLUMNS: readonly Column<ApiToken>[] = [
  { title: 'NAME', least: 10, cell: (t) => t.name },
  { title: 'SCOPE', cell: (t) => t.scope },
  { title: 'MADE', expendable: true, cell: (t) => formatTime(t.createdAtMs) },
  { title: 'LAST USED', cell: (t) => (t.lastUsedAtMs === null ? 'never' : formatTime(t.lastUsedAtMs)) },
  { title: 'EXPIRES', cell: (t) => (t.expiresAtMs === null ? 'never' : formatTime(t.expiresAtMs)) },
];
