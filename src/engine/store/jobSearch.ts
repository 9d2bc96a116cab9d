import { isTerminal, type Job } from '../../domain/job.ts';
import { type JobFilter, submittersOf } from '../../domain/jobFilter.ts';
import type { Database } from './database.ts';
import type { HistoryCursor } from './historyStore.ts';

interface Found {
  readonly id: number;
  readonly finished_at_ms: number;
}

/** So many jobs are asked for the text one by one: it is common, then the page is full by now, or it is rare. */
const LOOKED_AT_FIRST = 3000;
/** The index of texts knows pieces of three letters. */
const PIECE = 3;

const THROUGH_DEPUTY = `SELECT job_id FROM job_events WHERE kind = 'submitted' AND deputy IS NOT NULL`;

/** A condition on `+id`, so that SQLite looks through the jobs in their order all the same. */
function submittedBy(texts: readonly string[]): { sql: string; given: string[] } {
  const { person, deputies } = submittersOf(texts);
  const each = deputies.map(({ kind, name }) => ({
    sql: `json_extract(deputy, '$.name') = ?${kind === null ? '' : ` AND json_extract(deputy, '$.kind') = ?`}`,
    given: kind === null ? [name] : [name, kind],
  }));
  const any = each.map(({ sql }) => `(${sql})`).join(' OR ');
  const parts = [
    ...(person ? [`+id NOT IN (${THROUGH_DEPUTY})`] : []),
    ...(each.length > 0 ? [`+id IN (${THROUGH_DEPUTY} AND (${any}))`] : []),
  ];
  return { sql: `(${parts.join(' OR ')})`, given: each.flatMap(({ given }) => given) };
}

/** Finds jobs that are over, the latest first. */
export function jobSearch(db: Database) {
  const body = db.prepare<[number], { body: string }>('SELECT body FROM jobs WHERE id = ?');
  const textOf = db.prepare<[number], { text: string }>('SELECT text FROM job_text WHERE rowid = ?');

  /** All but the text, in the order of the list, from the index alone. */
  function query(
    filter: JobFilter,
    after: HistoryCursor | null,
    more = '',
  ): { sql: string; given: unknown[] } {
    const terms: string[] = [];
    const given: unknown[] = [];
    const add = (term: string, ...values: unknown[]): void => {
      terms.push(term);
      given.push(...values);
    };
    const among = (column: string, values: readonly string[] | undefined): void => {
      if (values) add(`${column} IN (${values.map(() => '?').join(', ')})`, ...values);
    };
    if (after !== null) add('(finished_at_ms, id) < (?, ?)', after.finishedAtMs, after.id);
    if (filter.fromMs !== undefined) add('finished_at_ms >= ?', filter.fromMs);
    if (filter.toMs !== undefined) add('submitted_at_ms < ?', filter.toMs);
    // The plus keeps SQLite from another index, whose rows it would have to sort.
    among('+status', filter.statuses?.filter(isTerminal));
    among('user', filter.users);
    among('project', filter.projects);
    among('diagnosis', filter.causes);
    if (filter.tags) {
      const marks = filter.tags.map(() => '?').join(', ');
      add(`+id IN (SELECT job_id FROM job_tags WHERE tag IN (${marks}))`, ...filter.tags);
    }
    if (filter.submitters) {
      const { sql, given: names } = submittedBy(filter.submitters);
      add(sql, ...names);
    }
    const where = ['finished_at_ms IS NOT NULL', ...terms].join(' AND ');
    const sql = `SELECT id, finished_at_ms FROM jobs INDEXED BY jobs_over WHERE ${where}${more} ORDER BY finished_at_ms DESC, id DESC`;
    return { sql, given };
  }

  function* rows(filter: JobFilter, after: HistoryCursor | null): Generator<Found> {
    const { text } = filter;
    if (text === undefined) {
      const { sql, given } = query(filter, after);
      yield* db.prepare<unknown[], Found>(sql).iterate(...given);
      return;
    }
    const wanted = text.toLowerCase();
    let last: HistoryCursor | null = after;
    let looked = 0;
    const { sql, given } = query(filter, after);
    for (const row of db.prepare<unknown[], Found>(`${sql} LIMIT ${LOOKED_AT_FIRST}`).iterate(...given)) {
      looked++;
      last = { finishedAtMs: row.finished_at_ms, id: row.id };
      if (textOf.get(row.id)?.text.toLowerCase().includes(wanted)) yield row;
    }
    if (looked < LOOKED_AT_FIRST) return;
    const [operator, pattern] =
      [...text].length < PIECE
        ? [`text LIKE ? ESCAPE '\\'`, `%${text.replace(/[\\%_]/g, '\\$&')}%`]
        : ['job_text MATCH ?', `"${text.replaceAll('"', '""')}"`];
    const rest = query(filter, last, ` AND +id IN (SELECT rowid FROM job_text WHERE ${operator})`);
    yield* db.prepare<unknown[], Found>(rest.sql).iterate(...rest.given, pattern);
  }

  /**
   * A page of the jobs that are over and wanted.
   * @param after where the page before ended; null for the first.
   * @returns at most `limit`, the latest first, and where to go on; null: that was all.
   */
  function over(
    filter: JobFilter,
    limit: number,
    after: HistoryCursor | null,
  ): { jobs: Job[]; next: HistoryCursor | null } {
    const none = { jobs: [], next: null };
    if (limit === 0 || (filter.statuses && !filter.statuses.some(isTerminal))) return none;
    const found: Found[] = [];
    // One more than the page has: it tells whether another follows.
    for (const row of rows(filter, after)) {
      found.push(row);
      if (found.length > limit) break;
    }
    const page = found.slice(0, limit);
    const end = page.at(-1);
    return {
      jobs: page.map(({ id }) => JSON.parse(body.get(id)!.body) as Job),
      next: found.length > limit && end ? { finishedAtMs: end.finished_at_ms, id: end.id } : null,
    };
  }
  return {
    over,
    /** Jobs that are not over and were submitted by one of these, as `submitters` of a filter names them. */
    unfinishedBy(submitters: readonly string[]): ReadonlySet<number> {
      const { sql, given } = submittedBy(submitters);
      return new Set(
        db
          .prepare<string[], number>(`SELECT id FROM jobs WHERE finished_at_ms IS NULL AND ${sql}`)
          .pluck()
          .all(...given),
      );
    },
  };
}
export type JobSearch = ReturnType<typeof jobSearch>;
