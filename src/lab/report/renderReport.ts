import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { change, duration, jobs } from './figures.ts';
import { type Html, html, jsonForScript, named, trusted } from './html.ts';
import { metricsSection, toneClass } from './metricsSection.ts';
import { head, policyName, table } from './parts.ts';
import type { Report } from './report.ts';
import { slowdownSection } from './slowdownSection.ts';
import { balanceOf, pairsOf } from './slowdowns.ts';
import { type TimelineData, timelineData } from './timelineData.ts';
import { timelineSection, trackPx } from './timelineSection.ts';
import { NO_TONE, TONES } from './userTones.ts';

export type { Report, ReportJob, ReportRun } from './report.ts';

/** At the same depth from the sources and from a build. */
const PAGE = new URL('../../../resources/report/', import.meta.url);
/** The modules of the script, each after those that it imports. */
const SCRIPTS = ['view.js', 'plot.js', 'tip.js', 'jobs.js', 'main.js'];

/** A value and no text, because bundlers rewrite templates that hold it. */
const SCRIPT_END = trusted('</script>');

/**
 * The comparison of two runs as one HTML file that needs nothing else: it loads nothing, and its content security policy
 * allows its own script and style alone. The same report gives the same file, to the byte.
 * @throws {FieldError} when a span names a job or a GPU that the report does not have.
 */
export function renderReport(report: Report): string {
  const data = timelineData(report);
  const style = `${pageFile('report.css')}${tones()}.track { height: ${trackPx(report.gpus)}px; }\n`;
  const script = `(() => {\n'use strict';\n${SCRIPTS.map(joined).join('\n')}})();\n`;
  const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${report.title} · Stint</title>
<style>${trusted(style)}</style>
</head>
<body>
${header(report)}
<main>
${timelineSection(report, data)}
<div class="columns">
${slowdownSection(report)}
${metricsSection(report, data)}
</div>
${moreTable(report)}
${jobsSection(report, data)}
</main>
<script type="application/json" id="data">${jsonForScript(data)}${SCRIPT_END}
<script>${trusted(script)}${SCRIPT_END}
</body>
</html>
`.markup;
}

function header(report: Report): Html {
  return html`<header>
<h1>${report.title}</h1>
<p class="lead">${lead(report)}</p>
<dl class="facts">${report.facts.map(([label, value]) => html`<div><dt>${label}</dt> <dd>${value}</dd></div>`)}</dl>
</header>`;
}

/** The whole report in a sentence. */
function lead({ runs }: Report): Html {
  const [first, second] = runs;
  const [one, other] = [first.metrics.mean_jct_s, second.metrics.mean_jct_s];
  if (first.jobs.length === 0 || second.jobs.length === 0)
    return html`No job finished, so there is nothing to compare.`;
  const { gained, lost } = balanceOf(pairsOf(runs));
  const seers = runs.filter(({ clairvoyant }) => clairvoyant).map(({ policy }) => policy);
  return html`Under ${named(second.policy)} the mean completion time is <b>${duration(other)}</b>, under ${named(first.policy)} <b>${duration(one)}</b>: <b>${change(other / one)}</b>. ${jobs(gained)} ${gained === 1 ? 'gains' : 'gain'}, ${jobs(lost)} ${lost === 1 ? 'loses' : 'lose'}.${seers.map(
    (policy) =>
      html` ${named(policy)} knows true durations, which nobody does: it can be compared with, not run.`,
  )}`;
}

function moreTable({ table: more }: Report): Html {
  if (more === undefined) return html``;
  const isFigure = more.columns.map((_, at) =>
    more.rows.every((row) => /^[\s×+−±-]*\d|^[–-]?$/.test(row[at] ?? '')),
  );
  return html`<section class="more" aria-labelledby="more">
<h2 id="more">In numbers</h2>
${table(
  'The numbers in a table',
  more.columns.map((column, at) => head(column, isFigure[at])),
  more.rows.map(
    (row) =>
      html`<tr>${more.columns.map((_, at) => html`<td${trusted(isFigure[at] ? '' : ' class="text"')}>${row[at] ?? ''}</td>`)}</tr>
`,
  ),
)}
<ul class="notes">${more.notes.map((note) => html`<li>${note}</li>`)}</ul>
</section>`;
}

/** Filled by the page's script, a page of rows at a time. */
function jobsSection({ runs }: Report, data: TimelineData): Html {
  if (data.jobs.id.length === 0) return html``;
  return html`<section id="jobs" aria-labelledby="jobs-title">
<div class="bar-of-tools">
<h2 id="jobs-title">Every job</h2>
<div class="tools">
<label>Find <input type="search" id="jobs-find" placeholder="job or user"></label>
<label>Order <select id="jobs-order"><option value="id">by submission</option><option value="gain">largest gain first</option><option value="loss">largest loss first</option></select></label>
<output id="jobs-shown"></output>
<button type="button" id="jobs-back">Back</button><button type="button" id="jobs-next">Next</button>
</div>
</div>
<div class="scroll" role="region" aria-label="Table of jobs" tabindex="0"><table id="jobs-table">
<caption class="unseen">Every job under both policies</caption>
<thead>
<tr><td colspan="5"></td>${runs.map((run) => html`<th scope="colgroup" colspan="4">${policyName(run)}</th>`)}</tr>
<tr>${['Job', 'Name', 'User'].map((label) => head(label))}${['GPUs', 'Submitted'].map((label) => head(label, true))}${runs.map(
    () => ['Started', 'Finished', 'Waited', 'Slowdown'].map((label) => head(label, true)),
  )}</tr>
</thead>
<tbody></tbody>
</table></div>
</section>`;
}

function tones(): string {
  const rules = TONES.map(
    ({ hue, deep }, tone) =>
      `.${toneClass(tone)} { --hue: oklch(var(${deep ? '--hue-deep' : '--hue-l'}) var(--hue-c) ${hue}); }\n`,
  );
  return `${rules.join('')}.${toneClass(NO_TONE)} { --hue: var(--tone-2); }\n`;
}

/** A module of the script without its imports and exports, which are to say that it is whole when it lies beside them. */
function joined(name: string): string {
  return pageFile(name)
    .replace(/^import [^;]*;\n/gm, '')
    .replace(/^export /gm, '');
}

/** With the line ends that a browser reads, so that the hash is the same wherever the file was checked out. */
function pageFile(name: string): string {
  return readFileSync(new URL(name, PAGE), 'utf8').replaceAll('\r\n', '\n');
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
