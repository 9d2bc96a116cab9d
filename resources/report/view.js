/**
 * What is seen of the common time axis, and how times are written. The modules of this folder become one script in a
 * report: each follows those that it imports, and no two declare the same name.
 * @typedef {import('../../src/lab/report/timelineData.ts').TimelineData} TimelineData
 */

/** @type {TimelineData} */
export const data = JSON.parse(element('data').textContent);

/** Seconds that can be seen at the least: a millisecond is the finest that the data knows. */
export const LEAST_SEEN_S = 0.1;

/** The window of time that all plots show. */
class View {
  constructor() {
    this.fromS = 0;
    this.toS = Math.max(data.endS, LEAST_SEEN_S);
    /** @type {(() => void)[]} */
    this.listeners = [];
  }

  /** Shows this window, moved and cut so that it lies within the runs. Returns whether anything changed. */
  show(/** @type {number} */ fromS, /** @type {number} */ lengthS) {
    const endS = Math.max(data.endS, LEAST_SEEN_S);
    const length = Math.min(endS, Math.max(LEAST_SEEN_S, lengthS));
    const from = Math.min(endS - length, Math.max(0, fromS));
    if (from === this.fromS && from + length === this.toS) return false;
    this.fromS = from;
    this.toS = from + length;
    for (const listener of this.listeners) listener();
    return true;
  }

  /** Shows `factor` times as much, `aroundS` staying in its place. */
  zoom(/** @type {number} */ factor, aroundS = (this.fromS + this.toS) / 2) {
    return this.show(aroundS - (aroundS - this.fromS) * factor, (this.toS - this.fromS) * factor);
  }

  /** Moves by a share of what is seen. */
  pan(/** @type {number} */ share) {
    const length = this.toS - this.fromS;
    return this.show(this.fromS + share * length, length);
  }

  showAll() {
    return this.show(0, Number.POSITIVE_INFINITY);
  }

  /** Moves just so far, and shows just so much more, that the stretch can be seen. */
  reveal(/** @type {number} */ fromS, /** @type {number} */ toS) {
    const length = Math.max(this.toS - this.fromS, (toS - fromS) * 1.2);
    const margin = Math.min(length * 0.1, (length - (toS - fromS)) / 2);
    const from = Math.max(toS + margin - length, Math.min(fromS - margin, this.fromS));
    this.show(from, length);
  }
}

export const view = new View();

/** The element of that id, which the page surely has. */
export function element(/** @type {string} */ id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @type {readonly (readonly [s: number, name: string])[]} */
const UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** Two units at most: `3 min 20 s`. As the console writes it. */
export function duration(/** @type {number} */ s) {
  if (s < 1) return `${Math.max(0, Math.round(s * 1000))} ms`;
  const whole = Math.round(s);
  const at = UNITS.findIndex(([unit]) => whole >= unit);
  const [big, bigName] = /** @type {readonly [number, string]} */ (UNITS[at]);
  const [small, smallName] = UNITS[at + 1] ?? [1, ''];
  const rest = smallName === '' ? 0 : Math.floor((whole % big) / small);
  return `${Math.floor(whole / big)} ${bigName}${rest > 0 ? ` ${rest} ${smallName}` : ''}`;
}

/** `1.07`, `14.2`, `1,234`. */
export function slowdownText(/** @type {number} */ value) {
  if (value < 9.995) return `${value.toFixed(2)}×`;
  if (value < 99.95) return `${value.toFixed(1)}×`;
  return `${count(value)}×`;
}

export function count(/** @type {number} */ value) {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Distances between two ticks that people count in, seconds. */
const TICKS_S = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800,
  21_600, 43_200, 86_400, 172_800, 432_000, 864_000, 1_728_000, 4_320_000, 8_640_000, 17_280_000, 43_200_000,
];

/** Times to mark in the window, at least so many pixels apart. */
export function ticksWithin(/** @type {number} */ widthPx, leastPx = 96) {
  const leastS = ((view.toS - view.fromS) / widthPx) * leastPx;
  const everyS = TICKS_S.find((s) => s >= leastS) ?? leastS;
  const ticks = [];
  for (let i = Math.ceil(view.fromS / everyS); i * everyS <= view.toS; i++) ticks.push(i * everyS);
  return ticks;
}

/** A point in time, to the minute once hours have passed. */
export function moment(/** @type {number} */ s) {
  return s < 3600 ? duration(s) : tickText(Math.round(s / 60) * 60);
}

/** A tick, to as many units as it takes: `2 d 3 h 30 min`, `1 min 2.5 s`. */
export function tickText(/** @type {number} */ s) {
  if (s === 0) return '0';
  const parts = [];
  let rest = Math.round(s * 1000) / 1000;
  for (const [unit, name] of UNITS) {
    const some = unit === 1 ? Math.round(rest * 1000) / 1000 : Math.floor(rest / unit);
    if (some > 0) parts.push(`${some} ${name}`);
    rest -= some * unit;
  }
  return parts.join(' ');
}
