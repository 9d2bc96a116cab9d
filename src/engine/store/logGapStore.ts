import type { LogGap } from '../../domain/logGap.ts';
import type { Database } from './database.ts';

interface GapRow {
  readonly from_byte: number;
  readonly to_byte: number;
  readonly why: LogGap['why'];
}

/** What of the logs is not kept, by job and attempt: one stretch of each at most. */
export function logGapStore(db: Database) {
  const one = db.prepare<[number, number], GapRow>(
    'SELECT from_byte, to_byte, why FROM log_gaps WHERE job_id = ? AND attempt = ?',
  );
  const put = db.prepare<[number, number, number, number, string]>(
    'INSERT OR REPLACE INTO log_gaps (job_id, attempt, from_byte, to_byte, why) VALUES (?, ?, ?, ?, ?)',
  );
  const drop = db.prepare<[number, number]>('DELETE FROM log_gaps WHERE job_id = ? AND attempt = ?');
  return {
    /** null: all of it is kept. */
    of(jobId: number, attempt: number): LogGap | null {
      const row = one.get(jobId, attempt);
      return row === undefined ? null : { from: row.from_byte, to: row.to_byte, why: row.why };
    },
    /** In place of what was said before. null: all of it is kept. */
    set(jobId: number, attempt: number, gap: LogGap | null): void {
      if (gap === null) drop.run(jobId, attempt);
      else put.run(jobId, attempt, gap.from, gap.to, gap.why);
    },
  };
}
export type LogGapStore = ReturnType<typeof logGapStore>;
