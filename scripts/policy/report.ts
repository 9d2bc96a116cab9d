import { type Comparison, METRICS } from './compare.ts';
import type { PolicyRecord } from './record.ts';
import type { Interval } from './statistics.ts';

/** The record of a trained policy for people, in Markdown. */
export function reportOf(record: PolicyRecord): string {
  const { name, command, config, curve, notes } = record;
  const { kept } = config;
  const phases = [...new Set(curve.map(({ phase }) => phase))];
  const best = (phase: string): string => {
    const costs = curve.filter((point) => point.phase === phase).map((point) => point.costToFirstFit);
    return `${phase} ${Math.min(...costs).toFixed(3)}`;
  };
  return `# ${name}: the shipped weights

Made by \`${command}\` in ${config.trainedS} s on one core.

- The whole training took ${config.trainingDays} simulated days. The kept weights are those after ${kept.steps} steps of the
  ${kept.phase} phase, so they saw only the days before.
- They were chosen on ${config.validationDays} validation days, as the best of ${curve.length} tries. Their validation figure is therefore flattering.
- Validation cost relative to first-fit, the best of each phase: ${phases.map(best).join(', ')}.
- One training seed (${record.seed}). How much the outcome varies with it was not measured.

${notes.length === 0 ? '' : `## What else there is to know\n\n${notes.map((note) => `- ${note}`).join('\n')}\n\n`}## Judged on days of their own

${evaluationOf(record)}
## Limits

All days come from one generator, with the same ranges for training, validation and evaluation: 1 to 8 devices, load
0.5 to 1.2, log-normal durations, noisy or missing predictions, three users. The simulator has no start-up times,
failures or preemption, and two jobs that share a device slow each other down by a fixed rule. The figures say
nothing about other workloads or a real machine.
`;
}

function evaluationOf({ evaluation }: PolicyRecord): string {
  if (evaluation === null) {
    return 'Not yet. `node scripts/evaluateFirstLight.ts FILE` does it.\n';
  }
  const { range, comparisons, judgedBefore } = evaluation;
  const groups = range.baseSeeds.length;
  const days = groups * range.daysEach;
  const before =
    judgedBefore === 0
      ? 'No weights had been judged on these days before.'
      : `Other weights that had been judged on these days before: ${judgedBefore}.`;
  return `\`${evaluation.command}\`: ${days} days, ${range.daysEach} from each of ${groups} base seeds, with the same arrivals for
every policy. ${before} Nothing was chosen by them.

The figures are medians over the days of dqn divided by the other policy, with a 95 % bootstrap interval over the
days; below 1 dqn is better. A wait is the time from submission to start; waits under 1 s count as 1 s. An interval
that reaches 1 shows no clear difference. The intervals are not corrected for their number.

${tableOf(comparisons)}

Median cost ratio for each base seed alone (${range.daysEach} days each):

${comparisons.map(({ against, costByGroup }) => `- ${against}: ${costByGroup.map((c) => c.toFixed(3)).join(', ')}`).join('\n')}

\`shortest-first\` is the demonstrator of the imitation phase (least predicted GPU time per priority weight first), listed to
show how much of the gain is imitation. It is no policy of the console: only the shield's starvation rule keeps it
from letting long jobs wait for ever. Weights that act like it depend on that rule as well.
`;
}

/** The comparisons as a Markdown table. */
export function tableOf(comparisons: readonly Comparison[]): string {
  return `| dqn against | cost (weighed) | mean completion time | mean slowdown | p95 wait | longest wait | days with less / same / more cost |
|---|---|---|---|---|---|---|
${comparisons.map(row).join('\n')}`;
}

function row({ against, ratios, days }: Comparison): string {
  const cells = METRICS.map((metric) => cell(ratios[metric]));
  return `| ${[against, ...cells, `${days.less} / ${days.same} / ${days.more}`].join(' | ')} |`;
}

const cell = ({ median, low, high }: Interval): string =>
  `${median.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
