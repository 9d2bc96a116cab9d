import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { isLive, isTerminal, type Job } from '../../src/domain/job.ts';
import { applyEvent, createJob, type Folded, type JobEvent } from '../../src/domain/lifecycle.ts';
import { AT_MOST, type Expected, rightEnds } from './work.ts';
import type { World } from './world.ts';

/** What must not happen, in the words of the table. */
export const BAD = [
  'lost',
  'doubled',
  'wrong end',
  'orphans',
  'held',
  'misfolded',
  'damaged',
  'hung',
  'crashed',
  'wrong',
] as const;
export type Bad = (typeof BAD)[number];

export interface Findings {
  readonly counts: Record<Bad, number>;
  /** One line for each thing that was bad. */
  readonly details: string[];
  /** How often what makes a round worth something happened in it, by name. */
  readonly happened: Map<string, number>;
}

type Note = (bad: Bad, what: string) => void;

export function noFindings(): Findings {
  const counts = Object.fromEntries(BAD.map((bad) => [bad, 0])) as Record<Bad, number>;
  return { counts, details: [], happened: new Map() };
}

interface EventRow {
  readonly job_id: number;
  readonly at_ms: number;
  readonly body: string;
}

/**
 * Looks at everything that a round left behind, once all of its jobs should be over.
 * @param forgetful true where the data directory was cut back to an earlier moment, so that later jobs may be gone.
 */
export async function verify(world: World, forgetful = false): Promise<Findings> {
  const findings = noFindings();
  const note: Note = (bad, what) => {
    findings.counts[bad]++;
    findings.details.push(`${bad}: ${what}`);
  };
  if (!(await world.untilOver()))
    note('hung', JSON.stringify((await world.list()).filter((j) => !isTerminal(j.status))));
  for (const trouble of world.troubles) note('wrong', trouble);
  if (world.crashes > 0) note('crashed', `the engine ended by itself ${world.crashes} times`);

  const jobs = await world.list();
  const byName = new Map<string, Job[]>();
  for (const job of jobs) byName.set(job.name, [...(byName.get(job.name) ?? []), job]);
  for (const expected of world.jobs) {
    const { name, acknowledged, exitCode, disturbed, hooks } = expected;
    const found = byName.get(name) ?? [];
    if (found.length > 1) note('doubled', `${name} was recorded ${found.length} times`);
    const job = found[0];
    const marks = world.marksOf(name);
    if (job === undefined) {
      if (acknowledged && !forgetful) note('lost', `${name} was accepted and is not there`);
      if (marks.length > 0 && !forgetful) note('orphans', `${name} ran and is not there`);
      continue;
    }
    if (new Set(marks).size < marks.length)
      note('doubled', `an attempt of ${name} ran twice: ${marks.join()}`);
    const attempts = await world.patiently((client) => client.jobs.attempts({ id: job.id }));
    for (const { attempt, exitCode: code } of attempts) {
      const ran = marks.includes(String(attempt));
      if (code !== null && code < 126 && !ran && hooks !== false)
        note('wrong end', `attempt ${attempt} of ${name} has code ${code} and never ran`);
    }
    checkHooks(world, expected, job, marks, note);
    if (disturbed) {
      if (job.status === 'succeeded' && exitCode !== 0) note('wrong end', `${name} has succeeded`);
      continue;
    }
    const ends = rightEnds(expected);
    const never = job.status === 'cancelled' && job.startedAtMs === null && ends.has('never');
    const right = (job.status === 'succeeded' || job.status === 'failed') && ends.has(job.status);
    if (!never && !(right && job.exitCode === exitCode))
      note('wrong end', `${name} is ${job.status} (${job.exitCode}), not ${exitCode}: ${job.cause}`);
    if (never && marks.length > 0) note('wrong end', `${name} ran though it was never to start`);
  }
  for (const array of new Set(world.jobs.flatMap((job) => job.array ?? []))) {
    const its = world.jobs.filter((job) => job.array === array);
    const there = its.filter(({ name }) => byName.has(name)).length;
    if (there !== 0 && there !== its.length)
      note('lost', `of ${array} ${there} of ${its.length} jobs are there`);
  }

  const devices = await world.patiently((client) => client.devices.list());
  for (const { id, holders } of devices)
    if (holders.length > 0) note('held', `${id} by ${holders.map((h) => h.jobId)}`);
  await world.stop();
  const left = world.processes();
  for (const { pid, command } of left) note('orphans', `process ${pid}: ${command.slice(0, 120)}`);
  checkDatabase(join(world.home, 'stint.db'), note, findings.happened);
  checkCode(join(world.home, 'stint.db'), world.code, note, findings.happened);
  return findings;
}

