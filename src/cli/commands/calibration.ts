import type { Command } from 'commander';
import type { ScoreCalibration } from '../../domain/scoreCalibration.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { type Column, renderTable } from '../table.ts';

/** `stint policy calibration`: how right the scores of the learned policy were. */
export function registerCalibration(policy: Command, context: Context): void {
  clientCommand(
    policy,
    'calibration',
    'Says how right the scores of the learned policy were on this machine.',
  )
    .option('--json', 'print the figures as JSON')
    .action((flags: { readonly json?: true; readonly data?: string }) =>
      withEngine(context, flags, async (client) => {
        const calibration = await client.scheduler.calibration();
        if (flags.json) return context.out(JSON.stringify(calibration));
        if (calibration.bins.length > 0)
          for (const line of renderTable(COLUMNS, calibration.bins, context.width)) context.out(line);
        context.out(sentence(calibration));
      }),
    );
}

const number = (value: number): string => value.toFixed(3);

const COLUMNS: readonly Column<ScoreCalibration['bins'][number]>[] = [
  { title: 'DECISIONS', right: true, cell: ({ decisions }) => String(decisions) },
  { title: 'FORETOLD', right: true, cell: ({ foretold }) => number(foretold) },
  { title: 'CAME', right: true, cell: ({ came }) => number(came) },
  { title: 'P10', right: true, cell: ({ p10 }) => number(p10) },
  { title: 'P90', right: true, cell: ({ p90 }) => number(p90) },
];

function sentence({ decisions, pending, foretold, came, error, correlation }: ScoreCalibration): string {
  const later = pending > 0 ? `; of ${pending} more too little has come yet` : '';
  if (foretold === null || came === null || error === null)
    return `${decisions} decisions of dqn to compare, too few to tell${later}`;
  const agree = correlation === null ? '' : `, correlation ${correlation.toFixed(2)}`;
  return `cost of the half hour ahead after ${decisions} decisions of dqn: foretold ${number(foretold)}, came ${number(came)}, off by ${number(error)} on average${agree}${later}`;
}
