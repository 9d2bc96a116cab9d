import { FieldError } from './errors.ts';
import { type Rng, randomInt } from './rng.ts';

/** One job of an array or a sweep: its index, and what its placeholders stand for. */
export interface Point {
  readonly index: number;
  readonly values: Record<string, string>;
}

/** What one parameter of a sweep may be. */
export type Axis = { readonly name: string } & (
  | { readonly kind: 'list'; readonly values: readonly string[] }
  /** Whole numbers, both ends included. */
  | { readonly kind: 'range'; readonly from: number; readonly to: number; readonly step: number }
  /** Drawn at random; on a logarithmic scale where `log`. */
  | { readonly kind: 'interval'; readonly from: number; readonly to: number; readonly log: boolean }
);

/** Points of one array or sweep, at most; `domain/array` says the same to the contract. */
const MOST_POINTS = 10_000;
const tooMany = (flag: string, text: unknown, count: number): FieldError =>
  new FieldError(flag, text, `that makes ${count} jobs: give at most ${MOST_POINTS}`);

/**
 * Reads Slurm's `0-9%2`: indices 1,3,5-7,10-20:5 and how many may run at once.
 * @throws {FieldError} naming `flag`.
 */
export function parseArray(text: string, flag: string): { points: Point[]; atMost: number | null } {
  const wrong = () =>
    new FieldError(flag, text, 'give indices, such as 0-9, 1,3,5-7, 0-100:10, or 0-9%2 for two at once');
  const match = /^([\d\s,:-]+?)(?:%(\d{1,5}))?$/.exec(text.trim());
  if (match === null) throw wrong();
  const atMost = match[2] === undefined ? null : Number(match[2]);
  if (atMost === 0) throw wrong();
  const indices = new Set<number>();
  for (const part of match[1]!.split(',')) {
    const range = /^\s*(\d{1,10})(?:\s*-\s*(\d{1,10})(?::(\d{1,10}))?)?\s*$/.exec(part);
    if (range === null) throw wrong();
    const [from, to, step] = [Number(range[1]), Number(range[2] ?? range[1]), Number(range[3] ?? 1)];
    if (from > to || step === 0 || to >= 2 ** 31) throw wrong();
    if ((to - from) / step >= MOST_POINTS) throw tooMany(flag, text, Math.floor((to - from) / step) + 1);
    for (let index = from; index <= to; index += step) indices.add(index);
    if (indices.size > MOST_POINTS) throw tooMany(flag, text, indices.size);
  }
  return { points: [...indices].sort((a, b) => a - b).map((index) => ({ index, values: {} })), atMost };
}

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;
const RANGE = /^([+-]?\d+)\.\.([+-]?\d+)(?:\.\.(\d+))?$/;
const INTERVAL = new RegExp(`^(log|uniform):(${NUMBER})\\.\\.(${NUMBER})$`);

/**
 * Reads one `--sweep`: `lr=1e-3,3e-4`, whole numbers `seed=0..4` or `0..100..10`, and for random sweeps
 * `lr=log:1e-5..1e-1` or `dropout=uniform:0..0.5`.
 * @throws {FieldError} naming `flag`.
 */
export function parseAxis(text: string, flag: string): Axis {
  const wrong = (remedy: string) => new FieldError(flag, text, remedy);
  const name = /^([A-Za-z_]\w{0,99})=/.exec(text)?.[1];
  if (name === undefined) throw wrong('give NAME=VALUES, such as lr=1e-3,3e-4 or seed=0..4');
  // It is each job's own already; and objects of JavaScript have no room for the other.
  if (name === 'index' || name === '__proto__') throw wrong('choose another name');
  const given = text.slice(name.length + 1);
  if (given === '') throw wrong(`give values, such as ${name}=1,2`);
  const range = RANGE.exec(given);
  if (range !== null) {
    const [from, to, step] = [Number(range[1]), Number(range[2]), Number(range[3] ?? 1)];
    if (from > to || step === 0 || !Number.isSafeInteger(from) || !Number.isSafeInteger(to)) {
      throw wrong('put the smaller number first, such as 0..4, and a step of 1 or more');
    }
    if ((to - from) / step >= MOST_POINTS) throw tooMany(flag, text, Math.floor((to - from) / step) + 1);
    return { name, kind: 'range', from, to, step };
  }
  const interval = INTERVAL.exec(given);
  if (interval !== null) {
    const [from, to, log] = [Number(interval[2]), Number(interval[3]), interval[1] === 'log'];
    if (!(from < to) || !Number.isFinite(to - from)) throw wrong('put the smaller number first');
    if (log && from <= 0) throw wrong('a logarithmic scale begins above 0');
    return { name, kind: 'interval', from, to, log };
  }
  if (/^(log|uniform):/.test(given)) throw wrong(`give two numbers, such as ${name}=log:1e-5..1e-1`);
  const values = splitList(given);
  if (values.length > MOST_POINTS) throw tooMany(flag, text, values.length);
  return { name, kind: 'list', values };
}

