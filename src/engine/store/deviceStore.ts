import type { SampleSeries } from '../../contract/messages.ts';
import type { DeviceInfo } from '../../domain/device.ts';
import type { ProbeReport } from '../ports.ts';
import type { Database } from './database.ts';

const HOUR_MS = 3600 * 1000;
/** Readings are kept for this long as they come, at most one a second. */
const SAMPLES_KEPT_MS = HOUR_MS;
const LEAST_APART_MS = 950;
/** Then their means: over a minute for a month, over a quarter of an hour for ever. Each is made of the one before. */
const MEANS = [
  { stepS: 60, keptMs: 30 * 24 * HOUR_MS },
  { stepS: 900, keptMs: Number.POSITIVE_INFINITY },
] as const;
/** Longer spans are answered from coarser means. */
const FINEST_SPAN_MS = [HOUR_MS, 30 * 24 * HOUR_MS] as const;
/** More points than a chart can show are thinned out on reading. */
const MAX_POINTS = 2000;

interface SampleRow {
  readonly device_id: string;
  readonly at_ms: number;
  readonly memory_used_mib: number | null;
  readonly utilisation: number | null;
  readonly temperature_c: number | null;
  readonly power_w: number | null;
  readonly power_limit_w: number | null;
  readonly sm_clock_mhz: number | null;
}

