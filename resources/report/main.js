import { JobsTable } from './jobs.js';
import { Plot, readColours } from './plot.js';
import { detailsOf, showTip, spoken } from './tip.js';
import { data, duration, element, LEAST_SEEN_S, view } from './view.js';

/** A share of the window for each arrow key, and how much more or less is seen for each step of zoom. */
const PAN_STEP = 0.15;
const ZOOM_STEP = 0.6;
/** Pixels that the pointer may move before a press becomes a drag. */
const DRAG_FROM_PX = 3;
/** A turn of the wheel that began as scrolling goes on as scrolling until it has rested for so long. */
const WHEEL_REST_MS = 250;

/** @type {Plot[]} */
const plots = [...document.querySelectorAll('canvas.over')].map(
  (canvas) => new Plot(/** @type {HTMLCanvasElement} */ (canvas)),
);
let colours = readColours();
/** What is pointed at: a moment, and a span of a plot. A span that was chosen by key or click stays. */
const pointed = {
  /** @type {number | null} */
  atS: null,
  /** @type {Plot | null} */
  plot: null,
  span: -1,
  stays: false,
};

/** @type {number | null} */
let frame = null;
/** Draws once before the next picture, however often it is asked to. */
function redraw() {
  if (frame !== null) return;
  frame = requestAnimationFrame(() => {
    frame = null;
    for (const plot of plots) plot.draw(colours);
    drawPointed();
  });
}

function drawPointed() {
  const job = pointed.plot && pointed.span >= 0 ? pointed.plot.jobOf(pointed.span) : -1;
  for (const plot of plots) plot.point(colours, pointed.atS, job);
}

function refit() {
  colours = readColours();
  for (const plot of plots) {
    plot.fit();
    plot.draw(colours);
  }
  drawPointed();
}

/**
 * @param {Plot | null} plot
 * @param {number} span
 * @param {boolean} stays
 * @param {PointerEvent} [at] beside it, or beside the stretch itself when left out
 */
function pointAt(plot, span, stays, at) {
  Object.assign(pointed, { plot, span, stays });
  if (plot === null || span < 0) {
    showTip(null);
  } else {
    const place = at ? { x: at.clientX, top: at.clientY, bottom: at.clientY } : placeOf(plot, span);
    showTip(detailsOf(plot, span), place.x, place.top, place.bottom);
  }
  drawPointed();
}

/** Where a stretch begins in the window, as far as it can be seen, and how high its track is. */
function placeOf(/** @type {Plot} */ plot, /** @type {number} */ span) {
  const box = plot.over.getBoundingClientRect();
  const gpu = plot.run.spans.devices[span]?.[0] ?? 0;
  const x = Math.max(0, Math.min(plot.width, plot.x(plot.fromS(span))));
  const top = box.top + gpu * plot.trackPx;
  return { x: box.left + x, top, bottom: top + plot.trackPx };
}

/** The next stretch in the order of starts; the first that can be seen when none is chosen. */
function step(/** @type {Plot} */ plot, /** @type {number} */ by) {
  const { order } = plot;
  const at = pointed.plot === plot ? order.indexOf(pointed.span) : -1;
  const firstSeen = order.findIndex((span) => plot.toS(span) >= view.fromS);
  const next = order[at < 0 ? Math.max(0, firstSeen) : Math.max(0, Math.min(order.length - 1, at + by))];
  if (next === undefined) return;
  view.reveal(plot.fromS(next), plot.toS(next));
  pointed.atS = null;
  pointAt(plot, next, true);
  element('said').textContent = spoken(detailsOf(plot, next));
}

/** @type {Readonly<Record<string, (plot: Plot) => void>>} */
const KEYS = {
  '+': () => view.zoom(ZOOM_STEP),
  '=': () => view.zoom(ZOOM_STEP),
  '-': () => view.zoom(1 / ZOOM_STEP),
  ArrowLeft: () => view.pan(-PAN_STEP),
  ArrowRight: () => view.pan(PAN_STEP),
  ArrowDown: (plot) => step(plot, 1),
  ArrowUp: (plot) => step(plot, -1),
  0: () => view.showAll(),
  Home: () => view.showAll(),
  Escape: () => pointAt(null, -1, false),
};

