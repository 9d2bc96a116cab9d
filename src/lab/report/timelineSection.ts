import { count, duration, jobs, times, UNKNOWN } from './figures.ts';
import { type Html, html, trusted } from './html.ts';
import { userName } from './metricsSection.ts';
import { policyName } from './parts.ts';
import type { Report, ReportRun } from './report.ts';
import { peak, type RunData, type TimelineData } from './timelineData.ts';

/** Users that are named above the timeline; the figures name more of them. */
const MOST_USERS = 12;

/** Height of one GPU's track: as much as leaves both policies on one screen, where that is possible. */
export function trackPx(gpus: number): number {
  if (gpus <= 2) return 48;
  if (gpus <= 4) return 36;
  if (gpus <= 8) return 20;
  return gpus <= 32 ? 12 : 8;
}

/** What each GPU did under both policies, over one axis. The bars are drawn by the page's script. */
export function timelineSection({ runs }: Report, data: TimelineData): Html {
  const rest = data.users.length - MOST_USERS;
  return html`<section id="allocation" aria-labelledby="allocation-title">
<div class="bar-of-tools">
<h2 id="allocation-title">Allocation</h2>
<p class="note">Solid: computes. Hatched: paused, holds its memory. Point at a stretch to read it.</p>
<div class="tools" role="group" aria-label="Zoom">
<output id="window"></output>
<button type="button" id="zoom-out" aria-label="Zoom out">−</button><button type="button" id="zoom-in" aria-label="Zoom in">+</button><button type="button" id="zoom-all">Whole run</button>
</div>
</div>
<ul class="keys">${data.users.slice(0, MOST_USERS).map(({ name, tone }) => html`<li>${userName(name, tone)}</li>`)}${
    rest > 0 ? html`<li>and ${count(rest)} more</li>` : ''
  }</ul>
<noscript><p class="empty">The timeline is drawn by a script, and scripts are off. All figures below are complete without it.</p></noscript>
${runs.map((run, index) => runPlot(run, index, data))}
<p class="note" id="keys">Drag, wheel, <kbd>+</kbd> <kbd>−</kbd> and <kbd>←</kbd> <kbd>→</kbd> move through time in both, <kbd>0</kbd> shows all of it; <kbd>↓</kbd> <kbd>↑</kbd> step from stretch to stretch, <kbd>Esc</kbd> lets go. Times count from the first submission.</p>
<p class="unseen" id="said" aria-live="polite"></p>
<div id="tip" class="tip" hidden></div>
</section>
`;
}

function runPlot(run: ReportRun, index: number, data: TimelineData): Html {
  const { counts, spans } = data.runs[index]!;
  const { metrics } = run;
  const ran = run.jobs.length > 0;
  const facts = [
    `mean completion ${ran ? duration(metrics.mean_jct_s) : UNKNOWN}`,
    `mean slowdown ${ran ? times(metrics.mean_slowdown) : UNKNOWN}`,
    `${count(run.preemptions)} ${run.preemptions === 1 ? 'preemption' : 'preemptions'}`,
    `at most ${count(peak(counts.waiting))} waiting, ${count(peak(counts.running))} running`,
  ];
  return html`<section class="run" aria-labelledby="run-${index}">
<div class="run-head"><h3 id="run-${index}">${policyName(run)}</h3><p class="note">${facts.join(' · ')}</p></div>
${
  spans.job.length === 0
    ? html`<p class="empty">Nothing ran under this policy.</p>`
    : html`<div class="plot">
<div class="gutter">${gpuLabels(data.gpus)}<div class="counts"><span class="most">${count(data.mostAtOnce)} jobs</span><span><i class="line waiting"></i>waiting</span><span><i class="line running"></i>running</span></div></div>
<div class="stage"><canvas class="bars"></canvas><canvas class="over" data-run="${index}" tabindex="0" role="application" aria-roledescription="timeline" aria-label="${summary(run, data.runs[index]!, data.gpus)}" aria-describedby="keys"></canvas></div>
</div>`
}
</section>
`;
}

/** Where tracks are lower than a line of text, only some are named. */
function gpuLabels(gpus: number): Html[] {
  const every = trackPx(gpus) < 12 ? 2 : 1;
  return Array.from({ length: gpus }, (_, gpu) =>
    trusted(`<div class="track">${gpu % every === 0 ? `GPU ${gpu}` : ''}</div>`),
  );
}

function summary(run: ReportRun, { spans }: RunData, gpus: number): string {
  const tracks = `${count(gpus)} ${gpus === 1 ? 'GPU' : 'GPUs'}`;
  return `Allocation under ${run.policy}: ${jobs(run.jobs.length)} on ${tracks} in ${count(spans.job.length)} stretches; the table "Every job" says the same`;
}
