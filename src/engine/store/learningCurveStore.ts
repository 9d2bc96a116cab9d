import type { LearningPoint } from '../../domain/learningCurve.ts';
import type { Database } from './database.ts';

/** Points lie at least this part of the whole way apart, so that ten times the steps make 2,300 more. */
const LEAST_PART = 1 / 1000;

interface Ends {
  readonly first: number | null;
  readonly last: number | null;
}

/** How learning went, thinned. */
export function learningCurveStore(db: Database) {
  const ends = db.prepare<[], Ends>(
    'SELECT min(train_steps) AS first, max(train_steps) AS last FROM learning_curve',
  );
  const insert = db.prepare<[number, number, number, number | null, number | null]>(
    'INSERT INTO learning_curve (train_steps, at_ms, loss, epsilon, agreement) VALUES (?, ?, ?, ?, ?)',
  );
  const forget = db.prepare<[number]>('DELETE FROM learning_curve WHERE train_steps >= ?');
  const all = db.prepare<[], LearningPoint>(
    `SELECT train_steps AS trainSteps, at_ms AS atMs, loss, epsilon, agreement
     FROM learning_curve ORDER BY train_steps`,
  );
  const add = db.transaction(({ trainSteps, atMs, loss, epsilon, agreement }: LearningPoint): void => {
    const { first, last } = ends.get()!;
    if (first !== null && last !== null) {
      if (trainSteps < last) forget.run(trainSteps);
      else if (trainSteps - last <= LEAST_PART * (trainSteps - first)) return;
    }
    insert.run(trainSteps, atMs, loss, epsilon, agreement);
  });
  return {
    /** Fewer steps than before: learning went back to other weights, and what it learned since is gone. */
    add(point: LearningPoint): void {
      add(point);
    },
    /** By steps. */
    list: (): LearningPoint[] => all.all(),
  };
}
export type LearningCurveStore = ReturnType<typeof learningCurveStore>;
