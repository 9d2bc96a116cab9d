import { data, duration, element, moment, slowdownText } from './view.js';

/**
 * @typedef {import('../../src/lab/report/timelineData.ts').TimelineData} TimelineData
 * @typedef {import('./plot.js').Plot} Plot
 */

/** What is told of how a job fared, in this order. */
export const OUTCOMES = ['Started', 'Finished', 'Waited', 'Slowdown'];

/**
 * How a job fared under a policy, a value for each of the {@link OUTCOMES}.
 * @param {number} job index
 * @param {TimelineData['runs'][number]} run
 */
export function outcomeOf(job, run) {
  const { startS, finishS, waitedS, slowdown } = run.outcomes;
  const start = startS[job] ?? null;
  if (start === null) return OUTCOMES.map(() => '–');
  return [
    moment(start),
    moment(finishS[job] ?? 0),
    duration(waitedS[job] ?? 0),
    slowdownText(slowdown[job] ?? 1),
  ];
}

/**
 * What there is to say about a stretch and its job: lines of its own, and how the job fared under each policy.
 * @param {Plot} plot
 * @param {number} span
 */
export function detailsOf(plot, span) {
  const job = plot.jobOf(span);
  const on = (plot.run.spans.devices[span] ?? []).map((gpu) => `GPU ${gpu}`).join(', ');
  const does = plot.run.spans.computes[span] === 0 ? 'Paused' : 'Ran';
  return {
    id: `#${data.jobs.id[job]}`,
    name: data.jobs.name[job] ?? '',
    user: data.users[plot.userOf(span)]?.name ?? '',
    lines: [
      `asks for ${data.jobs.gpus[job]} ${data.jobs.gpus[job] === 1 ? 'GPU' : 'GPUs'}`,
      `submitted ${moment(data.jobs.submitS[job] ?? 0)}`,
    ],
    here: `${does} here ${duration(plot.toS(span) - plot.fromS(span))} on ${on}`,
    run: plot.run,
    outcomes: data.runs.map((run) => outcomeOf(job, run)),
  };
}

/** The same in a sentence, for those who listen: of the policy whose track it is. */
export function spoken(/** @type {ReturnType<typeof detailsOf>} */ details) {
  const { id, name, user, lines, here, run, outcomes } = details;
  const values = outcomes[data.runs.indexOf(run)] ?? [];
  const fared = OUTCOMES.map((label, i) => `${label.toLowerCase()} ${values[i]}`);
  return [`Job ${id}`, name, `of ${user}`, ...lines, ...fared, here].filter((text) => text !== '').join(', ');
}

/** An element with text, or with other elements, in it. */
export function make(/** @type {string} */ tag, /** @type {(string | Node)[]} */ ...content) {
  const made = document.createElement(tag);
  made.append(...content);
  return made;
}

/** A heading of a row or a column. */
export function headOf(/** @type {'row' | 'col'} */ scope, /** @type {string | Node} */ content) {
  const head = make('th', content);
  head.setAttribute('scope', scope);
  return head;
}

/** Both policies beside each other, the one that is pointed at in bold. */
function outcomesTable(/** @type {ReturnType<typeof detailsOf>} */ { run, outcomes }) {
  const heads = data.runs.map((each) => {
    const head = headOf('col', make('bdi', each.policy));
    if (each === run) head.className = 'pointed';
    return head;
  });
  const rows = OUTCOMES.map((label, i) =>
    make('tr', headOf('row', label), ...outcomes.map((values) => make('td', values[i] ?? ''))),
  );
  return make('table', make('thead', make('tr', make('td'), ...heads)), make('tbody', ...rows));
}

/**
 * Shows the details of a stretch below a place in the window, or above it where there is no room; of no stretch, takes
 * them away.
 */
export function showTip(
  /** @type {ReturnType<typeof detailsOf> | null} */ details,
  /** @type {number} */ x = 0,
  /** @type {number} */ top = 0,
  /** @type {number} */ bottom = top,
) {
  const tip = element('tip');
  tip.hidden = details === null;
  if (details === null) return;
  const { id, name, user, lines, here } = details;
  tip.replaceChildren(
    make('p', make('b', id, ' ', make('bdi', name))),
    make('p', make('bdi', user), ` · ${lines.join(' · ')}`),
    make('p', here),
    outcomesTable(details),
  );
  const { width, height } = tip.getBoundingClientRect();
  const left = x + 16 + width > innerWidth ? x - 16 - width : x + 16;
  tip.style.left = `${Math.max(4, left)}px`;
  const below = bottom + 16;
  const above = top - 16 - height;
  const y =
    below + height <= innerHeight - 4 || above < 4 ? Math.min(below, innerHeight - height - 4) : above;
  tip.style.top = `${Math.max(4, y)}px`;
}
