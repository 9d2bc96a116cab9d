import type { StartCalibration } from '../../domain/expectedStart.ts';
import { HORIZON_NAMES, type HorizonName } from '../../domain/startHorizon.ts';
import { missOf, stretchOf } from '../../domain/startSpread.ts';
import type { Database } from './database.ts';

/** So many are kept: docs/retention.md. */
export const ESTIMATES_KEPT = 5000;
const PRUNE_EVERY = 100;
/** Of each horizon, how many of the latest say how good estimates are. */
const JUDGED = 500;
/** And how many of them say how wide they should have been. */
const LEARNED_FROM = 100;
/** A start takes a moment, which is nobody's error. */
const SLACK_MS = 2000;

/** What was shown of when a job starts. */
export interface StartEstimate {
  readonly jobId: number;
  /** Which of its attempts. */
  readonly attempt: number;
  readonly horizon: HorizonName;
  readonly madeAtMs: number;
  readonly p10Ms: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  /** By how much it was stretched, see `startSpread`. */
  readonly stretch: number;
}

/** Estimates of starts that were shown, and what came of them: one of each horizon for each attempt of a job. */
export function startEstimateStore(db: Database) {
  const insert = db.prepare<[StartEstimate]>(
    `INSERT OR IGNORE INTO start_estimates (job_id, attempt, horizon, made_at_ms, p10_ms, p50_ms, p90_ms, stretch)
     VALUES (@jobId, @attempt, @horizon, @madeAtMs, @p10Ms, @p50Ms, @p90Ms, @stretch)`,
  );
  const prune = db.prepare<[number]>('DELETE FROM start_estimates WHERE id <= ?');
  const started = db.prepare<[number, number]>(
    'UPDATE start_estimates SET started_at_ms = ? WHERE job_id = ? AND started_at_ms IS NULL',
  );
  const forget = db.prepare<[number]>(
    'DELETE FROM start_estimates WHERE job_id = ? AND started_at_ms IS NULL',
  );
  const forgetOpen = db.prepare<[]>('DELETE FROM start_estimates WHERE started_at_ms IS NULL');
  const judged = db.prepare<[string], { n: number; within: number | null }>(
    `SELECT count(*) AS n,
       avg(started_at_ms BETWEEN p10_ms - ${SLACK_MS} AND p90_ms + ${SLACK_MS}) AS within
     FROM (SELECT * FROM start_estimates WHERE horizon = ? AND started_at_ms IS NOT NULL
           ORDER BY id DESC LIMIT ${JUDGED})`,
  );
  const latest = db.prepare<
    [string],
    Pick<StartEstimate, 'madeAtMs' | 'p10Ms' | 'p50Ms' | 'p90Ms' | 'stretch'> & { startedAtMs: number }
  >(
    `SELECT made_at_ms AS madeAtMs, p10_ms AS p10Ms, p50_ms AS p50Ms, p90_ms AS p90Ms, stretch, started_at_ms AS startedAtMs
     FROM start_estimates WHERE horizon = ? AND started_at_ms IS NOT NULL ORDER BY id DESC LIMIT ${LEARNED_FROM}`,
  );
  const insertAll = db.transaction((estimates: readonly StartEstimate[]): void => {
    for (const estimate of estimates) {
      const { changes, lastInsertRowid } = insert.run(estimate);
      const id = Number(lastInsertRowid);
      if (changes > 0 && id % PRUNE_EVERY === 0) prune.run(id - ESTIMATES_KEPT);
    }
  });
  return {
    /** The first of an attempt and a horizon stays, since it was shown first. */
    insert(estimates: readonly StartEstimate[]): void {
      insertAll(estimates);
    },
    started: (jobId: number, atMs: number): void => void started.run(atMs, jobId),
    /** Something happened that nobody could foresee: what was shown of the job says nothing of how good estimates are. */
    forget: (jobId: number): void => void forget.run(jobId),
    /** The same of all: nobody started anything while the engine was away. */
    forgetOpen: (): void => void forgetOpen.run(),
    /** By how much spreads of each horizon are to be stretched so that eight in ten hold. */
    stretches: (): ReadonlyMap<HorizonName, number> =>
      new Map(
        HORIZON_NAMES.map((horizon) => [
          horizon,
          stretchOf(
            latest
              .all(horizon)
              .map((shown) => shown.stretch * missOf(shown, shown.madeAtMs, shown.startedAtMs)),
          ),
        ]),
      ),
    calibration: (): StartCalibration[] =>
      HORIZON_NAMES.map((horizon) => {
        const { n, within } = judged.get(horizon)!;
        return { horizon, estimates: n, within };
      }),
  };
}
export type StartEstimateStore = ReturnType<typeof startEstimateStore>;
