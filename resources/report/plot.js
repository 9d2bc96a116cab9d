import { data, moment, ticksWithin, tickText, view } from './view.js';

/** @typedef {import('../../src/lab/report/timelineData.ts').TimelineData} TimelineData */

/** Heights below the tracks: of the counts with the space above them, and of the axis. */
const COUNTS_PX = 56;
const COUNTS_GAP_PX = 12;
const AXIS_PX = 20;
/** Between two tracks. */
const TRACK_GAP_PX = 2;
/** From so many pixels on a bar has an edge, and with so much room its name. */
const EDGE_FROM_PX = 7;
const LABEL_FROM_PX = 32;
const FONT = '12px';

/**
 * A stretch on a track: `x` and the rest in pixels of the plot.
 * @typedef {{ span: number, x0: number, x1: number, y: number, height: number }} Bar
 */

/** The colours of the theme in force. */
export function readColours() {
  const style = getComputedStyle(document.documentElement);
  const of = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const probe = document.body.appendChild(document.createElement('i'));
  const users = data.users.map(({ tone }) => {
    probe.className = tone < 0 ? 'tone-none' : `tone-${tone}`;
    return getComputedStyle(probe).getPropertyValue('--hue').trim();
  });
  probe.remove();
  const paper = of('--paper');
  return {
    paper,
    ink: of('--ink'),
    dim: of('--ink-3'),
    line: of('--line'),
    lineStrong: of('--line-strong'),
    shade: of('--shade-strong'),
    running: of('--tone-2'),
    font: style.getPropertyValue('--font-text'),
    edges: users.map(plain),
    fills: users.map((hue) => plain(`color-mix(in oklab, ${hue} 36%, ${paper})`)),
    dense: users.map((hue) => plain(`color-mix(in oklab, ${hue} 72%, ${paper})`)),
    /** @type {(CanvasPattern | null)[]} */
    hatches: users.map(() => null),
  };
}

/** The colour as `rgb()`, which a canvas takes many times faster than a mixture. */
function plain(/** @type {string} */ colour) {
  const dot = new OffscreenCanvas(1, 1);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    dot.getContext('2d', { willReadFrequently: true })
  );
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return `rgb(${red} ${green} ${blue})`;
}

/** The tracks and counts of one run, drawn on two canvases: what is there, and over it what is pointed at. */
export class Plot {
  /** @param {HTMLCanvasElement} over */
  constructor(over) {
    this.over = over;
    this.bars = /** @type {HTMLCanvasElement} */ (over.previousElementSibling);
    this.run = /** @type {TimelineData['runs'][number]} */ (data.runs[Number(over.dataset.run)]);
    const track = /** @type {HTMLElement} */ (over.closest('.plot')?.querySelector('.track'));
    this.trackPx = track.offsetHeight;
    this.tracksPx = this.trackPx * data.gpus;
    this.height = this.tracksPx + COUNTS_GAP_PX + COUNTS_PX + AXIS_PX;
    this.width = 0;
    this.order = this.run.spans.job
      .map((_, span) => span)
      .filter((span) => (this.run.spans.devices[span]?.length ?? 0) > 0)
      .sort((a, b) => this.fromS(a) - this.fromS(b) || a - b);
  }

  fromS(/** @type {number} */ span) {
    return /** @type {number} */ (this.run.spans.fromS[span]);
  }
  toS(/** @type {number} */ span) {
    return /** @type {number} */ (this.run.spans.toS[span]);
  }
  jobOf(/** @type {number} */ span) {
    return /** @type {number} */ (this.run.spans.job[span]);
  }
  userOf(/** @type {number} */ span) {
    return /** @type {number} */ (data.jobs.user[this.jobOf(span)]);
  }
  x(/** @type {number} */ s) {
    return ((s - view.fromS) / (view.toS - view.fromS)) * this.width;
  }
  s(/** @type {number} */ x) {
    return view.fromS + (x / this.width) * (view.toS - view.fromS);
  }

