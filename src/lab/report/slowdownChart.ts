import { count, times } from './figures.ts';
import { type Html, html } from './html.ts';
import type { Distribution } from './slowdowns.ts';

const WIDTH = 560;
const HEIGHT = 288;
const LEFT = 56;
const RIGHT = WIDTH - 12;
const TOP = 12;
const BOTTOM = HEIGHT - 44;
/** Shares of jobs that are marked at the side. */
const LEVELS: readonly (readonly [share: number, label: string])[] = [
  [0, '0 %'],
  [0.25, '25 %'],
  [0.5, 'median'],
  [0.75, '75 %'],
  [0.95, 'p95'],
];

export interface Curve {
  readonly policy: string;
  readonly distribution: Distribution;
}

/** Both empirical distribution functions, over a logarithmic axis, with their medians and 95th percentiles marked. */
export function slowdownChart(curves: readonly [Curve, Curve]): Html {
  const largest = Math.max(2, ...curves.map(({ distribution }) => distribution.largest));
  const scale = (RIGHT - LEFT) / Math.log(largest);
  const x = (slowdown: number): number => LEFT + Math.log(Math.max(1, slowdown)) * scale;
  const told = curves.map(
    ({ policy, distribution: { median, p95, largest: most } }) =>
      `${policy}: median ${times(median)}, 95th percentile ${times(p95)}, at most ${times(most)}.`,
  );
  return html`<svg class="cdf" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img"
 aria-label="Share of jobs by slowdown, cumulative. ${told.join(' ')}">
${LEVELS.map(([share, label]) => levelLine(share, label))}
${ticksTo(largest).map((tick) => tickLine(x(tick), `${count(tick)}×`))}
<text class="axis" x="${RIGHT}" y="${HEIGHT - 6}" text-anchor="end">slowdown, logarithmic</text>
<text class="axis" x="${LEFT}" y="${HEIGHT - 6}">share of jobs that fare no worse</text>
${curves.map((curve, index) => curveMarks(curve, index, x))}
</svg>`;
}

function levelLine(share: number, label: string): Html {
  const y = yOf(share).toFixed(1);
  const kind = share === 0 ? 'base' : share === 0.5 || share === 0.95 ? 'level' : 'grid';
  return html`<line class="${kind}" x1="${LEFT}" x2="${RIGHT}" y1="${y}" y2="${y}"/>
<text class="axis" x="${LEFT - 8}" y="${(yOf(share) + 4).toFixed(1)}" text-anchor="end">${label}</text>
`;
}

function tickLine(at: number, label: string): Html {
  return html`<line class="grid" x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${TOP}" y2="${BOTTOM}"/>
<text class="axis" x="${at.toFixed(1)}" y="${BOTTOM + 16}" text-anchor="middle">${label}</text>
`;
}

function curveMarks({ distribution }: Curve, index: number, x: (slowdown: number) => number): Html {
  const { sorted, median, p95 } = distribution;
  if (sorted.length === 0) return html``;
  const marks = (
    [
      [median, 0.5],
      [p95, 0.95],
    ] as const
  ).map(
    ([value, share]) =>
      html`<circle class="mark" cx="${x(value).toFixed(1)}" cy="${yOf(share).toFixed(1)}" r="4"/>`,
  );
  return html`<g class="curve curve-${index}"><path d="${stepsOf(sorted, x)}"/>${marks}</g>
`;
}

/** A step is only drawn where it moves the line by half a pixel. */
function stepsOf(sorted: Float64Array, x: (slowdown: number) => number): string {
  let path = `M${LEFT} ${yOf(0).toFixed(1)}`;
  let drawnX = LEFT;
  let drawnY = yOf(0);
  for (const [index, slowdown] of sorted.entries()) {
    const atX = x(slowdown);
    const atY = yOf((index + 1) / sorted.length);
    const last = index + 1 === sorted.length;
    if (!last && atX - drawnX < 0.5 && drawnY - atY < 0.5) continue;
    // The next is as large: both rise at once.
    if (sorted[index + 1] === slowdown) continue;
    path += `H${atX.toFixed(1)}V${atY.toFixed(1)}`;
    drawnX = atX;
    drawnY = atY;
  }
  return `${path}H${RIGHT}`;
}

function yOf(share: number): number {
  return BOTTOM - share * (BOTTOM - TOP);
}

/** 1, 2, 5, 10, …, or only every so many powers of ten, so that eight or so fit. */
function ticksTo(largest: number): number[] {
  const decades = Math.log10(largest);
  if (decades <= 2.5) {
    const powers = Array.from({ length: Math.floor(decades) + 1 }, (_, power) => 10 ** power);
    return powers.flatMap((power) => [power, 2 * power, 5 * power]).filter((tick) => tick <= largest);
  }
  const every = Math.ceil(decades / 8);
  return Array.from({ length: Math.floor(decades / every) + 1 }, (_, i) => 10 ** (i * every));
}
