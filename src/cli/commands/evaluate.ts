import { resolve } from 'node:path';
import type { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import type { Evaluation, PolicySummary } from '../../lab/main.ts';
import type { Context } from '../context.ts';
import { integer } from '../flags.ts';
import { interruptible } from '../interruptible.ts';
import { ProgressBar } from '../progressBar.ts';
import { SHIPPED_WEIGHTS } from '../shippedWeights.ts';
import { type Column, renderTable } from '../table.ts';
import { asUsage } from '../traceUsage.ts';

interface Flags {
  readonly suite: string[];
  readonly regime: string;
  readonly gpus: number[];
  readonly load: number[];
  readonly policy?: string;
  readonly share?: boolean;
  readonly seeds: number;
  readonly gpuType: string;
  readonly jobsPerWindow: number;
  readonly limit?: number;
  readonly html?: string;
  readonly weights?: string;
  readonly json?: true;
}

const HELP = `
A suite is \`standing\` or \`presets\` (invented workloads, the same for everybody) or a trace file. Each trace is cut into
windows of consecutive jobs; jobs larger than the machine are left out, and arrivals are rescaled to each offered load.
Every policy runs the same windows. Ratios are geometric means over windows, below 1 is better: to the best single
heuristic of each machine and load, to the best heuristic of each window in hindsight, and to srtf, which knows true
durations; in brackets 95 % bootstrap intervals. Regimes and all fields of --json: docs/lab.md.

Examples:
  stint evaluate --suite standing
  stint evaluate --suite week.csv month.csv --gpus 2,4 --load 0.8 --policy las,tiresias,dqn --html report.html
  stint evaluate --suite standing --regime lab --seeds 3 --json > results.json`;

export function registerEvaluate(program: Command, context: Context): void {
  program
    .command('evaluate')
    .description(
      'Compares policies on windows of traces, on simulated machines of several sizes and loads. Needs no engine.',
    )
    .requiredOption('--suite <NAME|TRACE...>', 'what to run, see below')
    .option('--regime <NAME>', 'under what circumstances: lab, hints or workstation', 'workstation')
    .option('--gpus <N,…>', 'sizes of the machine', numbers('--gpus'), [1, 2, 4, 8])
    .option('--load <X,…>', 'offered loads', numbers('--load'), [0.6, 0.8, 0.95])
    .option('--policy <NAMES>', 'which, with commas between them (default: all heuristics, and srtf)')
    .option('--share', 'let jobs share GPUs (default: as the regime says)')
    .option('--no-share', 'give each job its GPUs to itself')
    .option(
      '--seeds <K>',
      'repeat each window with K draws of what is left to chance',
      integer('--seeds', 1, 1000),
      1,
    )
    .option('--gpu-type <T>', 'whose measured interference: v100, p100 or k80', 'v100')
    .option('--jobs-per-window <K>', 'jobs of a window', integer('--jobs-per-window', 2, 100_000), 150)
    .option('--limit <K>', "only each trace's first K jobs", integer('--limit', 1, Number.MAX_SAFE_INTEGER))
    .option('--weights <FILE>', 'what dqn decides by (default: the shipped weights)')
    .option('--html <FILE>', 'write a report with two policies side by side')
    .option('--json', 'print all results as one JSON object')
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      const lab = await import('../../lab/main.ts');
      const bar = new ProgressBar({
        what: 'evaluating',
        lines: flags.json !== true,
        nowMs: context.nowMs,
        stream: process.stderr,
      });
      const result = await interruptible((signal) =>
        lab.evaluate({
          suites: flags.suite.map((name) => ({ name, path: resolve(context.callerDir, name) })),
          regime: flags.regime,
          gpus: flags.gpus,
          loads: flags.load,
          seeds: flags.seeds,
          gpuType: flags.gpuType,
          jobsPerWindow: flags.jobsPerWindow,
          weightsPath:
            flags.weights === undefined ? SHIPPED_WEIGHTS : resolve(context.callerDir, flags.weights),
          version: program.version() ?? '',
          signal,
          onProgress: (progress) => bar.update(progress),
          ...(flags.policy === undefined
            ? {}
            : { policies: flags.policy.split(',').map((name) => name.trim()) }),
          ...(flags.share === undefined ? {} : { share: flags.share }),
          ...(flags.limit === undefined ? {} : { limit: flags.limit }),
          ...(flags.html === undefined ? {} : { htmlFile: resolve(context.callerDir, flags.html) }),
        }),
      )
        .catch(asUsage)
        .finally(() => bar.end());
      if (flags.json) {
        context.out(JSON.stringify(result));
        return;
      }
      for (const line of evaluationTables(result, lab, context.width)) context.out(line);
      for (const line of remarks(result)) context.err(line);
    });
}

/** Numbers with commas between them. Whether they make sense is for the lab to say. */
const numbers =
  (flag: string) =>
  (text: string): number[] =>
    text.split(',').map((part) => {
      const trimmed = part.trim();
      if (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(trimmed)) return Number(trimmed);
      throw new FieldError(flag, text, 'give numbers, with commas between several');
    });

type Lab = typeof import('../../lab/main.ts');

/** A table a cell, and one over all. */
function evaluationTables(result: Evaluation, lab: Lab, width: number): string[] {
  const lines: string[] = [];
  for (const { gpus, load, windows, best_single: best, policies } of result.cells) {
    const yardstick =
      best.mean_jct_s === null ? '' : `; best by mean JCT ${best.mean_jct_s}, by p99 ${best.p99_jct_s}`;
    lines.push(`${gpus} GPU${gpus === 1 ? '' : 's'}, load ${load}, ${windows} windows${yardstick}`);
    lines.push(...policyTable(policies, lab, width), '');
  }
  // Over a single cell it would be the same table again.
  if (result.cells.length === 1) return lines.slice(0, -1);
  return [...lines, 'all of these', ...policyTable(result.overall, lab, width)];
}

/** The policies that know durations stand apart, below the others. */
function policyTable(policies: readonly PolicySummary[], lab: Lab, width: number): string[] {
  const columns = lab.SUMMARY_TITLES.map((title, i): Column<readonly string[]> => {
    const column = { title, cell: (row: readonly string[]) => row[i]! };
    if (i === 0) return column;
    return { ...column, right: true, ...(i > 1 ? { expendable: true as const } : {}) };
  });
  const { open, clairvoyant } = lab.ranked(policies);
  const [head, ...lines] = renderTable(columns, [...open, ...clairvoyant].map(lab.summaryCells), width);
  const apart = clairvoyant.length > 0 ? ['knowing true durations:'] : [];
  return [head!, ...lines.slice(0, open.length), ...apart, ...lines.slice(open.length)];
}

/** What is in no figure. */
function remarks({ skipped, suites, regime }: Evaluation): string[] {
  const lines = [`regime ${regime}`];
  const leftOver = suites.reduce((sum, suite) => sum + suite.left_over, 0);
  if (leftOver > 0)
    lines.push(`${leftOver} jobs at the ends of traces are too few for a window and in no figure`);
  const byGpus = Map.groupBy(skipped, ({ gpus }) => gpus);
  for (const [gpus, some] of byGpus) {
    const { trace, window, reason } = some[0]!;
    lines.push(
      `${some.length} windows were skipped on ${gpus} GPUs, such as window ${window} of ${trace}: ${reason}`,
    );
  }
  return lines;
}
