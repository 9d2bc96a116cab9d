import SqliteDatabase from 'better-sqlite3';
import { DECISIONS_KEPT } from '../../src/engine/store/decisionStore.ts';
import { ESTIMATES_KEPT } from '../../src/engine/store/startEstimateStore.ts';
import { SUGGESTIONS_KEPT } from '../../src/engine/store/suggestionStore.ts';
import { TRANSITIONS_KEPT } from '../../src/engine/store/transitionStore.ts';

export interface DatabaseGrowth {
  /** The largest tables with their indices. */
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly mib: number }[];
  /** What tables of which only so many rows are kept take when they are full, by what a row takes now. */
  readonly fullMib: number;
  /** What is kept for good, all other tables, takes a job. */
  readonly kibAJob: number;
  /** What is not as docs/retention.md says. */
  readonly wrong: readonly string[];
}

/** Most rows by table, with what comes until the next time that they are pruned. */
const CAPS: Readonly<Record<string, number>> = {
  transitions: TRANSITIONS_KEPT + 500,
  // The latest, and those that a transition is of.
  decisions: DECISIONS_KEPT + TRANSITIONS_KEPT + 1000,
  suggestions: SUGGESTIONS_KEPT + 500,
  start_estimates: ESTIMATES_KEPT + 500,
};
/** A job with its events, text, allocations and so on should take no more than this for good. */
const MOST_KIB_A_JOB = 8;
const MIB = 2 ** 20;
const SHOWN = 8;

/** What makes a database grow, and whether that is bounded as promised. */
export function databaseGrowth(path: string): DatabaseGrowth {
  const db = new SqliteDatabase(path, { readonly: true });
  try {
    const rowsOf = (name: string): number =>
      db.prepare<[], number>(`SELECT count(*) FROM "${name}"`).pluck().get()!;
    const tables = db
      .prepare<[], { name: string; bytes: number }>(
        `SELECT s.tbl_name AS name, sum(d.pgsize) AS bytes FROM dbstat('main', 1) d JOIN sqlite_schema s USING (name)
         GROUP BY s.tbl_name ORDER BY bytes DESC`,
      )
      .all()
      .map(({ name, bytes }) => ({ name, rows: rowsOf(name), mib: bytes / MIB }));
    const wrong: string[] = [];
    let fullMib = 0;
    let goodMib = 0;
    for (const { name, rows, mib } of tables) {
      const most = CAPS[name];
      if (most === undefined) goodMib += mib;
      else if (rows > 0) fullMib += (mib / rows) * most;
      if (most !== undefined && rows > most)
        wrong.push(`${name} has ${rows} rows, and ${most} at most are kept`);
    }
    const kibAJob = (1024 * goodMib) / Math.max(1, rowsOf('jobs'));
    // Of a few jobs it is mostly empty pages.
    if (rowsOf('jobs') >= 1000 && kibAJob > MOST_KIB_A_JOB)
      wrong.push(
        `${kibAJob.toFixed(1)} KiB a job are kept for good, and it should be ${MOST_KIB_A_JOB} at most`,
      );
    return { tables: tables.slice(0, SHOWN), fullMib, kibAJob, wrong };
  } finally {
    db.close();
  }
}