/** What `parseAxis` makes the same axis of. */
export function axisText(axis: Axis): string {
  if (axis.kind === 'list')
    return `${axis.name}=${axis.values.map((value) => value.replaceAll(',', '\\,')).join(',')}`;
  const ends = `${axis.from}..${axis.to}`;
  if (axis.kind === 'interval') return `${axis.name}=${axis.log ? 'log' : 'uniform'}:${ends}`;
  return `${axis.name}=${ends}${axis.step === 1 ? '' : `..${axis.step}`}`;
}

/** Commas separate; `\,` is one that does not. */
function splitList(text: string): string[] {
  return text.split(/(?<!\\),/).map((value) => value.replaceAll('\\,', ','));
}

/** Two axes of one name would contradict each other. @throws {FieldError} */
export function checkAxes(axes: readonly Axis[], flag: string): void {
  const seen = new Set<string>();
  for (const { name } of axes) {
    if (seen.has(name)) throw new FieldError(flag, name, 'give each parameter once, with all of its values');
    seen.add(name);
  }
}

/** How many values an axis has; Infinity for an interval. */
const countOf = (axis: Axis): number => {
  if (axis.kind === 'list') return axis.values.length;
  return axis.kind === 'range' ? Math.floor((axis.to - axis.from) / axis.step) + 1 : Number.POSITIVE_INFINITY;
};

const valueAt = (axis: Exclude<Axis, { kind: 'interval' }>, at: number): string =>
  axis.kind === 'list' ? axis.values[at]! : String(axis.from + at * axis.step);

/**
 * Every combination, the last parameter changing fastest.
 * @throws {FieldError} naming `flag`, where an axis is an interval, or they are too many.
 */
export function grid(axes: readonly Axis[], flag: string): Point[] {
  const finite = axes.map((axis) => {
    if (axis.kind !== 'interval') return axis;
    throw new FieldError(
      flag,
      axis.name,
      'an interval has no end of values: say how many to draw with --samples',
    );
  });
  const count = finite.reduce((product, axis) => product * countOf(axis), 1);
  if (count > MOST_POINTS) throw tooMany(flag, axes.map(({ name }) => name).join(' '), count);
  return Array.from({ length: count }, (_, index) => ({ index, values: combination(finite, index) }));
}

function combination(
  axes: readonly Exclude<Axis, { kind: 'interval' }>[],
  index: number,
): Record<string, string> {
  const chosen: [string, string][] = [];
  let rest = index;
  for (const axis of axes.toReversed()) {
    const count = countOf(axis);
    chosen.unshift([axis.name, valueAt(axis, rest % count)]);
    rest = Math.floor(rest / count);
  }
  return Object.fromEntries(chosen);
}

/**
 * So many points drawn at random; of finitely many combinations, none twice.
 * @throws {FieldError} naming `flag`, where there are not so many.
 */
export function randomPoints(axes: readonly Axis[], samples: number, rng: Rng, flag: string): Point[] {
  if (samples > MOST_POINTS) throw tooMany(flag, samples, samples);
  const count = axes.reduce((product, axis) => product * countOf(axis), 1);
  if (samples > count) {
    throw new FieldError(flag, samples, `there are only ${count} combinations: leave it out to run them all`);
  }
  const finite = axes.filter((axis) => axis.kind !== 'interval');
  if (finite.length === axes.length) {
    return distinctInts(samples, count, rng).map((at, index) => ({ index, values: combination(finite, at) }));
  }
  return Array.from({ length: samples }, (_, index) => ({
    index,
    values: Object.fromEntries(axes.map((axis) => [axis.name, drawn(axis, rng)])),
  }));
}

