import { resolve } from 'node:path';
import type { Command } from 'commander';
import { FieldError, showValue } from '../../domain/errors.ts';
import type { DeeprmRow } from '../../lab/main.ts';
import { CliError, STATUS } from '../cliError.ts';
import type { Context } from '../context.ts';
import { integer } from '../flags.ts';
import { DEEPRM_WEIGHTS } from '../shippedWeights.ts';
import { type Column, printable, renderTable } from '../table.ts';

interface Flags {
  readonly sequences: string;
  readonly policy?: string;
  readonly seed: number;
  readonly json?: true;
}

const POLICIES = 'sjf,packer,tetris:0.001,first-fit,random';
/** The one that the published figures of `random` come from. */
const SEED = 7;

const HELP = `
Policies: sjf, packer, first-fit, random, tetris:K with a knob K from 0 to 1, and dqn, which was trained in this world. What the file has to hold, and what
comes out for the sequences of the paper: docs/deeprm.md.

Examples:
  stint deeprm --sequences sequences_rate0.7.json
  stint deeprm --sequences sequences_rate0.7.json --policy sjf,tetris:0.01,dqn --json`;

export function registerDeeprm(program: Command, context: Context): void {
  program
    .command('deeprm')
    .description("Plays job sequences in DeepRM's world under its heuristics. Needs no engine.")
    .requiredOption('--sequences <FILE>', 'job sequences, as JSON with the fields len and size')
    .option('--policy <NAMES>', `which, with commas between them (default: ${POLICIES})`)
    .option('--seed <S>', 'seed of random', integer('--seed', 0, 2 ** 32 - 1), SEED)
    .option('--json', 'print the rows as a JSON array')
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      const lab = await import('../../lab/main.ts');
      const file = resolve(context.callerDir, flags.sequences);
      const policies = (flags.policy ?? POLICIES).split(',').map((name) => name.trim());
      const sequences = ofFile(flags.sequences, () => lab.readSequences(file));
      const weights = policies.includes('dqn') ? lab.readDeeprmWeights(DEEPRM_WEIGHTS) : null;
      const rows = lab.compareDeeprm(sequences, policies, flags.seed, weights);
      for (const { policy, dropped } of rows) {
        if (dropped > 0)
          context.err(
            `${policy}: the backlog was full for ${dropped} of the arrivals; they are in no figure`,
          );
      }
      if (flags.json) {
        const shown = rows.map(({ policy, meanSlowdown, jobs }) => ({
          policy,
          mean_slowdown: meanSlowdown,
          jobs,
        }));
        context.out(JSON.stringify(shown));
      } else {
        for (const line of renderTable(COLUMNS, rows, context.width)) context.out(line);
      }
    });
}

const COLUMNS: readonly Column<DeeprmRow>[] = [
  { title: 'POLICY', cell: (row) => row.policy },
  { title: 'MEAN SLOWDOWN', right: true, cell: (row) => row.meanSlowdown?.toFixed(3) ?? '?' },
  { title: 'JOBS', right: true, cell: (row) => String(row.jobs) },
];

/** Adds the name of the file to what is wrong in it. */
function ofFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    const problem = `${file}: ${error.field}: ${showValue(error.value)} is not usable`;
    throw new CliError(STATUS.badUsage, printable(problem), printable(error.remedy));
  }
}
