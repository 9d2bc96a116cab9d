import type { Command } from 'commander';
import type { Finding } from '../../domain/finding.ts';
import { STATUS } from '../cliError.ts';
import { clientCommand } from '../clientCommand.ts';
import { EngineAwayError } from '../connect.ts';
import { type Context, homeOf, withEngine } from '../context.ts';
import { printable } from '../table.ts';

const HELP = `
It looks at the data directory and its database, the disk, the GPUs and their drivers, the ways to throttle and to
pause, limits, clock and sessions, Electron, the learner, and the PyTorch that jobs find; and changes nothing. Where no
engine runs, what only that knows is left out.

Exit status: 1 where something is so wrong that Stint or its jobs cannot work, else 0.`;

export function registerDoctor(program: Command, context: Context): void {
  clientCommand(program, 'doctor', 'Says what works on this machine, what does not, and what would help.')
    .option('--all', 'also what is as it should be')
    .option('--json', 'print the findings, all of them, as a JSON array')
    .addHelpText('after', HELP)
    .action(async (flags: { readonly all?: true; readonly json?: true; readonly data?: string }) => {
      const findings = await look(context, flags);
      if (flags.json) context.out(JSON.stringify(findings));
      else tell(context, findings, flags.all === true);
      if (findings.some(({ severity }) => severity === 'error')) context.exitWith(STATUS.failed);
    });
}

async function look(context: Context, flags: { readonly data?: string }): Promise<Finding[]> {
  try {
    return await withEngine(context, flags, (client) => client.system.doctor());
  } catch (error) {
    if (!(error instanceof EngineAwayError) || error.wasThere) throw error;
    const { doctor } = await import('../../headless/main.ts');
    const away = { about: 'engine', severity: 'note', found: error.message, remedy: null } as const;
    return [...(await doctor(homeOf(context, flags.data))), away];
  }
}

function tell(context: Context, findings: readonly Finding[], all: boolean): void {
  const shown = all ? findings : findings.filter(({ severity }) => severity !== 'ok');
  const width = Math.max(...shown.map(({ severity }) => severity.length), 0);
  for (const { severity, about, found, remedy } of shown) {
    context.out(`${severity.padEnd(width)}  ${printable(`${about}: ${found}`)}`);
    if (remedy !== null) context.out(`${' '.repeat(width)}  → ${printable(remedy)}`);
  }
  const good = findings.filter(({ severity }) => severity === 'ok').length;
  context.out(`${good} of ${findings.length} are as they should be${all ? '' : ' (--all shows them)'}`);
}
