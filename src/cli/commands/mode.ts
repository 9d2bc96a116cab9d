import type { Command } from 'commander';
import type { SchedulerStatus } from '../../contract/messages.ts';
import { actionText } from '../../domain/actionText.ts';
import { FieldError } from '../../domain/errors.ts';
import { MODES, type Mode } from '../../domain/mode.ts';
import { formatDuration } from '../../domain/units.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { duration, integer } from '../flags.ts';
import { watched } from '../watched.ts';

interface Flags {
  readonly think?: number;
  readonly watch?: true;
  readonly json?: true;
  readonly data?: string;
}

const SAYS: Readonly<Record<Mode, (status: SchedulerStatus) => string>> = {
  manual: () => 'manual: only people act; `stint start ID` starts a job',
  advise: ({ policy, heuristic, thinkS }) =>
    `advise: ${heuristic} acts; where ${policy} would do otherwise, it waits ${formatDuration(1000 * thinkS)} for your word`,
  auto: ({ policy }) => `auto: ${policy} acts`,
};

/** `stint policy mode`, `accept` and `overrule`. */
export function registerMode(policy: Command, context: Context): void {
  const command = clientCommand(
    policy,
    'mode',
    'Says or sets who acts, across restarts: people, the heuristic with advice, or the policy.',
  )
    .argument('[MODE]', MODES.join(', '), parseMode)
    .option(
      '--think <T>',
      'in advise: how long a suggestion waits for your word before the heuristic acts (default: 30s)',
      duration('--think'),
    );
  watched(
    command,
    context,
    { after: ['scheduler', 'devices'], json: "the scheduler's state as JSON" },
    async (to, client, mode: Mode | undefined, flags: Flags) => {
      const change = {
        ...(mode === undefined ? {} : { mode }),
        ...(flags.think === undefined ? {} : { thinkS: flags.think }),
      };
      const asked = Object.keys(change).length === 0;
      if (flags.watch && !asked) throw new FieldError('--watch', true, 'give it without a change');
      const status = asked ? await client.scheduler.status() : await client.scheduler.setMode(change);
      if (flags.json) return to.out(JSON.stringify(status));
      for (const line of describe(status, await client.devices.list(), to.nowMs())) to.out(line);
    },
  );

  const answers = [
    ['accept', 'accepted', 'Has done what the policy suggests.'],
    ['overrule', 'overruled', 'Has done at once what the heuristic would do instead.'],
  ] as const;
  for (const [name, said, description] of answers) {
    clientCommand(policy, name, description)
      .argument(
        '[N]',
        'number of the suggestion, as `stint policy mode` shows it: refused if another stands by now',
        integer('suggestion', 1, Number.MAX_SAFE_INTEGER),
      )
      .option('--json', "print the scheduler's state as JSON")
      .action((id: number | undefined, flags: Flags) =>
        withEngine(context, flags, async (client) => {
          const status = await client.scheduler[name](id === undefined ? {} : { id });
          if (flags.json) return context.out(JSON.stringify(status));
          const [latest] = await client.scheduler.decisions({ limit: 1 });
          context.out(`${said}: ${latest?.sentence ?? 'done'}`);
        }),
      );
  }
}

function parseMode(text: string): Mode {
  const mode = MODES.find((one) => one === text);
  if (mode === undefined) throw new FieldError('MODE', text, `choose one of ${MODES.join(', ')}`);
  return mode;
}

function describe(
  status: SchedulerStatus,
  devices: readonly { readonly id: string; readonly index: number }[],
  nowMs: number,
): string[] {
  const lines = [SAYS[status.mode](status)];
  const { suggestion, suggested, heuristic, agreement } = status;
  if (suggestion !== null) {
    const { id, policy, action, heuristicAction, actsAtMs } = suggestion;
    lines.push(`suggestion ${id}: ${policy} would ${actionText(action, devices)}`);
    const otherwise = `${heuristic} would ${actionText(heuristicAction, devices)}`;
    const when =
      actsAtMs === null
        ? ''
        : `, and does in ${formatDuration(Math.max(0, actsAtMs - nowMs))} unless you say a word`;
    lines.push(`${otherwise}${when}: \`stint policy accept\` or \`stint policy overrule\``);
  }
  const { accepted, overruled, lapsed } = suggested;
  if (accepted + overruled + lapsed > 0)
    lines.push(
      `suggestions so far: ${accepted} accepted, ${overruled} overruled, ${lapsed} passed unanswered`,
    );
  if (agreement !== null)
    lines.push(
      `${status.policy} and ${heuristic} agreed in ${Math.round(100 * agreement)} % of the last decisions`,
    );
  return lines;
}
