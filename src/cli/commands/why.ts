import type { Command } from 'commander';
import { actionText } from '../../domain/actionText.ts';
import { type Decision, type Explanation, isSameAction } from '../../domain/decision.ts';
import { costText, signed } from '../../domain/explanationText.ts';
import { featureWords } from '../../domain/featureWords.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { jobId } from '../flags.ts';
import { formatTime } from '../formatTime.ts';
import { startText } from '../startText.ts';
import { type Column, renderTable } from '../table.ts';

interface Flags {
  readonly json?: true;
  readonly data?: string;
}
type Devices = readonly { readonly id: string; readonly index: number }[];

/** So many vetoes are printed; `--json` has all that are kept. */
const MOST_VETOES = 10;

/** `stint why`: the decision that tells most of a job, and what moved it. */
export function registerWhy(program: Command, context: Context): void {
  clientCommand(program, 'why', 'Says why a job waits, or why it was started when and where it was.')
    .argument('<ID>', 'number of the job', jobId)
    .option('--json', 'print the reason and the decision as JSON')
    .action((id: number, flags: Flags) =>
      withEngine(context, flags, async (client) => {
        const told = await client.scheduler.explain({ id });
        if (flags.json) return context.out(JSON.stringify(told));
        if (told.waitingReason !== null) {
          context.out(`#${id} waits: ${told.waitingReason}`);
          const starts = await startText(context, client, await client.jobs.get({ id }));
          if (starts !== '') context.out(`it starts ${starts}`);
        }
        if (told.decision === null) {
          if (told.waitingReason === null) context.out(`No decision about #${id} is kept.`);
          return;
        }
        const devices = await client.devices.list();
        const { heuristic } = await client.scheduler.status();
        for (const line of describe(told.decision, devices, heuristic, context.width)) context.out(line);
      }),
    );
}

function describe(decision: Decision, devices: Devices, heuristic: string, width: number): string[] {
  const { candidates, chosen, explanation, advice, heuristicAction } = decision;
  const done = candidates[chosen]!.action;
  const same = isSameAction(heuristicAction, done);
  const lines = [
    `${formatTime(decision.atMs)}, by ${decision.policy}: ${decision.sentence} (decision ${decision.id})`,
    `${heuristic} would ${same ? 'have done the same' : actionText(heuristicAction, devices)}`,
  ];
  if (advice !== undefined && !isSameAction(advice.action, done))
    lines.push(`${advice.policy} suggested to ${actionText(advice.action, devices)}`);
  if (explanation !== undefined) lines.push(...moved(explanation, devices, width));
  const struck = candidates.filter(({ vetoes }) => vetoes.length > 0);
  for (const { action, vetoes } of struck.slice(0, MOST_VETOES))
    lines.push(
      `struck out: ${actionText(action, devices)}: ${vetoes.map(({ reason }) => reason).join('; ')}`,
    );
  if (struck.length > MOST_VETOES) lines.push(`and ${struck.length - MOST_VETOES} more were struck out`);
  return lines;
}

function moved(explanation: Explanation, devices: Devices, width: number): string[] {
  const { otherwise, features } = explanation;
  return [
    `rather than to ${actionText(otherwise, devices)}: ${costText(explanation)}`,
    ...(features.length === 0 ? [] : renderTable(FEATURE_COLUMNS, features, width)),
  ];
}

const FEATURE_COLUMNS: readonly Column<Explanation['features'][number]>[] = [
  { title: 'WHAT MOVED IT MOST', least: 24, cell: ({ name }) => featureWords(name) },
  { title: 'DONE', right: true, cell: ({ chosen }) => chosen.toFixed(2) },
  { title: 'OTHERWISE', right: true, cell: ({ otherwise }) => otherwise.toFixed(2) },
  { title: 'IN THE SCORE', right: true, cell: ({ effect }) => signed(effect) },
];
