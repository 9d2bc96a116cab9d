import type { MetricPoint, MetricReaderState, MetricSeries, MetricUnit } from '../../domain/metrics.ts';
import type { Database } from './database.ts';

/** So many points of a metric are kept at most; beyond, every other one goes. */
const POINTS_KEPT = 2000;
/** A job's metrics beyond so many are left out: what makes more is no metric. */
const SERIES_KEPT = 32;

/** A launch's output, and how far it has been read. */
export interface Reading {
  readonly jobId: number;
  readonly attempt: number;
  readonly readTo: number;
  /** As {@link MetricStore.record} was given it; null: nothing has been read. */
  readonly state: MetricReaderState | null;
}

interface SeriesRow {
  id: number;
  readonly name: string;
  readonly unit: MetricUnit;
  seen: number;
  stride: number;
  kept: number;
  last_at: number;
  last_value: number | null;
  last_at_ms: number;
}

interface ReaderRow {
  readonly job_id: number;
  readonly attempt: number;
  readonly read_to: number;
  readonly state: string | null;
}

/** Metrics of jobs, thinned, with how far each log has been read: both in one transaction. */
export function metricStore(db: Database) {
  const open = db.prepare<[number, number]>(
    'INSERT OR IGNORE INTO metric_readers (job_id, attempt, read_to, done) VALUES (?, ?, 0, 0)',
  );
  const readers = db.prepare<[], ReaderRow>(
    'SELECT job_id, attempt, read_to, state FROM metric_readers WHERE done = 0 ORDER BY job_id, attempt',
  );
  const unread = db.prepare<[number], { n: number }>(
    'SELECT count(*) AS n FROM metric_readers WHERE job_id = ? AND done = 0',
  );
  const advance = db.prepare<[number, number, string | null, number, number]>(
    'UPDATE metric_readers SET read_to = ?, done = ?, state = ? WHERE job_id = ? AND attempt = ?',
  );
  const seriesOf = db.prepare<[number], SeriesRow>(
    'SELECT * FROM metric_series WHERE job_id = ? ORDER BY id',
  );
  const addSeries = db.prepare<[number, string, string, number, number]>(
    `INSERT INTO metric_series (job_id, name, unit, seen, stride, kept, last_at, last_at_ms)
     VALUES (?, ?, ?, 0, 1, 0, ?, ?)`,
  );
  const saveSeries = db.prepare<[number, number, number, number, number | null, number, number]>(
    'UPDATE metric_series SET seen = ?, stride = ?, kept = ?, last_at = ?, last_value = ?, last_at_ms = ? WHERE id = ?',
  );
  const pointsOf = db.prepare<[number], { at: number; value: number | null; at_ms: number | null }>(
    'SELECT at, value, at_ms FROM metric_points WHERE series_id = ? ORDER BY ordinal',
  );
  const putPoint = db.prepare<[number, number, number, number | null, number]>(
    'INSERT OR REPLACE INTO metric_points (series_id, ordinal, at, value, at_ms) VALUES (?, ?, ?, ?, ?)',
  );
  const forget = db.prepare<[number, number]>('DELETE FROM metric_points WHERE series_id = ? AND at >= ?');
  const thin = db.prepare<[number, number]>(
    'DELETE FROM metric_points WHERE series_id = ? AND ordinal % ? <> 0',
  );
  const extent = db.prepare<[number], { kept: number; top: number | null }>(
    'SELECT count(*) AS kept, max(ordinal) AS top FROM metric_points WHERE series_id = ?',
  );

  /** Points go up: one that goes back (a job that starts again from its checkpoint) replaces what was after it. */
  function add(series: SeriesRow, at: number, value: number | null, nowMs: number): void {
    if (series.seen > 0 && at < series.last_at) {
      forget.run(series.id, at);
      const { kept, top } = extent.get(series.id)!;
      series.kept = kept;
      series.seen = top === null ? 0 : top + 1;
    }
    const again = series.seen > 0 && at === series.last_at;
    const ordinal = again ? series.seen - 1 : series.seen;
    if (!again) series.seen += 1;
    series.last_at = at;
    series.last_value = value;
    if (ordinal % series.stride !== 0) return;
    putPoint.run(series.id, ordinal, at, value, nowMs);
    if (!again) series.kept += 1;
    if (series.kept <= POINTS_KEPT) return;
    series.stride *= 2;
    thin.run(series.id, series.stride);
    series.kept = extent.get(series.id)!.kept;
  }

  const record = db.transaction(
    (reading: Reading, points: readonly MetricPoint[], done: boolean, nowMs: number): void => {
      const { jobId, attempt, readTo, state } = reading;
      const rows = points.length === 0 ? [] : seriesOf.all(jobId);
      const known = new Map(rows.map((row) => [`${row.unit} ${row.name}`, row]));
      const changed = new Set<SeriesRow>();
      for (const { unit, at, values } of points) {
        for (const [name, value] of values) {
          const key = `${unit} ${name}`;
          let row = known.get(key);
          if (row === undefined) {
            if (known.size >= SERIES_KEPT) continue;
            const id = Number(addSeries.run(jobId, name, unit, at, nowMs).lastInsertRowid);
            row = {
              id,
              name,
              unit,
              seen: 0,
              stride: 1,
              kept: 0,
              last_at: at,
              last_value: null,
              last_at_ms: nowMs,
            };
            known.set(key, row);
          }
          add(row, at, value, nowMs);
          row.last_at_ms = nowMs;
          changed.add(row);
        }
      }
      for (const row of changed) {
        const { seen, stride, kept, last_at, last_value, last_at_ms, id } = row;
        saveSeries.run(seen, stride, kept, last_at, last_value, last_at_ms, id);
      }
      advance.run(readTo, done ? 1 : 0, state === null ? null : JSON.stringify(state), jobId, attempt);
    },
  );

  return {
    /** From now on the launch's output is to be read. */
    open: (jobId: number, attempt: number): void => void open.run(jobId, attempt),
    /** Every launch whose output has not been read to its end. */
    unfinished: (): Reading[] =>
      readers.all().map((row) => ({
        jobId: row.job_id,
        attempt: row.attempt,
        readTo: row.read_to,
        state: row.state === null ? null : (JSON.parse(row.state) as MetricReaderState),
      })),
    /** True once everything that the job wrote has been read. */
    isComplete: (jobId: number): boolean => unread.get(jobId)!.n === 0,
    /** Adds what was read up to `reading.readTo`. @param done the launch is over, and that was all. */
    record(reading: Reading, points: readonly MetricPoint[], done: boolean, nowMs: number): void {
      record(reading, points, done, nowMs);
    },
    /** A job's metrics in the order in which they first came. The last point is always among them. */
    series: (jobId: number): MetricSeries[] =>
      seriesOf.all(jobId).map((row) => {
        const points = pointsOf.all(row.id);
        if (points.at(-1)?.at !== row.last_at)
          points.push({ at: row.last_at, value: row.last_value, at_ms: row.last_at_ms });
        return {
          name: row.name,
          unit: row.unit,
          stride: row.stride,
          at: points.map(({ at }) => at),
          values: points.map(({ value }) => value),
          readAtMs: points.map(({ at_ms }) => at_ms),
          lastAtMs: row.last_at_ms,
        };
      }),
  };
}
export type MetricStore = ReturnType<typeof metricStore>;
