import { showValue } from './errors.ts';

/** A job of a trace: what was asked for, and how long it ran. Null: not known. */
export interface TraceJob {
  readonly jobId: string;
  /** From the trace's start. */
  readonly submitS: number;
  /** Run time alone on the GPUs it asks for. */
  readonly durationS: number;
  readonly gpus: number;
  /** Peak per GPU. */
  readonly vramMib: number | null;
  /** 0 to 1, alone. */
  readonly gpuUtil: number | null;
  /** Higher goes first. */
  readonly priority: number | null;
  readonly user: string | null;
  readonly name: string | null;
  /** What the submitter guessed. */
  readonly estimateS: number | null;
}

/** Columns that every trace has, in the order in which the writer puts them. */
export const REQUIRED_COLUMNS = ['job_id', 'submit_s', 'duration_s', 'gpus'] as const;
/** Columns that a trace may have, and whose cells may be empty. */
export const OPTIONAL_COLUMNS = ['vram_mib', 'gpu_util', 'priority', 'user', 'name', 'estimate_s'] as const;
const COLUMNS = [...REQUIRED_COLUMNS, ...OPTIONAL_COLUMNS] as const;
type ColumnName = (typeof COLUMNS)[number];

/** 317 years. What is beyond it was not given in seconds from the trace's start. */
const MOST_SECONDS = 1e10;
const MOST_GPUS = 1_000_000;
/** Longest record, in characters: an unclosed quote must not swallow a whole file. */
export const MOST_RECORD_CHARS = 1_000_000;

/** A trace that cannot be used, with the place in it. Line 1 is the header. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
  readonly file: string;
  readonly line: number;
  /** Null: the trouble is with the line as a whole. */
  readonly column: string | null;
  readonly value: unknown;
  readonly expected: string;

  constructor(file: string, line: number, column: string | null, value: unknown, expected: string) {
    const place = `${file}, line ${line}${column === null ? '' : `, column ${column}`}`;
    super(`${place}: ${showValue(value)} is not usable; expected ${expected}`);
    this.file = file;
    this.line = line;
    this.column = column;
    this.value = value;
    this.expected = expected;
  }
}

/**
 * Reads a trace line by line, in memory that does not grow with the trace: CSV (RFC 4180, with or without CR) with
 * a header, whose columns may stand in any order. It keeps to what it is given: rows are neither dropped nor mended.
 */
export class TraceReader {
  readonly #file: string;
  #columns: readonly ColumnName[] | null = null;
  #line = 0;
  /** The record so far, while a quoted cell goes on over the end of its line. */
  #open: { readonly text: string; readonly line: number } | null = null;
  #jobs = 0;
  #lastSubmitS = 0;

  /** @param file how errors call the trace. */
  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Takes the next line, without its line feed.
   * @returns its job, or null for the header and for a line that a quoted cell goes on after.
   * @throws {TraceError} for anything that is not as the format asks for.
   */
  read(text: string): TraceJob | null {
    this.#line++;
    const line = this.#open?.line ?? this.#line;
    const record = this.#open === null ? text : `${this.#open.text}\n${text}`;
    if (record.length > MOST_RECORD_CHARS) {
      throw this.#error(line, null, record, `at most ${MOST_RECORD_CHARS} characters; is a quote left open?`);
    }
    const cells = this.#cells(record, line);
    if (cells === null) {
      this.#open = { text: record, line };
      return null;
    }
    this.#open = null;
    if (this.#columns === null) {
      this.#columns = this.#header(cells, line);
      return null;
    }
    return this.#job(this.#columns, cells, line);
  }

