import type { SampleSeries } from '../../contract/messages.ts';
import type { DeviceInfo } from '../../domain/device.ts';
import type { ProbeReport } from '../ports.ts';
import type { Database } from './database.ts';

/** Kept at full resolution for this long. */
const SAMPLES_KEPT_MS = 24 * 3600 * 1000;
const PRUNE_EVERY_REPORTS = 600;
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
  const read = db.prepare<[number, number], SampleRow>(
    'SELECT * FROM samples WHERE at_ms >= ? AND at_ms % ? < 1000 ORDER BY device_id, at_ms',
  );
  let reports = 0;
  return {
    /** A device was seen, or seen again after something about it changed. */
    seen: (info: DeviceInfo, atMs: number): void =>
      void upsert.run(info.id, info.kind, info.name, info.index, info.memoryTotalMib, atMs, atMs),
    /** Writes one report's readings, in one transaction. */
    record(report: ProbeReport): void {
      db.transaction(() => {
        for (const { info, reading } of report.devices) {
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
        if (reports++ % PRUNE_EVERY_REPORTS === 0) prune.run(report.atMs - SAMPLES_KEPT_MS);
      })();
    },
    /** Readings since then by device, oldest first, at most about {@link MAX_POINTS} each. */
    samples(sinceMs: number, nowMs: number): SampleSeries[] {
      const spanMs = Math.min(nowMs - sinceMs, SAMPLES_KEPT_MS);
      const stepMs = Math.max(1000, Math.ceil(spanMs / MAX_POINTS / 1000) * 1000);
      const series = new Map<string, SampleSeries['readings']>();
      for (const row of read.iterate(sinceMs, stepMs)) {
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
