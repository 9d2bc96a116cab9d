import type { Database } from './database.ts';

/** Of each command the peaks of so many of its latest runs are kept. */
const RUNS_KEPT = 5;
/** Commands that were not run for so long are forgotten. */
const KEPT_MS = 365 * 24 * 3600 * 1000;

/** The most memory that one run of a command took on a GPU. */
export interface Peak {
  readonly peakMib: number;
  /** When it last grew. */
  readonly grewAtMs: number;
  /** True: it asked for more than there was, and `peakMib` is what it is given next time. */
  readonly outOfMemory: boolean;
}

interface PeakRow {
  readonly run: string;
  readonly peak_mib: number;
  readonly grew_at_ms: number;
  readonly out_of_memory: number;
}

/** Progress of jobs of one kind: alone, or beside one other kind. */
export interface Pace {
  readonly kind: string;
  /** Empty: alone. */
  readonly beside: string;
  /** Sum of the fractions of their work that they did. */
  readonly fraction: number;
  /** In so much time, s. */
  readonly seconds: number;
}

/** What was learned of commands: the memory that they take, and how they go on beside each other. */
export function sharingStore(db: Database) {
  const write = db.prepare<[string, string, number, number, number]>(
    `INSERT INTO command_peaks VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, run) DO UPDATE SET
       peak_mib = excluded.peak_mib, grew_at_ms = excluded.grew_at_ms, out_of_memory = excluded.out_of_memory`,
  );
  const readPeaks = db.prepare<[string], PeakRow>(
    'SELECT run, peak_mib, grew_at_ms, out_of_memory FROM command_peaks WHERE kind = ? ORDER BY grew_at_ms DESC, run',
  );
  const drop = db.prepare<[string, string]>('DELETE FROM command_peaks WHERE kind = ? AND run = ?');
  const dropOld = db.prepare<[number]>('DELETE FROM command_peaks WHERE grew_at_ms < ?');
  const addPace = db.prepare<[string, string, number, number, number]>(
    `INSERT INTO command_paces VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, beside) DO UPDATE SET
       fraction = fraction + excluded.fraction, seconds = seconds + excluded.seconds, at_ms = excluded.at_ms`,
  );
  const dropOldPaces = db.prepare<[number]>('DELETE FROM command_paces WHERE at_ms < ?');
  const readPaces = db.prepare<[], Pace>('SELECT kind, beside, fraction, seconds FROM command_paces');
  return {
    /** Peaks of the latest runs of a kind of job, by run. */
    peaks(kind: string): Map<string, Peak> {
      return new Map(
        readPeaks
          .all(kind)
          .map((row) => [
            row.run,
            { peakMib: row.peak_mib, grewAtMs: row.grew_at_ms, outOfMemory: row.out_of_memory === 1 },
          ]),
      );
    },
    /** Keeps a run's peak, and forgets the oldest of that kind beyond {@link RUNS_KEPT}. */
    setPeak(kind: string, run: string, { peakMib, grewAtMs, outOfMemory }: Peak): void {
      db.transaction(() => {
        write.run(kind, run, peakMib, Math.round(grewAtMs), outOfMemory ? 1 : 0);
        for (const { run: old } of readPeaks.all(kind).slice(RUNS_KEPT)) drop.run(kind, old);
      })();
    },
    addPace: ({ kind, beside, fraction, seconds }: Pace, atMs: number): void =>
      void addPace.run(kind, beside, fraction, seconds, Math.round(atMs)),
    paces: (): Pace[] => readPaces.all(),
    /** Forgets commands that were not run for a year. */
    prune(nowMs: number): void {
      dropOld.run(nowMs - KEPT_MS);
      dropOldPaces.run(nowMs - KEPT_MS);
    },
  };
}
export type SharingStore = ReturnType<typeof sharingStore>;