/** Whether hooks ran where they had to, and nowhere twice. */
function checkHooks(
  world: World,
  { name, hooks, disturbed, preempted }: Expected,
  job: Job,
  marks: readonly string[],
  note: Note,
): void {
  if (hooks === null) return;
  const [pre, post] = [world.marksOf(name, '.pre'), world.marksOf(name, '.post')];
  for (const [kind, ran] of [
    ['pre', pre],
    ['post', post],
  ] as const)
    if (new Set(ran).size < ran.length)
      note('doubled', `the ${kind} hook of ${name} ran twice: ${ran.join()}`);
  if (marks.some((attempt) => !pre.includes(attempt)))
    note('wrong', `${name} ran before its pre hook: ${marks.join()} and ${pre.join()}`);
  if (!hooks && marks.length > 0) note('wrong', `${name} ran though its pre hook failed`);
  if (!disturbed && !preempted && job.startedAtMs !== null && !post.includes(String(job.attempt)))
    note('wrong', `${name} ended without its post hook`);
}

/** Whether the database is whole, its projection is what its events say, and nothing holds a device. */
function checkDatabase(path: string, note: Note, happened: Findings['happened']): void {
  const db = new SqliteDatabase(path, { readonly: true });
  try {
    const whole = db.pragma('integrity_check(3)', { simple: true });
    if (whole !== 'ok') note('damaged', String(whole));
    if ((db.pragma('foreign_key_check') as unknown[]).length > 0) note('damaged', 'foreign keys');
    const open = db
      .prepare<[], { n: number }>('SELECT count(*) AS n FROM allocations WHERE end_ms IS NULL')
      .get()!.n;
    if (open > 0) note('held', `${open} allocations are open`);
    const folded = new Map<number, Folded>();
    const running = new Map<number, Set<number>>();
    const count = (what: string): void => {
      happened.set(what, (happened.get(what) ?? 0) + 1);
    };
    for (const row of db
      .prepare<[], EventRow>('SELECT job_id, at_ms, body FROM job_events ORDER BY seq')
      .iterate()) {
      const event = JSON.parse(row.body) as JobEvent;
      const before = folded.get(row.job_id);
      if (event.kind === 'submitted')
        folded.set(row.job_id, { job: createJob(row.job_id, event, row.at_ms), stoppingAs: null });
      else if (before === undefined)
        note('misfolded', `job ${row.job_id} has ${event.kind} before it was submitted`);
      else folded.set(row.job_id, applyEvent(before, event, row.at_ms));
      for (const what of wordsFor(event)) count(what);
      const job = folded.get(row.job_id)?.job;
      if (job === undefined || job.array === null) continue;
      const its = running.get(job.array.id) ?? new Set();
      if (!running.has(job.array.id)) count('arrays');
      running.set(job.array.id, its);
      if (isLive(job.status)) its.add(job.id);
      else its.delete(job.id);
      if (its.size > AT_MOST) note('wrong', `${its.size} jobs of array ${job.array.id} ran at once`);
    }
    const rows = db.prepare<[], { id: number; body: string }>('SELECT id, body FROM jobs').all();
    if (rows.length !== folded.size) note('misfolded', `${rows.length} jobs, but events of ${folded.size}`);
    for (const { id, body } of rows) {
      const said = JSON.stringify(folded.get(id)?.job);
      if (sorted(body) !== sorted(said ?? '{}'))
        note('misfolded', `job ${id}: ${body.slice(0, 300)} / ${said?.slice(0, 300)}`);
    }
  } finally {
    db.close();
  }
}

/** Whether of every submission from a repository its code is recorded, or will be by the next engine. */
function checkCode(path: string, code: string, note: Note, happened: Findings['happened']): void {
  const db = new SqliteDatabase(path, { readonly: true });
  try {
    const submissions = db
      .prepare<[string], { id: number; recorded: number; due: number }>(
        `SELECT id, id IN (SELECT submission_id FROM job_code) AS recorded, id IN (SELECT submission_id FROM code_due) AS due
         FROM jobs WHERE json_extract(body, '$.cwd') = ? AND coalesce(array_id, id) = id`,
      )
      .all(code);
    for (const { id, recorded, due } of submissions)
      if (code !== '/' && !recorded && !due) note('lost', `the code of job ${id} was never recorded`);
    const recorded = submissions.filter((one) => one.recorded).length;
    if (recorded > 0) happened.set('records of code', recorded);
  } finally {
    db.close();
  }
}

/** What is counted of an event; nothing for most. */
function wordsFor(event: JobEvent): string[] {
  if (event.kind === 'submitted') {
    const { after, preCommand } = event.spec;
    return [after.length > 0 ? 'dependencies' : '', preCommand ? 'hooks' : ''].filter(Boolean);
  }
  if (event.kind === 'preempting') return ['preemptions'];
  if (event.kind === 'throttled') return ['throttles'];
  if (event.kind === 'paused') return [event.by === 'guard' ? 'pauses by a rule' : 'pauses'];
  return 'retryAtMs' in event && event.retryAtMs !== undefined ? ['retries'] : [];
}

/** JSON with its keys in order, since those of a migrated body are in another. */
function sorted(text: string): string {
  return JSON.stringify(JSON.parse(text), (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
