import type { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import { heedsGoals } from '../../domain/policyNames.ts';
import { DEFAULT_GOALS, FULL_GOAL, GOAL_MEANINGS, GOALS, type GoalWeights } from '../../domain/reward.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { type Column, renderTable } from '../table.ts';

interface Flags extends Partial<Record<keyof GoalWeights, number>> {
  readonly reset?: true;
  readonly preview?: true;
  readonly from?: string;
  readonly to?: string;
  readonly json?: true;
  readonly data?: string;
}

const COLUMNS: readonly Column<{ readonly goal: keyof GoalWeights; readonly weight: number }>[] = [
  { title: 'GOAL', cell: ({ goal }) => goal },
  { title: 'WEIGHT', cell: ({ weight: value }) => String(value), right: true },
  { title: 'MEANING', cell: ({ goal }) => GOAL_MEANINGS[goal], least: 20 },
];

const HELP = `
Each goal weighs 0 (not at all) to ${FULL_GOAL} (all that it can); the next decision goes by it. What is left out stays.

Examples:
  stint goals                       show them
  stint goals --fairness 2          users get like shares, above all
  stint goals --reset               as they were at first
  stint goals --preview --fairness 2            what that would have changed in the last 24 hours; nothing is set
  stint goals --preview --completion 0 --from 7d --json`;

/** What the scheduler strives for. */
export function registerGoals(program: Command, context: Context): void {
  const command = clientCommand(program, 'goals', 'Says or sets what the scheduler strives for.');
  for (const goal of GOALS) {
    command.option(
      `--${goal} <0-${FULL_GOAL}>`,
      `${GOAL_MEANINGS[goal]} (default: ${DEFAULT_GOALS[goal]})`,
      (text) => weight(`--${goal}`, text),
    );
  }
  command
    .option('--reset', 'all as they were at first')
    .option(
      '--preview',
      'set nothing: replay the last day under these goals, and say what would have changed',
    )
    .option('--from <T>', 'with --preview: jobs that arrived from this moment on, such as 7d')
    .option('--to <T>', 'with --preview: and before this one')
    .option('--json', "print the scheduler's state as JSON")
    .addHelpText('after', HELP)
    .action((flags: Flags) => {
      const chosen = GOALS.flatMap((goal) =>
        flags[goal] === undefined ? [] : [[goal, flags[goal]] as const],
      );
      if (flags.reset && chosen.length > 0)
        throw new FieldError('--reset', true, 'give either --reset or goals of your own');
      if (!flags.preview && (flags.from !== undefined || flags.to !== undefined))
        throw new FieldError('--from', flags.from ?? flags.to, 'it is for --preview, which was not given');
      const change = flags.reset ? DEFAULT_GOALS : Object.fromEntries(chosen);
      if (flags.preview) return preview(context, flags, change);
      return withEngine(context, flags, async (client) => {
        const status =
          Object.keys(change).length === 0
            ? await client.scheduler.status()
            : await client.scheduler.setGoals(change);
        if (flags.json) return context.out(JSON.stringify(status));
        const rows = GOALS.map((goal) => ({ goal, weight: status.goals[goal] }));
        for (const line of renderTable(COLUMNS, rows, context.width)) context.out(line);
        if (!heedsGoals(status.policy))
          context.out(`${status.policy} goes by its own rule and not by these; dqn and the bandits do`);
      });
    });
}

/** Tells what the goals would have changed. */
async function preview(context: Context, flags: Flags, change: Partial<GoalWeights>): Promise<void> {
  if (Object.keys(change).length === 0)
    throw new FieldError('--preview', true, 'say which goal would be another, such as --fairness 2');
  const { askPreview, previewLines } = await import('../goalsPreview.ts');
  const { periodOf } = await import('../period.ts');
  const given = flags.from !== undefined || flags.to !== undefined;
  const period = given ? periodOf(context, flags) : null;
  await withEngine(context, flags, async (client) => {
    const found = await askPreview(context, client, change, period);
    if (flags.json) return context.out(JSON.stringify(found));
    for (const line of previewLines(found, context.width)) context.out(line);
  });
}

function weight(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= FULL_GOAL) return value;
  throw new FieldError(flag, text, `give a number from 0 to ${FULL_GOAL}`);
}