/** Devices that this machine has or had, and their readings. */
export function deviceStore(db: Database) {
  const upsert = db.prepare<[string, string, string, number, number, number, number]>(
    `INSERT INTO devices (id, kind, name, bus_index, memory_total_mib, first_seen_ms, last_seen_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name, bus_index = excluded.bus_index,
       memory_total_mib = excluded.memory_total_mib, last_seen_ms = excluded.last_seen_ms`,
  );
  const insert = db.prepare<[string, number, ...(number | null)[]]>(
    'INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const prune = db.prepare<[number]>('DELETE FROM samples WHERE at_ms < ?');
  const pruneMeans = db.prepare<[number, number]>('DELETE FROM sample_means WHERE step_s = ? AND at_ms < ?');
  const read = db.prepare<[number, number, number], SampleRow>(
    'SELECT * FROM samples WHERE at_ms >= ? AND at_ms < ? AND at_ms % ? < 1000 ORDER BY device_id, at_ms',
  );
  const readMeans = db.prepare<[number, number, number, number], SampleRow>(
    `SELECT device_id, at_ms, memory_used_mib, utilisation, temperature_c, power_w, power_limit_w, sm_clock_mhz
     FROM sample_means WHERE step_s = ? AND at_ms >= ? AND at_ms < ? AND at_ms % ? = 0 ORDER BY device_id, at_ms`,
  );
  const lastMean = db.prepare<[number], { at_ms: number | null }>(
    'SELECT max(at_ms) AS at_ms FROM sample_means WHERE step_s = ?',
  );
  const firstOf = db.prepare<[], { at_ms: number | null }>(
    'SELECT min(coalesce((SELECT min(at_ms) FROM samples), 9e15), coalesce((SELECT min(at_ms) FROM sample_means), 9e15)) AS at_ms',
  );
  const makeMeans = MEANS.map(({ stepS }, i) => {
    const [source, also] =
      i === 0 ? ['samples', ''] : ['sample_means', `AND step_s = ${MEANS[i - 1]!.stepS}`];
    const means = [
      'memory_used_mib',
      'utilisation',
      'temperature_c',
      'power_w',
      'power_limit_w',
      'sm_clock_mhz',
    ];
    return db.prepare<[number, number]>(
      `INSERT OR REPLACE INTO sample_means
       SELECT ${stepS}, device_id, at_ms / ${1000 * stepS} * ${1000 * stepS}, ${means.map((name) => `avg(${name})`).join(', ')}
       FROM ${source} WHERE at_ms >= ? AND at_ms < ? ${also} GROUP BY device_id, at_ms / ${1000 * stepS}`,
    );
  });
  /** When the last reading of each device was stored, by its own time. */
  const storedMs = new Map<string, number>();
  let minute = Number.NaN;

  /**
   * Makes the means of every stretch that is over and has none, from the finest on, then forgets what is too old. All of
   * it follows from what is stored, and what was made is only ever made again the same: a crash in between costs nothing.
   */
  function condense(nowMs: number): void {
    MEANS.forEach(({ stepS }, i) => {
      const stepMs = 1000 * stepS;
      const last = lastMean.get(stepS)?.at_ms ?? null;
      const toMs = Math.floor(nowMs / stepMs) * stepMs;
      makeMeans[i]!.run(last === null ? 0 : last + stepMs, toMs);
    });
    for (const { stepS, keptMs } of MEANS) if (Number.isFinite(keptMs)) pruneMeans.run(stepS, nowMs - keptMs);
    prune.run(nowMs - SAMPLES_KEPT_MS);
  }

  return {
    /** A device was seen, or seen again after something about it changed. */
    seen: (info: DeviceInfo, atMs: number): void =>
      void upsert.run(info.id, info.kind, info.name, info.index, info.memoryTotalMib, atMs, atMs),
    /** Writes one report's readings, in one transaction; of more than one a second only some. */
    record(report: ProbeReport): void {
      const due = report.devices.filter(({ info, reading }) => {
        if (reading === null) return false;
        const sinceMs = reading.atMs - (storedMs.get(info.id) ?? Number.NEGATIVE_INFINITY);
        // Below zero: the clock was set back.
        return sinceMs >= LEAST_APART_MS || sinceMs < 0;
      });
      const thisMinute = Math.floor(report.atMs / 60_000);
      if (due.length === 0) return;
      db.transaction(() => {
        for (const { info, reading } of due) {
          if (reading === null) continue;
          const { memoryUsedMib, utilisation, temperatureC, powerW, powerLimitW, smClockMhz } = reading;
          const atMs = Math.round(reading.atMs);
          insert.run(
            info.id,
            atMs,
            memoryUsedMib,
            utilisation,
            temperatureC,
            powerW,
            powerLimitW,
            smClockMhz,
          );
        }
        if (thisMinute !== minute) condense(report.atMs);
      })();
      minute = thisMinute;
      for (const { info, reading } of due) if (reading !== null) storedMs.set(info.id, reading.atMs);
    },
    /**
     * Readings in [sinceMs, toMs) by device, oldest first, at most about {@link MAX_POINTS} each: as they came where that is
     * within the last hour, else means over minutes or quarters of an hour, with the last readings behind them.
     */
    samples(sinceMs: number, nowMs: number, toMs = Number.MAX_SAFE_INTEGER): SampleSeries[] {
      const fromMs = Math.max(sinceMs, firstOf.get()?.at_ms ?? 0);
      const spanMs = Math.max(0, Math.min(nowMs, toMs) - fromMs);
      const ageMs = nowMs - fromMs;
      const means = ageMs <= FINEST_SPAN_MS[0] ? null : MEANS[ageMs <= FINEST_SPAN_MS[1] ? 0 : 1];
      const unitMs = means === null ? 1000 : 1000 * means.stepS;
      const stepMs = Math.max(1, Math.ceil(spanMs / MAX_POINTS / unitMs)) * unitMs;
      const series = new Map<string, SampleSeries['readings']>();
      let tailMs = fromMs;
      const rows: Iterable<SampleRow>[] = [];
      if (means !== null) {
        rows.push(readMeans.all(means.stepS, Math.floor(fromMs / unitMs) * unitMs, toMs, stepMs));
        tailMs = Math.max(fromMs, (lastMean.get(means.stepS)?.at_ms ?? fromMs - unitMs) + unitMs);
      }
      rows.push(read.iterate(tailMs, toMs, stepMs));
      for (const row of rows.flatMap((some) => [...some])) {
        const readings = series.get(row.device_id) ?? [];
        if (readings.length === 0) series.set(row.device_id, readings);
        readings.push({
          atMs: row.at_ms,
          memoryUsedMib: row.memory_used_mib,
          utilisation: row.utilisation,
          temperatureC: row.temperature_c,
          powerW: row.power_w,
          powerLimitW: row.power_limit_w,
          smClockMhz: row.sm_clock_mhz,
        });
      }
      return [...series].map(([deviceId, readings]) => ({ deviceId, readings }));
    },
  };
}
export type DeviceStore = ReturnType<typeof deviceStore>;
