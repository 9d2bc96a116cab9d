import type { Command } from 'commander';
import { actionText } from '../../domain/actionText.ts';
import type { Decision, Explanation } from '../../domain/decision.ts';
import { costText, signed } from '../../domain/explanationText.ts';
import { featureWords } from '../../domain/featureWords.ts';
import { isSameAction } from '../../domain/isSameAction.ts';
import { clientCommand } from '../clientCommand.ts';
import type { Context } from '../context.ts';
import { jobId } from '../flags.ts';
import { formatTime } from '../formatTime.ts';
import { startText } from '../startText.ts';
import { type Column, renderTable } from '../table.ts';
import { watched } from '../watched.ts';

interface Flags {
  readonly json?: true;
  readonly data?: string;
}
type Devices = readonly { readonly id: string; readonly index: number }[];

/** So many vetoes are printed; `--json` has all that are kept. */
const MOST_VETOES = 10;

/** `stint why`: the decision that tells most of a job, and what moved it. */
export function registerWhy(program: Command, context: Context): void {
  const why = clientCommand(
    program,
    'why',
    'Says why a job waits, or why it was started when and where it was.',
  ).argument('<ID>', 'number of the job', jobId);
  watched(
    why,
    context,
    { after: ['reasons', 'event', 'decision'], json: 'the reason and the decision as JSON' },
    async (to, client, id: number, flags: Flags) => {
      const told = await client.scheduler.explain({ id });
      if (flags.json) return to.out(JSON.stringify(told));
      if (told.waitingReason !== null) {
        to.out(`#${id} waits: ${told.waitingReason}`);
        const starts = await startText(to, client, await client.jobs.get({ id }));
        if (starts !== '') to.out(`it starts ${starts}`);
      }
      if (told.decision === null) {
        if (told.waitingReason === null) to.out(`No decision about #${id} is kept.`);
        return;
      }
      const devices = await client.devices.list();
      const { heuristic } = await client.scheduler.status();
      for (const line of describe(told.decision, devices, heuristic, to.width)) to.out(line);
    },
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