/** So many different whole numbers from 0 to `below`, in random order. */
function distinctInts(howMany: number, below: number, rng: Rng): number[] {
  if (howMany * 2 <= below) {
    const chosen = new Set<number>();
    while (chosen.size < howMany) chosen.add(randomInt(rng, below));
    return [...chosen];
  }
  const all = Array.from({ length: below }, (_, i) => i);
  for (let i = 0; i < howMany; i++) {
    const other = i + randomInt(rng, below - i);
    [all[i], all[other]] = [all[other]!, all[i]!];
  }
  return all.slice(0, howMany);
}

function drawn(axis: Axis, rng: Rng): string {
  if (axis.kind !== 'interval') return valueAt(axis, randomInt(rng, countOf(axis)));
  const { from, to, log } = axis;
  const value = log ? from * (to / from) ** rng.next() : from + (to - from) * rng.next();
  // So many digits tell samples apart, and are still read by a person.
  return String(Number(value.toPrecision(6)));
}

/**
 * Points from a file: CSV whose head names the parameters, or JSON, a list of objects.
 * @param flag named in errors, with the line.
 * @throws {FieldError}
 */
export function parsePoints(text: string, flag: string): Point[] {
  const rows = text.trimStart().startsWith('[') ? jsonRows(text, flag) : csvRows(text, flag);
  if (rows.length === 0) throw new FieldError(flag, '', 'give a file with at least one point');
  if (rows.length > MOST_POINTS) throw tooMany(flag, 'the file', rows.length);
  return rows.map((values, index) => ({ index, values }));
}

const PARAMETER = /^[A-Za-z_]\w{0,99}$/;

function jsonRows(text: string, flag: string): Record<string, string>[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw new FieldError(flag, (error as Error).message, 'give JSON, such as [{"lr": 0.001, "seed": 1}]');
  }
  return (list as unknown[]).map((row, at) => {
    const wrong = (value: unknown, remedy: string) =>
      new FieldError(`${flag}, point ${at + 1}`, value, remedy);
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw wrong(row, 'give an object, such as {"lr": 0.001}');
    }
    return Object.fromEntries(
      Object.entries(row).map(([name, value]: [string, unknown]) => {
        checkName(name, (remedy) => wrong(name, remedy));
        if (value !== null && typeof value === 'object')
          throw wrong(value, 'give numbers, texts, true or false');
        return [name, String(value)];
      }),
    );
  });
}

function csvRows(text: string, flag: string): Record<string, string>[] {
  const [head, ...rows] = csvRecords(text, flag);
  if (head === undefined) return [];
  for (const name of head.cells) {
    checkName(name, (remedy) => new FieldError(`${flag}, line ${head.line}`, name, remedy));
  }
  if (new Set(head.cells).size < head.cells.length) {
    throw new FieldError(`${flag}, line ${head.line}`, head.cells.join(), 'name each parameter once');
  }
  return rows.map(({ cells, line }) => {
    if (cells.length !== head.cells.length) {
      const remedy = `give ${head.cells.length} values, one for each name in the first line`;
      throw new FieldError(`${flag}, line ${line}`, cells.join(), remedy);
    }
    return Object.fromEntries(head.cells.map((name, i) => [name, cells[i]!]));
  });
}

function checkName(name: string, wrong: (remedy: string) => FieldError): void {
  if (!PARAMETER.test(name)) throw wrong('use letters, digits and _ in a parameter name');
  if (name === 'index' || name === '__proto__') throw wrong('choose another name');
}

/** RFC 4180: commas, quotes that may be doubled, lines that end in LF or CRLF. Empty lines are passed over. */
function csvRecords(text: string, flag: string): { cells: string[]; line: number }[] {
  const records: { cells: string[]; line: number }[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  let cells: string[] = [];
  let line = 1;
  let from = 1;
  cell.lastIndex = text.startsWith('\ufeff') ? 1 : 0;
  while (cell.lastIndex < text.length) {
    const match = cell.exec(text);
    if (match === null)
      throw new FieldError(`${flag}, line ${line}`, '"', 'close the quotes, and double those inside');
    cells.push(match[1] === undefined ? match[2]!.trim() : match[1].replaceAll('""', '"'));
    line += match[0].split('\n').length - 1;
    if (match[3] === ',' && cell.lastIndex < text.length) continue;
    if (match[3] === ',') cells.push('');
    if (cells.length > 1 || cells[0] !== '') records.push({ cells, line: from });
    cells = [];
    from = line;
  }
  return records;
}
