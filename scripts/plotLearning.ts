/**
 * Draws what docs/learning.md tells in numbers, from the records themselves:
 *
 *   node scripts/plotLearning.ts
 *
 * docs/images/learning-cells.svg: mean completion time of the shipped weights in every cell of the held-back evaluation, to the
 * best heuristic of the cell (resources/policy/second-wind.json). learning-curve.svg: its validations while it was trained.
 * learning-ablations.svg: what each part of the learner is worth (docs/ablations.json).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { meanIntervals } from '../src/lab/evaluate/bootstrap.ts';
import { ROOT } from './lib/run.ts';

interface Ratio {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}
interface Row extends Ratio {
  readonly label: string;
  /** Rows of one group have one heading. */
  readonly group: string;
}

const read = (path: string): unknown => JSON.parse(readFileSync(resolve(ROOT, path), 'utf8'));
const policy = read('resources/policy/second-wind.json') as {
  readonly curve: { readonly validations: readonly (Ratio & { readonly step: number })[] };
  readonly evaluation: {
    readonly regimes: readonly {
      readonly regime: string;
      readonly cells: readonly {
        readonly gpus: number;
        readonly load: number;
        readonly dqn: Ratio;
        readonly best_fixed: string;
      }[];
    }[];
  };
};
const ablations = read('docs/ablations.json') as {
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, { readonly ratio: number }>>>>;
};

const WIDTH = 720;
const LABEL = 190;
const ROW = 18;
const TOP = 46;
const INK = '#1f2933';
const FAINT = '#9aa5b1';
const GOOD = '#0b7285';
const BAD = '#c2255c';

const text = (x: number, y: number, words: string, more = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${words.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</text>`;

/** On white, so that it can be read on a dark page too. */
const picture = (height: number, title: string, parts: readonly string[]): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}" font-family="system-ui, sans-serif" font-size="12" fill="${INK}">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(12, 20, title, 'font-size="14" font-weight="600"'),
    ...parts,
    '</svg>',
    '',
  ].join('\n');

/** A row a ratio, with its interval, about a line at 1. */
function intervals(title: string, note: string, rows: readonly Row[]): string {
  const least = Math.min(1, ...rows.map(({ low }) => low));
  const most = Math.max(1, ...rows.map(({ high }) => high));
  const room = 0.05 * (most - least);
  const x = (ratio: number): number =>
    LABEL + ((ratio - least + room) / (most - least + 2 * room)) * (WIDTH - LABEL - 70);
  const parts = [text(12, 36, note, `fill="${FAINT}"`)];
  let y = TOP;
  let group = '';
  for (const row of rows) {
    if (row.group !== group) {
      y += ROW + 6;
      parts.push(text(12, y, row.group, 'font-weight="600"'));
      group = row.group;
    }
    y += ROW;
    const colour = row.high < 1 ? GOOD : row.low > 1 ? BAD : INK;
    const middle = y - 4;
    parts.push(
      text(24, y, row.label),
      `<line x1="${x(row.low).toFixed(1)}" x2="${x(row.high).toFixed(1)}" y1="${middle}" y2="${middle}" stroke="${colour}" stroke-width="2"/>`,
      `<circle cx="${x(row.ratio).toFixed(1)}" cy="${middle}" r="3.5" fill="${colour}"/>`,
      text(WIDTH - 60, y, row.ratio.toFixed(3), `fill="${colour}"`),
    );
  }
  const height = y + 34;
  parts.splice(
    1,
    0,
    `<line x1="${x(1).toFixed(1)}" x2="${x(1).toFixed(1)}" y1="${TOP}" y2="${y}" stroke="${FAINT}" stroke-dasharray="4 3"/>`,
  );
  parts.push(text(x(1), y + 18, '1', `text-anchor="middle" fill="${FAINT}"`));
  return picture(height, title, parts);
}

const cells = policy.evaluation.regimes.flatMap(({ regime, cells: of }) =>
  of.map(({ gpus, load, dqn, best_fixed }): Row => {
    const machine = `${gpus} ${gpus === 1 ? 'GPU' : 'GPUs'}, load ${load}`;
    return { ...dqn, label: `${machine}, to ${best_fixed}`, group: regime };
  }),
);

const whole = ablations.outcomes.whole!;
const parts = Object.entries(ablations.outcomes).flatMap(([name, bySeed]): Row[] => {
  if (name === 'whole') return [];
  const logs = Object.entries(bySeed).flatMap(([seed, { ratio }]) =>
    whole[seed] === undefined ? [] : [Math.log(ratio / whole[seed].ratio)],
  );
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const [interval] = meanIntervals({ counts: logs.map(() => 1), sums: [Float64Array.from(logs)] });
  const [low, high] = interval ?? [mean, mean];
  return [
    {
      label: name,
      group: `${logs.length} seeds`,
      ratio: Math.exp(mean),
      low: Math.exp(low),
      high: Math.exp(high),
    },
  ];
});

const curve = policy.curve.validations.map(
  ({ step, ratio, low, high }): Row => ({ label: `step ${step}`, group: 'validation', ratio, low, high }),
);

const write = (name: string, svg: string): void => {
  const path = `docs/images/${name}.svg`;
  writeFileSync(resolve(ROOT, path), svg);
  console.log(path);
};
write(
  'learning-cells',
  intervals(
    'dqn against the best heuristic of each cell, held-back windows',
    'mean completion time, ratio with 95 % interval; left of the line it is shorter',
    cells,
  ),
);
write(
  'learning-ablations',
  intervals(
    'The learner without a part (or with one), against the whole',
    'mean completion time, ratio with 95 % interval over seeds',
    parts,
  ),
);
write(
  'learning-curve',
  intervals(
    'Validations while the shipped weights were trained',
    'mean completion time, ratio to the policy that they start from',
    curve,
  ),
);
