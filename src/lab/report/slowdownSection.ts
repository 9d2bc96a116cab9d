import { change, count, jobs, times } from './figures.ts';
import { type Html, html, named } from './html.ts';
import { curveKey, head, policyName, table } from './parts.ts';
import type { Report, ReportJob } from './report.ts';
import { slowdownChart } from './slowdownChart.ts';
import { balanceOf, changesOf, type Distribution, distributionOf, type Pair, pairsOf } from './slowdowns.ts';

/** Longest bar of the changes. */
const BAR_PX = 160;

/** The distribution of slowdowns under both policies, and what the second did to each job. */
export function slowdownSection({ runs }: Report): Html {
  const [first, second] = runs;
  const distributions = runs.map(({ jobs: all }) => distributionOf(all)) as [Distribution, Distribution];
  const pairs = pairsOf(runs);
  const quantiles = (
    [
      ['median', 'median'],
      ['p95', 'p95'],
      ['p99', 'p99'],
      ['largest', 'largest'],
    ] as const
  ).map(([key, label]) => {
    const [a, b] = [distributions[0][key], distributions[1][key]];
    return html`<tr><th scope="row">${label}</th><td>${times(a)}</td><td>${times(b)}</td><td>${change(b / a)}</td></tr>
`;
  });
  return html`<section aria-labelledby="slowdowns">
<h2 id="slowdowns">Slowdowns</h2>
<p class="note">Completion time / duration, at least 1. Up and to the left is better.</p>
<ul class="keys">${runs.map((run, index) => html`<li>${curveKey(index)} ${policyName(run)}</li>`)}</ul>
<div class="pair">
${
  pairs.length === 0 && distributions.every(({ sorted }) => sorted.length === 0)
    ? html`<p class="empty">No job finished, so there is nothing to compare.</p>`
    : slowdownChart([
        { policy: first.policy, distribution: distributions[0] },
        { policy: second.policy, distribution: distributions[1] },
      ])
}
<div>
${table(
  'Quantiles of the slowdown',
  [head('Slowdown'), head(named(first.policy), true), head(named(second.policy), true), head('Change', true)],
  quantiles,
)}
${changes(pairs, first.policy, second.policy)}
</div>
</div>
</section>
`;
}

function changes(pairs: readonly Pair[], first: string, second: string): Html {
  const { gained, lost, same, largestGain, largestLoss } = balanceOf(pairs);
  const classes = changesOf(pairs);
  const most = Math.max(1, ...classes.map(({ jobs: number }) => number));
  return html`<h3>Job by job, under ${named(second)} instead of ${named(first)}</h3>
<ul class="balance">
<li><b>${jobs(gained)}</b> ${gained === 1 ? 'gains' : 'gain'}${example(largestGain)}</li>
<li><b>${jobs(lost)}</b> ${lost === 1 ? 'loses' : 'lose'}${example(largestLoss)}</li>
<li><b>${jobs(same)}</b> within 1 % of the same slowdown</li>
</ul>
${table(
  'Jobs by the change of their slowdown',
  [head('Slowdown becomes'), head('Jobs', true), html`<td></td>`],
  classes.map(
    ({ label, jobs: number }) =>
      html`<tr><th scope="row">${label}</th><td>${count(number)}</td><td class="bar">${bar((number / most) * BAR_PX)}</td></tr>
`,
  ),
)}`;
}

function bar(px: number): Html {
  return html`<svg width="${BAR_PX}" height="8" aria-hidden="true"><rect width="${px.toFixed(1)}" height="8"/></svg>`;
}

function example(pair: Pair | null): Html {
  if (pair === null) return html``;
  const { before, after } = pair;
  return html`, most of all ${jobName(after)}: ${times(before.slowdown)} → ${times(after.slowdown)}`;
}

function jobName({ id, name }: ReportJob): Html {
  return name === null ? html`#${id}` : html`#${id} ${named(name)}`;
}
