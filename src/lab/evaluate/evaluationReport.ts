import { worldOf } from '../../simulator/regimes.ts';
import type { Span } from '../../simulator/world.ts';
import type { MakePolicy } from '../policies.ts';
import { renderReport } from '../report/renderReport.ts';
import type { ReportRun } from '../report/report.ts';
import { reportRunOf } from '../report/reportRun.ts';
import { runWorld } from '../runWorld.ts';
import { simulationRow } from '../simulationRow.ts';
import type { Task } from '../task.ts';
import type { Evaluation } from './evaluate.ts';
import type { Block, Plan } from './plan.ts';
import type { Contestant } from './summary.ts';
import { ranked, SUMMARY_TITLES, summaryCells } from './summaryTable.ts';
import type { WindowRow } from './windowRow.ts';

/**
 * Two policies side by side on one window, as one HTML file. The window: the one in the middle of all by how the one
 * policy fares against the other.
 */
export function evaluationReport(
  result: Evaluation,
  [one, other]: readonly [string, string],
  plan: Plan,
  makePolicy: MakePolicy,
): string {
  const row = middleOf(result.windows, one, other);
  const block = plan.blocks.find((candidate) => isOf(candidate, row, result))!;
  const task = plan.task(block);
  const { open, clairvoyant } = ranked(result.overall);
  return renderReport({
    title: `${one} beside ${other}`,
    facts: [
      ['Trace', `${row.trace}, window ${row.window}`],
      ['Machine', `${row.gpus} GPUs`],
      ['Offered load', String(row.load)],
      [
        'Jobs',
        `${row.jobs}${row.rejected > 0 ? `; ${row.rejected} larger than the machine were left out` : ''}`,
      ],
      ['Regime', result.regime],
      ['Seed', String(row.seed)],
      ['Why this window', `of all that were evaluated, the one with the middle ratio of mean JCT of the two`],
      ['Stint', result.versions.stint],
    ],
    gpus: row.gpus,
    runs: [runOf(task, one, makePolicy), runOf(task, other, makePolicy)],
    table: {
      columns: SUMMARY_TITLES,
      rows: [...open, ...clairvoyant].map(summaryCells),
      notes: [
        `Over all machines and loads: ratios of geometric means over windows to the best single heuristic of each cell, to each window's best in hindsight, and to srtf; in brackets 95 % bootstrap intervals. Below 1 is better.`,
        ...(clairvoyant.length > 0
          ? [`${clairvoyant.map(({ policy }) => policy).join(', ')}: knowing true durations, a bound.`]
          : []),
      ],
    },
  });
}

/**
 * Who is shown when nobody was named: `fifo`, and the best heuristic over all cells beside it.
 * @param contestants at least two, heuristics and `fifo` among them.
 */
export function opponentsIn(
  { overall }: Evaluation,
  contestants: readonly Contestant[],
): readonly [string, string] {
  const rivals = contestants.filter(({ policy, yardstick }) => yardstick && policy !== 'fifo');
  const best = ranked(overall).open.find(({ policy }) => rivals.some((rival) => rival.policy === policy));
  return ['fifo', best!.policy];
}

/** The row of `one` in the window where its ratio to `other` is the (lower) median. */
function middleOf(rows: readonly WindowRow[], one: string, other: string): WindowRow {
  const ours = rows.filter(({ policy }) => policy === one);
  // Both in the same order: every policy has a row for each window, cell and seed.
  const theirs = rows.filter(({ policy }) => policy === other);
  const order = ours
    .map((row, i) => ({ row, ratio: row.mean_jct_s / Math.max(1e-3, theirs[i]!.mean_jct_s) }))
    .sort((a, b) => a.ratio - b.ratio);
  return order[(order.length - 1) >> 1]!.row;
}

function isOf({ trace, window, gpus, load, seed }: Block, row: WindowRow, { suites }: Evaluation): boolean {
  const sameWindow = suites[trace]!.trace === row.trace && window.index === row.window;
  return sameWindow && gpus === row.gpus && load === row.load && seed === row.seed;
}

function runOf({ jobs, rejected, regime, options }: Task, name: string, makePolicy: MakePolicy): ReportRun {
  const spans: Span[] = [];
  const policy = makePolicy(name);
  const outcomes = runWorld(worldOf(regime, jobs, options), policy, options.seed, (span) => spans.push(span));
  const row = simulationRow(policy, outcomes, { gpus: options.gpus, rejected });
  return reportRunOf(row, outcomes, spans, (id) => jobs[id - 1]!.name);
}