let scrolledAtMs = Number.NEGATIVE_INFINITY;

function onWheel(/** @type {Plot} */ plot, /** @type {WheelEvent} */ event) {
  const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
  if (!event.ctrlKey && !sideways && event.timeStamp - scrolledAtMs < WHEEL_REST_MS) {
    scrolledAtMs = event.timeStamp;
    return;
  }
  const px = (event.deltaX || event.deltaY) * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1);
  const moved = sideways
    ? view.pan(px / plot.width)
    : view.zoom(
        1.0015 ** (event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1)),
        plot.s(event.offsetX),
      );
  // Where there is nothing left to zoom, the page scrolls.
  if (moved || event.ctrlKey) event.preventDefault();
  else if (!sideways) scrolledAtMs = event.timeStamp;
}

/** Points, drags and clicks. */
function followPointer(/** @type {Plot} */ plot) {
  const { over } = plot;
  /** @type {{ x: number, fromS: number, drags: boolean } | null} */
  let press = null;
  over.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    over.setPointerCapture(event.pointerId);
    press = { x: event.clientX, fromS: view.fromS, drags: false };
  });
  over.addEventListener('pointermove', (event) => {
    if (press && (press.drags || Math.abs(event.clientX - press.x) > DRAG_FROM_PX)) {
      press.drags = true;
      over.classList.add('dragged');
      const length = view.toS - view.fromS;
      view.show(press.fromS - ((event.clientX - press.x) / plot.width) * length, length);
      return;
    }
    pointed.atS = plot.s(event.offsetX);
    if (pointed.stays) drawPointed();
    else pointAt(plot, plot.hit(event.offsetX, event.offsetY), false, event);
  });
  over.addEventListener('pointerup', (event) => {
    if (press && !press.drags) {
      const span = plot.hit(event.offsetX, event.offsetY);
      pointAt(plot, span, span >= 0, event);
    }
    press = null;
    over.classList.remove('dragged');
  });
  over.addEventListener('pointercancel', () => {
    press = null;
    over.classList.remove('dragged');
  });
  over.addEventListener('pointerleave', () => {
    pointed.atS = null;
    if (pointed.stays) drawPointed();
    else pointAt(null, -1, false);
  });
}

for (const plot of plots) {
  const { over } = plot;
  followPointer(plot);
  over.addEventListener('wheel', (event) => onWheel(plot, event), { passive: false });
  over.addEventListener('keydown', (event) => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : KEYS[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act(plot);
  });
  over.addEventListener('blur', () => pointAt(null, -1, false));
}
addEventListener('scroll', () => !pointed.stays && pointAt(null, -1, false), { passive: true });

view.listeners.push(redraw, sayWindow, () => {
  // What was chosen takes its details along; what was only pointed at is no longer there.
  if (pointed.plot && pointed.stays) pointAt(pointed.plot, pointed.span, true);
  else if (pointed.span >= 0) pointAt(null, -1, false);
});

function sayWindow() {
  const whole = view.fromS === 0 && view.toS >= data.endS;
  element('window').textContent = whole
    ? `all of ${duration(data.endS)}`
    : `${duration(view.fromS)} to ${duration(view.toS)}`;
  for (const [id, off] of /** @type {const} */ ([
    ['zoom-out', whole],
    ['zoom-all', whole],
    ['zoom-in', view.toS - view.fromS <= LEAST_SEEN_S || plots.length === 0],
  ])) {
    /** @type {HTMLButtonElement} */ (element(id)).disabled = off;
  }
}

element('zoom-in').addEventListener('click', () => view.zoom(ZOOM_STEP));
element('zoom-out').addEventListener('click', () => view.zoom(1 / ZOOM_STEP));
element('zoom-all').addEventListener('click', () => view.showAll());
new ResizeObserver(refit).observe(element('allocation'));
// The canvases know nothing of themes and paper.
for (const query of ['(prefers-color-scheme: dark)', 'print']) {
  matchMedia(query).addEventListener('change', refit);
}
sayWindow();
refit();
if (data.jobs.id.length > 0) new JobsTable();
