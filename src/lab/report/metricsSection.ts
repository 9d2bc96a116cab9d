import { change, count, factor, SAME_WITHIN, times } from './figures.ts';
import { type Html, html, named, trusted } from './html.ts';
import { type MetricRow, metricRows } from './metricRows.ts';
import { head, policyName, table } from './parts.ts';
import type { Report, ReportRun } from './report.ts';
import type { TimelineData } from './timelineData.ts';

/** Rows of the users' table; the rest is one row more. */
const MOST_USERS = 12;

/** The figures of both runs, and how each user fared. */
export function metricsSection({ runs }: Report, { users }: TimelineData): Html {
  const [first, second] = runs;
  const columns = [
    head('Figure'),
    head(policyName(first), true),
    head(policyName(second), true),
    head('Ratio', true),
    head('Change', true),
    head(''),
  ];
  return html`<section aria-labelledby="figures">
<h2 id="figures">Figures</h2>
<p class="note">Ratio and change: ${named(second.policy)} against ${named(first.policy)}.</p>
${table('Figures of both policies', columns.slice(0, -1).concat(html`<td></td>`), metricRows(runs).map(metricRow))}
${users.length > 1 ? usersTable(runs, users) : ''}
</section>
`;
}

function metricRow(row: MetricRow): Html {
  const { label, about, values, ratio } = row;
  return html`<tr><th scope="row">${label}<span class="about">${about}</span></th><td>${values[0]}</td><td>${values[1]}</td><td>${
    Number.isFinite(ratio) ? html`× ${factor(ratio)}` : '–'
  }</td><td>${Number.isFinite(ratio) ? change(ratio) : '–'}</td><td class="verdict">${verdict(row)}</td></tr>
`;
}

function verdict({ ratio, more }: MetricRow): Html {
  if (more === null || !Number.isFinite(ratio)) return html``;
  if (Math.abs(ratio - 1) < SAME_WITHIN / 10) return html`same`;
  const better = ratio > 1 === (more === 'better');
  return better ? html`<b>better</b>` : html`worse`;
}

function usersTable(runs: readonly [ReportRun, ReportRun], users: TimelineData['users']): Html {
  const [first, second] = runs;
  const sums = runs.map((run) => {
    const byUser = new Map<string, { jobs: number; slowdown: number }>();
    for (const { user, slowdown } of run.jobs) {
      const sum = byUser.get(user) ?? { jobs: 0, slowdown: 0 };
      byUser.set(user, { jobs: sum.jobs + 1, slowdown: sum.slowdown + slowdown });
    }
    return byUser;
  });
  const mean = (some: readonly string[], index: number): number => {
    const found = some.flatMap((user) => sums[index]!.get(user) ?? []);
    const all = found.reduce((total, { jobs }) => total + jobs, 0);
    return found.reduce((total, { slowdown }) => total + slowdown, 0) / all;
  };
  const jobsOf = (some: readonly string[]): number =>
    some.reduce((total, user) => total + Math.max(...sums.map((byUser) => byUser.get(user)?.jobs ?? 0)), 0);
  const row = (name: Html, some: readonly string[]): Html => {
    const [a, b] = [mean(some, 0), mean(some, 1)];
    return html`<tr><th scope="row">${name}</th><td>${count(jobsOf(some))}</td><td>${times(a)}</td><td>${times(b)}</td><td>${change(b / a)}</td></tr>
`;
  };
  const shown = users.slice(0, MOST_USERS);
  const rest = users.slice(MOST_USERS).map(({ name }) => name);
  return html`<h3>Users</h3>
${table(
  'Mean slowdown of each user’s jobs',
  [
    head('Mean slowdown of jobs of'),
    head('Jobs', true),
    head(named(first.policy), true),
    head(named(second.policy), true),
    head('Change', true),
  ],
  [
    ...shown.map(({ name, tone }) => row(userName(name, tone), [name])),
    ...(rest.length > 0 ? [row(html`${count(rest.length)} others together`, rest)] : []),
  ],
)}`;
}

/** A user with the colour of their jobs. */
export function userName(name: string, tone: number): Html {
  return html`<span class="user">${trusted(`<i class="swatch ${toneClass(tone)}"></i>`)}${named(name)}</span>`;
}

export function toneClass(tone: number): string {
  return tone < 0 ? 'tone-none' : `tone-${tone}`;
}
