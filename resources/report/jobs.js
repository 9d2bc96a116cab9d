import { headOf, make, outcomeOf } from './tip.js';
import { count, data, element, moment } from './view.js';

/** Rows of the table that are shown at once. */
const ROWS = 50;

/** The table of every job: found, ordered and turned like pages. */
export class JobsTable {
  constructor() {
    this.find = /** @type {HTMLInputElement} */ (element('jobs-find'));
    this.order = /** @type {HTMLSelectElement} */ (element('jobs-order'));
    this.back = /** @type {HTMLButtonElement} */ (element('jobs-back'));
    this.next = /** @type {HTMLButtonElement} */ (element('jobs-next'));
    this.body = /** @type {HTMLElement} */ (element('jobs-table').querySelector('tbody'));
    this.from = 0;
    /** @type {number[]} */
    this.rows = [];
    this.find.addEventListener('input', () => this.choose());
    this.order.addEventListener('change', () => this.choose());
    this.back.addEventListener('click', () => this.turn(-ROWS));
    this.next.addEventListener('click', () => this.turn(ROWS));
    this.choose();
  }

  choose() {
    const wanted = this.find.value.trim().toLowerCase();
    this.rows = data.jobs.id.map((_, job) => job).filter((job) => wanted === '' || isWanted(job, wanted));
    const sign = this.order.value === 'gain' ? 1 : -1;
    if (this.order.value !== 'id') this.rows.sort((a, b) => sign * (gainOf(b) - gainOf(a)) || a - b);
    else this.rows.sort((a, b) => (data.jobs.submitS[a] ?? 0) - (data.jobs.submitS[b] ?? 0) || a - b);
    this.from = 0;
    this.show();
  }

  turn(/** @type {number} */ by) {
    this.from = Math.max(0, Math.min(this.from + by, this.rows.length - 1));
    this.show();
  }

  show() {
    const shown = this.rows.slice(this.from, this.from + ROWS);
    this.body.replaceChildren(...shown.map(jobRow));
    this.back.disabled = this.from === 0;
    this.next.disabled = this.from + ROWS >= this.rows.length;
    element('jobs-shown').textContent =
      shown.length === 0
        ? 'none'
        : `${count(this.from + 1)}–${count(this.from + shown.length)} of ${count(this.rows.length)}`;
  }
}

function isWanted(/** @type {number} */ job, /** @type {string} */ wanted) {
  const { id, name, user } = data.jobs;
  const texts = [`#${id[job]}`, name[job] ?? '', data.users[user[job] ?? 0]?.name ?? ''];
  return texts.some((text) => text.toLowerCase().includes(wanted));
}

/** By how much a job's slowdown is less under the second policy; 0 where it did not run under both. */
function gainOf(/** @type {number} */ job) {
  const [before, after] = data.runs.map((run) => run.outcomes.slowdown[job] ?? null);
  return before == null || after == null ? 0 : before - after;
}

function jobRow(/** @type {number} */ job) {
  const id = headOf('row', `#${data.jobs.id[job]}`);
  const user = data.users[data.jobs.user[job] ?? 0];
  const swatch = make('i');
  swatch.className = `swatch ${(user?.tone ?? -1) < 0 ? 'tone-none' : `tone-${user?.tone}`}`;
  const words = [
    make('td', make('bdi', data.jobs.name[job] ?? '–')),
    make('td', swatch, make('bdi', user?.name ?? '')),
  ];
  for (const cell of words) cell.className = 'text';
  const figures = [
    `${data.jobs.gpus[job]}`,
    moment(data.jobs.submitS[job] ?? 0),
    ...data.runs.flatMap((run) => outcomeOf(job, run)),
  ];
  return make('tr', id, ...words, ...figures.map((figure) => make('td', figure)));
}