  /** To be called after the last line. @throws {TraceError} where something is missing. */
  end(): void {
    if (this.#open !== null) {
      throw this.#error(this.#open.line, null, this.#open.text, 'a closing quote before the end of the file');
    }
    if (this.#columns === null) {
      throw this.#error(1, null, undefined, `a header with the columns ${REQUIRED_COLUMNS.join(', ')}`);
    }
    if (this.#jobs === 0)
      throw this.#error(this.#line + 1, null, undefined, 'at least one job after the header');
  }

  #error(line: number, column: string | null, value: unknown, expected: string): TraceError {
    return new TraceError(this.#file, line, column, value, expected);
  }

  /** The cells of a record; null while a quoted one is not closed. */
  #cells(record: string, line: number): string[] | null {
    if (!record.includes('"')) return (record.endsWith('\r') ? record.slice(0, -1) : record).split(',');
    const cells: string[] = [];
    for (let at = 0; ; ) {
      if (record[at] !== '"') {
        const comma = record.indexOf(',', at);
        const cell = comma < 0 ? record.slice(at).replace(/\r$/, '') : record.slice(at, comma);
        if (cell.includes('"')) {
          throw this.#error(
            line,
            this.#nameOf(cells.length),
            cell,
            'quotes around the whole cell, doubled within it',
          );
        }
        cells.push(cell);
        if (comma < 0) return cells;
        at = comma + 1;
        continue;
      }
      let close = record.indexOf('"', at + 1);
      while (close >= 0 && record[close + 1] === '"') close = record.indexOf('"', close + 2);
      if (close < 0) return null;
      cells.push(record.slice(at + 1, close).replaceAll('""', '"'));
      const rest = record.slice(close + 1);
      if (rest === '' || rest === '\r') return cells;
      if (rest[0] !== ',') {
        throw this.#error(
          line,
          this.#nameOf(cells.length - 1),
          record.slice(at),
          'a comma after the closing quote',
        );
      }
      at = close + 2;
    }
  }

  #nameOf(index: number): string {
    return this.#columns?.[index] ?? String(index + 1);
  }

  #header(cells: readonly string[], line: number): readonly ColumnName[] {
    const names = cells.map((cell, i) => (i === 0 ? cell.replace(/^\ufeff/, '') : cell));
    if (names.length === 1 && names[0] === '') {
      throw this.#error(line, null, '', `a header with the columns ${REQUIRED_COLUMNS.join(', ')}`);
    }
    const columns = names.map((name, i) => {
      const known = COLUMNS.find((column) => column === name);
      if (known === undefined) throw this.#error(line, String(i + 1), name, `one of ${COLUMNS.join(', ')}`);
      if (names.indexOf(name) < i) throw this.#error(line, String(i + 1), name, 'each column once');
      return known;
    });
    for (const column of REQUIRED_COLUMNS) {
      if (!columns.includes(column)) throw this.#error(line, column, undefined, 'this column in the header');
    }
    return columns;
  }

  #job(columns: readonly ColumnName[], cells: readonly string[], line: number): TraceJob {
    if (cells.length !== columns.length) {
      const what = `${columns.length} cells (${columns.join(', ')}), not ${cells.length}`;
      throw this.#error(line, columns[cells.length] ?? String(columns.length + 1), cells.join(','), what);
    }
    const job: { -readonly [Key in keyof TraceJob]: TraceJob[Key] } = {
      jobId: '',
      submitS: 0,
      durationS: 0,
      gpus: 0,
      vramMib: null,
      gpuUtil: null,
      priority: null,
      user: null,
      name: null,
      estimateS: null,
    };
    for (let i = 0; i < cells.length; i++) {
      const column = columns[i]!;
      const cell = cells[i]!;
      const number = (least: number, most: number, what: string, whole = false): number => {
        const value = NUMBER.test(cell) ? Number(cell) : Number.NaN;
        if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
        throw this.#error(line, column, cell, what);
      };
      switch (column) {
        case 'job_id':
          if (cell === '') throw this.#error(line, column, cell, 'what the job is called');
          job.jobId = cell;
          break;
        case 'submit_s':
          job.submitS = number(0, MOST_SECONDS, SECONDS);
          if (job.submitS < this.#lastSubmitS) {
            const expected = `at least ${this.#lastSubmitS}, as the row before has: sort the rows by submit_s`;
            throw this.#error(line, column, job.submitS, expected);
          }
          this.#lastSubmitS = job.submitS;
          break;
        case 'duration_s':
          job.durationS = number(0, MOST_SECONDS, SECONDS);
          break;
        case 'gpus':
          job.gpus = number(1, MOST_GPUS, `a whole number from 1 to ${MOST_GPUS}`, true);
          break;
        case 'vram_mib':
          if (cell !== '') job.vramMib = number(0, 1e9, 'MiB from 0 to 1e9, or an empty cell');
          break;
        case 'gpu_util':
          if (cell !== '') job.gpuUtil = number(0, 1, 'a share from 0 to 1, or an empty cell');
          break;
        case 'priority':
          if (cell !== '') job.priority = number(-1e9, 1e9, 'a whole number, or an empty cell', true);
          break;
        case 'user':
          if (cell !== '') job.user = cell;
          break;
        case 'name':
          if (cell !== '') job.name = cell;
          break;
        case 'estimate_s':
          if (cell !== '') job.estimateS = number(0, MOST_SECONDS, `${SECONDS}, or an empty cell`);
          break;
      }
    }
    this.#jobs++;
    return job;
  }
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const SECONDS = `seconds from 0 to ${MOST_SECONDS}`;

/** The writer's header, without a line end. */
export const TRACE_HEADER = COLUMNS.join(',');

/** A job as a row below `TRACE_HEADER`, without a line end. */
export function traceRow(job: TraceJob): string {
  const { jobId, submitS, durationS, gpus, vramMib, gpuUtil, priority, user, name, estimateS } = job;
  return csvRow([jobId, submitS, durationS, gpus, vramMib, gpuUtil, priority, user, name, estimateS]);
}

/** A row of CSV (RFC 4180), without a line end; null is an empty cell. */
export function csvRow(cells: readonly (string | number | null)[]): string {
  return cells
    .map((cell) => {
      const text = cell === null ? '' : String(cell);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join(',');
}
