import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProbeReport } from '../../src/engine/ports.ts';
import { type Database, openDatabase } from '../../src/engine/store/database.ts';
import { deviceStore } from '../../src/engine/store/deviceStore.ts';
import { removeHome, temporaryHome } from './support/testEngine.ts';

const HOUR_MS = 3600_000;
// The beginning of a quarter of an hour.
const T0 = 1_700_000_100_000;

const report = (atMs: number, memoryUsedMib: number | null): ProbeReport => ({
  atMs,
  devices: [
    {
      info: { id: 'GPU-a', index: 0, kind: 'nvidia', name: 'A', memoryTotalMib: 1000 },
      reading: {
        atMs,
        memoryUsedMib,
        utilisation: 0.5,
        temperatureC: null,
        powerW: null,
        powerLimitW: null,
        smClockMhz: null,
        processes: null,
      },
      trouble: null,
    },
  ],
});

describe('readings', () => {
  let home: string;
  let db: Database;
  beforeEach(() => {
    home = temporaryHome();
    db = openDatabase(join(home, 'stint.db'));
  });
  afterEach(() => {
    db.close();
    removeHome(home);
  });
  const count = (sql: string): number => (db.prepare(sql).get() as { n: number }).n;
  const points = (sinceMs: number, nowMs: number) =>
    deviceStore(db)
      .samples(sinceMs, nowMs)[0]!
      .readings.map(({ atMs, memoryUsedMib }) => [atMs - T0, memoryUsedMib]);

  it('of ten a second one a second is stored', () => {
    const store = deviceStore(db);
    for (let i = 0; i < 100; i++) store.record(report(T0 + 100 * i, i));
    expect(count('SELECT count(*) AS n FROM samples')).toBe(10);
  });

  it('become means over minutes and quarters, and are forgotten in their time', () => {
    const store = deviceStore(db);
    // Two hours, a reading every ten seconds, the minute's number as its memory, unknown in every other one.
    for (let s = 0; s < 7200; s += 10) {
      store.record(report(T0 + 1000 * s, s % 20 === 0 ? Math.floor(s / 60) : null));
    }
    const nowMs = T0 + 7200_000;
    expect(count('SELECT count(*) AS n FROM sample_means WHERE step_s = 60')).toBe(119);
    expect(count('SELECT count(*) AS n FROM sample_means WHERE step_s = 900')).toBe(7);
    expect(count('SELECT count(*) AS n FROM samples')).toBeLessThanOrEqual(367);
    const minutes = points(T0, nowMs);
    expect(minutes.slice(0, 3)).toEqual([
      [0, 0],
      [60_000, 1],
      [120_000, 2],
    ]);
    // The last minute has no mean yet: its readings stand for it.
    expect(minutes.at(-1)![0]).toBeGreaterThanOrEqual(7140_000);
    const quarter = db
      .prepare(
        'SELECT memory_used_mib AS mib, temperature_c AS c FROM sample_means WHERE step_s = 900 ORDER BY at_ms',
      )
      .get();
    expect(quarter).toEqual({ mib: 7, c: null });
    // Within the last hour, as they came.
    expect(points(nowMs - HOUR_MS / 2, nowMs).length).toBe(180);

    const later = T0 + 31 * 24 * HOUR_MS;
    store.record(report(later, 5));
    expect(count('SELECT count(*) AS n FROM sample_means WHERE step_s = 60')).toBe(0);
    expect(count('SELECT count(*) AS n FROM sample_means WHERE step_s = 900')).toBe(8);
    expect(count('SELECT count(*) AS n FROM samples')).toBe(1);
    // More than a chart can show: every second one.
    expect(points(0, later).slice(0, 2)).toEqual([
      [900_000, 22],
      [2_700_000, 52],
    ]);
  });

  it('lose nothing where an engine is killed between a reading and its means', () => {
    const first = deviceStore(db);
    for (let s = 0; s < 60; s += 10) first.record(report(T0 + 1000 * s, 6));
    // Another engine goes on hours later.
    const second = deviceStore(db);
    second.record(report(T0 + 3 * HOUR_MS, 1));
    expect(points(T0, T0 + 3 * HOUR_MS)).toEqual([
      [0, 6],
      [3 * HOUR_MS, 1],
    ]);
  });

  it('are unknown, not 0, where they were not measured', () => {
    const store = deviceStore(db);
    for (let s = 0; s < 120; s += 10) store.record(report(T0 + 1000 * s, null));
    expect(points(T0 - 2 * HOUR_MS, T0 + 120_000).every(([, mib]) => mib === null)).toBe(true);
  });
});
