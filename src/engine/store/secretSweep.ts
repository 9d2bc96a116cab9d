import { concealedFields, hasSecrets, restored } from '../../domain/concealment.ts';
import type { Job } from '../../domain/job.ts';
import type { JobEvent } from '../../domain/lifecycle.ts';
import { withoutSecrets } from '../../domain/secrets.ts';
import type { Secrets } from '../jobs/secrets.ts';
import { kindOf } from '../sharing/memoryModel.ts';
import type { Database } from './database.ts';
import { settingStore } from './settingStore.ts';

const KEY = 'secret-sweep';
type Submitted = Extract<JobEvent, { kind: 'submitted' }>;

/** Asks for a sweep at the next start: more is called secret than before. */
export const dueSweep = (settings: { set(key: string, value: string): void }): void =>
  settings.set(KEY, 'due');

/**
 * Takes the secrets out of the records of jobs from before that was done, or from before the owner called them so. Their
 * events are facts and are changed by nothing else. Afterwards the file is written anew, so that no freed page of it has
 * them either. All of it or nothing; a death in between leaves the rest for the next start.
 */
export function sweepSecrets(db: Database, secrets: Secrets): void {
  const settings = settingStore(db);
  if (settings.get(KEY) === 'due') {
    db.transaction(() => settings.set(KEY, sweep(db, secrets) ? 'clean' : 'done'))();
  }
  if (settings.get(KEY) === 'clean') {
    db.exec("INSERT INTO job_text (job_text) VALUES ('optimize'); VACUUM");
    db.pragma('wal_checkpoint(TRUNCATE)');
    settings.set(KEY, 'done');
  }
}

/** @returns whether anything was taken out. */
function sweep(db: Database, secrets: Secrets): boolean {
  const trigger = db
    .prepare<[], { sql: string }>("SELECT sql FROM sqlite_schema WHERE name = 'job_events_are_facts'")
    .get()!;
  db.exec('DROP TRIGGER job_events_are_facts');
  const submissions = db
    .prepare<[], { first: number }>(
      'SELECT DISTINCT coalesce(array_id, id) AS first FROM jobs ORDER BY first',
    )
    .all();
  let changed = false;
  const kinds = new Map<string, string>();
  for (const { first } of submissions) changed = sweepSubmission(db, secrets, first, kinds) || changed;
  for (const [old, kind] of kinds) rename(db, old, kind);
  db.function('without_secrets', (text: unknown) => withoutSecrets(String(text), secrets.own()));
  const processes = db
    .prepare('UPDATE ignored_processes SET command = without_secrets(command) WHERE command IS NOT NULL')
    .run();
  changed ||= processes.changes > 0;
  db.exec(trigger.sql);
  return changed;
}

function sweepSubmission(db: Database, secrets: Secrets, first: number, kinds: Map<string, string>): boolean {
  const rows = db
    .prepare<[number, number], { id: number; seq: number; job: string; event: string }>(
      `SELECT jobs.id, seq, jobs.body AS job, job_events.body AS event FROM jobs
       JOIN job_events ON job_id = jobs.id AND kind = 'submitted'
       WHERE jobs.id = ? OR jobs.array_id = ? ORDER BY jobs.id`,
    )
    .all(first, first)
    .map((row) => ({ ...row, job: JSON.parse(row.job) as Job, event: JSON.parse(row.event) as Submitted }));
  // What was taken out before is put back first: marks are numbered over all of a submission.
  const kept = secrets.vault.read(first);
  const before = rows.map(({ event: { spec, array } }) =>
    restored(array === undefined ? { spec } : { spec, array }, kept ?? []),
  );
  const { jobs: after, values } = secrets.conceal(before, false);
  // Where older ones were forgotten, marks would come to stand for others: such a job cannot run again as it is.
  const forgotten = kept === null && rows.some(({ job }) => hasSecrets(job));
  if (values.length > 0 && !forgotten) secrets.vault.write(first, values);
  return rows.reduce((changed, row, at) => {
    const { spec, array } = after[at]!;
    const event = JSON.stringify({ ...row.event, spec, ...(array === undefined ? {} : { array }) });
    const found = event !== JSON.stringify(row.event);
    const job = found ? concealedFields(row.job, after[at]!) : row.job;
    if (found) {
      db.prepare('UPDATE job_events SET body = ? WHERE seq = ?').run(event, row.seq);
      const text = `${spec.name === null ? '' : `${spec.name}\n`}${spec.command.join(' ')}`.slice(0, 4096);
      db.prepare('UPDATE job_text SET text = ? WHERE rowid = ?').run(text, row.id);
      if (kindOf(row.job) !== kindOf(job)) kinds.set(kindOf(row.job), kindOf(job));
    }
    return sweepEvents(db, secrets, row.id, job) || found || changed;
  }, false);
}

/** What a job wrote, and is quoted with. */
function sweepEvents(db: Database, secrets: Secrets, id: number, job: Job): boolean {
  let changed = false;
  const events = db
    .prepare<[number], { seq: number; body: string }>(
      "SELECT seq, body FROM job_events WHERE job_id = ? AND kind <> 'submitted'",
    )
    .all(id);
  for (const { seq, body } of events) {
    const told = JSON.stringify(secrets.told(job, JSON.parse(body) as JobEvent));
    if (told === body) continue;
    db.prepare('UPDATE job_events SET body = ? WHERE seq = ?').run(told, seq);
    changed = true;
  }
  const { cause, diagnosis, progress } = job;
  const quoted = secrets.told(job, {
    kind: 'progressed',
    cause,
    diagnosis,
    progress,
  } as never) as unknown as Job;
  const body = JSON.stringify({
    ...job,
    cause: quoted.cause,
    diagnosis: quoted.diagnosis,
    progress: quoted.progress,
  });
  return (
    db.prepare('UPDATE jobs SET body = ? WHERE id = ? AND body <> ?').run(body, id, body).changes > 0 ||
    changed
  );
}

/** What was learned of a command stays known under its new key. */
function rename(db: Database, old: string, kind: string): void {
  db.prepare('UPDATE OR REPLACE command_peaks SET kind = ? WHERE kind = ?').run(kind, old);
  db.prepare('UPDATE OR REPLACE command_paces SET kind = ? WHERE kind = ?').run(kind, old);
  db.prepare('UPDATE OR REPLACE command_paces SET beside = ? WHERE beside = ?').run(kind, old);
}