  /** As wide as there is room, and as fine as the screen. */
  fit() {
    this.width = /** @type {HTMLElement} */ (this.over.parentElement).clientWidth;
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.bars, this.over]) {
      canvas.width = Math.round(this.width * ratio);
      canvas.height = Math.round(this.height * ratio);
      canvas.style.width = `${this.width}px`;
      canvas.style.height = `${this.height}px`;
    }
  }

  /** @param {HTMLCanvasElement} canvas */
  cleared(canvas) {
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    return context;
  }

  /** What can be seen of the bars, or of those of one job, track by track. Of those that share a pixel only the first. */
  *visibleBars(job = -1) {
    const { fromS, toS } = this.run.spans;
    const scale = this.width / (view.toS - view.fromS);
    const inner = this.trackPx - TRACK_GAP_PX;
    for (const [gpu, track] of this.run.tracks.entries()) {
      const lastPx = new Map();
      for (let i = 0; i < track.span.length; i++) {
        const span = /** @type {number} */ (track.span[i]);
        const from = /** @type {number} */ (fromS[span]);
        const to = /** @type {number} */ (toS[span]);
        if (to < view.fromS || from > view.toS || (job >= 0 && this.jobOf(span) !== job)) continue;
        const lane = /** @type {number} */ (track.lane[i]);
        const lanes = /** @type {number} */ (track.lanes[i]);
        const x0 = Math.max(-8, Math.round((from - view.fromS) * scale));
        const x1 = Math.min(this.width + 8, Math.max(x0 + 1, Math.round((to - view.fromS) * scale)));
        const key = lane * 1024 + lanes;
        if (x1 <= (lastPx.get(key) ?? Number.NEGATIVE_INFINITY)) continue;
        lastPx.set(key, x1);
        const y = gpu * this.trackPx + Math.round((lane * inner) / lanes) + TRACK_GAP_PX / 2;
        const below = gpu * this.trackPx + Math.round(((lane + 1) * inner) / lanes) + TRACK_GAP_PX / 2;
        yield { span, x0, x1, y, height: Math.max(1, below - y - (lanes > 1 && below - y > 3 ? 1 : 0)) };
      }
    }
  }

  /** @param {ReturnType<typeof readColours>} colours */
  draw(colours) {
    const context = this.cleared(this.bars);
    context.font = `${FONT} ${colours.font}`;
    this.drawGrid(context, colours);
    // By user: to change a canvas's colour costs more than to draw a bar.
    /** @type {Bar[][]} */
    const ofUsers = data.users.map(() => []);
    for (const bar of this.visibleBars()) ofUsers[this.userOf(bar.span)]?.push(bar);
    for (const [user, bars] of ofUsers.entries()) this.drawBars(context, colours, user, bars);
    this.drawCounts(context, colours);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {ReturnType<typeof readColours>} colours
   */
  drawGrid(context, colours) {
    const countsFrom = this.tracksPx + COUNTS_GAP_PX;
    const bottom = countsFrom + COUNTS_PX;
    const ticks = ticksWithin(this.width);
    context.fillStyle = colours.line;
    for (let gpu = 0; gpu <= data.gpus; gpu++) {
      if (this.trackPx >= 12 || gpu % 2 === 0) context.fillRect(0, gpu * this.trackPx, this.width, 1);
    }
    context.fillRect(0, countsFrom, this.width, 1);
    for (const tick of ticks) context.fillRect(Math.round(this.x(tick)), 0, 1, bottom);
    context.fillStyle = colours.lineStrong;
    context.fillRect(0, bottom, this.width, 1);
    context.fillStyle = colours.dim;
    context.textBaseline = 'middle';
    for (const tick of ticks) {
      const text = tickText(tick);
      const half = context.measureText(text).width / 2;
      // At the sides a label leans inwards.
      const at = Math.min(this.width - half, Math.max(half, this.x(tick)));
      context.textAlign = 'center';
      context.fillText(text, at, bottom + AXIS_PX / 2 + 2);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {ReturnType<typeof readColours>} colours
   * @param {number} user
   * @param {readonly Bar[]} bars
   */
  drawBars(context, colours, user, bars) {
    const { computes } = this.run.spans;
    const solid = bars.filter(({ span }) => computes[span] === 1);
    const wide = solid.filter(({ x0, x1 }) => x1 - x0 >= EDGE_FROM_PX);
    context.fillStyle = /** @type {string} */ (colours.dense[user]);
    for (const { x0, x1, y, height } of solid) {
      // A hair of paper tells one stretch from the next.
      if (x1 - x0 < EDGE_FROM_PX) context.fillRect(x0, y, x1 - x0 - (x1 - x0 > 3 ? 1 : 0), height);
    }
    context.fillStyle = /** @type {string} */ (colours.fills[user]);
    for (const { x0, x1, y, height } of wide) context.fillRect(x0, y, x1 - x0 - 1, height);
    context.fillStyle = /** @type {string} */ (colours.edges[user]);
    for (const { x0, y, height } of wide) context.fillRect(x0, y, height < 12 ? 2 : 3, height);
    context.fillStyle = colours.ink;
    for (const bar of wide) this.drawLabel(context, bar);
    for (const { span, x0, x1, y, height } of bars) {
      if (computes[span] === 0) this.drawPaused(context, colours, user, { x0, y, width: x1 - x0, height });
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Bar} bar
   */
  drawLabel(context, { span, x0, x1, y, height }) {
    const left = Math.max(0, x0) + 8;
    const room = Math.min(x1, this.width) - left - 4;
    if (height < 14 || room < LABEL_FROM_PX) return;
    context.save();
    context.beginPath();
    context.rect(left, y, room, height);
    context.clip();
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    context.fillText(barLabel(this.jobOf(span)), left, y + height / 2 + 1);
    context.restore();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {ReturnType<typeof readColours>} colours
   * @param {number} user
   * @param {{ x0: number, y: number, width: number, height: number }} box
   */
  drawPaused(context, colours, user, { x0, y, width, height }) {
    const hue = /** @type {string} */ (colours.edges[user]);
    colours.hatches[user] ??= hatchOf(context, hue);
    context.fillStyle = colours.hatches[user] ?? hue;
    context.fillRect(x0, y, Math.max(1, width - 1), height);
    if (width < 4) return;
    context.strokeStyle = hue;
    context.lineWidth = 1;
    context.strokeRect(x0 + 0.5, y + 0.5, width - 2, height - 1);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {ReturnType<typeof readColours>} colours
   */
  drawCounts(context, colours) {
    const bottom = this.tracksPx + COUNTS_GAP_PX + COUNTS_PX;
    const scale = (COUNTS_PX - 4) / Math.max(1, data.mostAtOnce);
    const yOf = (/** @type {number} */ value) => bottom - 1 - Math.round(value * scale);
    const { waiting, running } = this.run.counts;
    context.fillStyle = colours.shade;
    for (const { x0, x1, value } of this.stepsOf(waiting)) {
      context.fillRect(x0, yOf(value), x1 - x0, bottom - yOf(value));
    }
    for (const { values, colour } of [
      { values: running, colour: colours.running },
      { values: waiting, colour: colours.ink },
    ]) {
      context.fillStyle = colour;
      for (const { x0, x1, value, least, most } of this.stepsOf(values)) {
        context.fillRect(x0, yOf(value) - 1, x1 - x0, 2);
        if (least < most) context.fillRect(x0 - 1, yOf(most) - 1, 2, yOf(least) - yOf(most) + 2);
      }
    }
  }

  /**
   * The steps of a line in the window: from `x0` to `x1` it is at `value`, and at `x0`, where many steps may fall on one
   * pixel, it spans `least` to `most`.
   * @param {readonly number[]} values
   */
  *stepsOf(values) {
    const { atS } = this.run.counts;
    const first = Math.max(0, lastAtOrBefore(atS, view.fromS));
    let value = values[first] ?? 0;
    const start = Math.max(0, Math.round(this.x(atS[first] ?? 0)));
    let step = { x0: start, x1: this.width, value, least: value, most: value };
    for (let i = first + 1; i < atS.length && /** @type {number} */ (atS[i]) <= view.toS; i++) {
      const next = /** @type {number} */ (values[i]);
      if (next === value) continue;
      const x = Math.round(this.x(/** @type {number} */ (atS[i])));
      if (x !== step.x0) {
        yield { ...step, x1: x };
        step = { x0: x, x1: this.width, value, least: value, most: value };
      }
      value = next;
      step.value = next;
      step.least = Math.min(step.least, next);
      step.most = Math.max(step.most, next);
    }
    yield step;
  }

  /** The span under a point of the plot, or one right beside it; −1 where there is none. */
  hit(/** @type {number} */ x, /** @type {number} */ y) {
    let best = -1;
    let bestPx = 3;
    for (const { span, x0, x1, y: top, height } of this.visibleBars()) {
      if (y < top || y > top + height) continue;
      const away = Math.max(0, x0 - x, x - x1);
      if (away < bestPx) {
        best = span;
        bestPx = away;
      }
    }
    return best;
  }

  /** How many wait and run at a time. */
  countsAt(/** @type {number} */ s) {
    const { atS, waiting, running } = this.run.counts;
    const at = lastAtOrBefore(atS, s);
    return at < 0 ? [0, 0] : [waiting[at], running[at]];
  }

  /**
   * The moment that is pointed at, and every stretch of a job.
   * @param {ReturnType<typeof readColours>} colours
   * @param {number | null} atS
   * @param {number} job index, or −1
   */
  point(colours, atS, job) {
    const context = this.cleared(this.over);
    context.font = `${FONT} ${colours.font}`;
    if (job >= 0) {
      context.strokeStyle = colours.ink;
      context.lineWidth = 2;
      for (const { x0, x1, y, height } of this.visibleBars(job)) {
        context.strokeRect(x0, y, Math.max(1, x1 - x0 - 1), height);
      }
    }
    if (atS === null || atS < view.fromS || atS > view.toS) return;
    const x = Math.round(this.x(atS));
    const bottom = this.height - AXIS_PX;
    context.fillStyle = colours.ink;
    context.fillRect(x, 0, 1, bottom);
    this.flag(context, colours, moment(atS), x, bottom);
    const [waiting, running] = this.countsAt(atS);
    this.flag(
      context,
      colours,
      `${waiting} waiting · ${running} running`,
      x,
      this.tracksPx + COUNTS_GAP_PX + 2,
    );
  }

  /**
   * Text on a ground of ink, beside a line.
   * @param {CanvasRenderingContext2D} context
   * @param {ReturnType<typeof readColours>} colours
   * @param {string} text
   * @param {number} x
   * @param {number} top
   */
  flag(context, colours, text, x, top) {
    const width = context.measureText(text).width + 8;
    const left = x + width > this.width ? x - width : x;
    context.fillStyle = colours.ink;
    context.fillRect(left, top, width, 18);
    context.fillStyle = colours.paper;
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    context.fillText(text, left + 4, top + 10);
  }
}

/** Index of the last of the ascending times that is not after `s`; −1 if all are. */
function lastAtOrBefore(/** @type {readonly number[]} */ times, /** @type {number} */ s) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {number} */ (times[middle]) <= s) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Diagonals of a colour, a pattern to fill with. */
function hatchOf(/** @type {CanvasRenderingContext2D} */ context, /** @type {string} */ colour) {
  const tile = document.createElement('canvas');
  tile.width = 6;
  tile.height = 6;
  const lines = /** @type {CanvasRenderingContext2D} */ (tile.getContext('2d'));
  lines.strokeStyle = colour;
  lines.lineWidth = 1.5;
  for (const shift of [-6, 0, 6]) {
    lines.moveTo(shift, 6);
    lines.lineTo(shift + 6, 0);
  }
  lines.stroke();
  return context.createPattern(tile, 'repeat');
}

/** A job's name for a bar, without characters that turn the writing around or are not written at all. */
function barLabel(/** @type {number} */ job) {
  const name = data.jobs.name[job];
  const plain = name?.replace(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, 80) ?? '';
  return `#${data.jobs.id[job]} ${plain}`;
}
