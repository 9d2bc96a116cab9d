import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type CodeRecord, codeRecordSchema } from '../../domain/codeRecord.ts';
import type { Database } from './database.ts';

export interface StoredCode {
  readonly record: CodeRecord;
  readonly diff: string;
}

interface CodeRow {
  readonly body: string;
  readonly diff: Buffer | null;
  readonly at_ms: number;
}

const packed = promisify(gzip);
const unpacked = promisify(gunzip);

/** What the code of submissions was; the same is kept once, however many were submitted with it. */
export function codeStore(db: Database) {
  const insert = db.prepare<[string, string, Buffer | null]>(
    'INSERT INTO code_records (digest, body, diff) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING',
  );
  const idOf = db.prepare<[string], { id: number }>('SELECT id FROM code_records WHERE digest = ?');
  const link = db.prepare<[number, number, number]>(
    'INSERT INTO job_code (submission_id, record_id, at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const settle = db.prepare<[number]>('DELETE FROM code_due WHERE submission_id = ?');
  const settleAll = db.transaction((submissionIds: readonly number[]): void => {
    for (const id of submissionIds) settle.run(id);
  });
  const due = db.prepare<[], number>('SELECT submission_id FROM code_due ORDER BY submission_id').pluck();
  const one = db.prepare<[number], CodeRow>(
    `SELECT body, diff, at_ms FROM job_code JOIN code_records ON code_records.id = record_id
     WHERE submission_id = ?`,
  );
  const add = db.transaction(
    (submission: number, digest: string, body: string, diff: Buffer | null, atMs: number) => {
      insert.run(digest, body, diff);
      link.run(submission, idOf.get(digest)!.id, atMs);
      settle.run(submission);
    },
  );
  return {
    /** Submissions whose code is still to be recorded. */
    due: (): number[] => due.all(),
    /** There is nothing to record of these. */
    settle: (submissionIds: readonly number[]): void => settleAll(submissionIds),
    async add(submissionId: number, { atMs, ...record }: CodeRecord, diff: string): Promise<void> {
      const body = JSON.stringify(record);
      const digest = createHash('sha256').update(body).update('\0').update(diff).digest('hex');
      const known = diff === '' || idOf.get(digest) !== undefined;
      add(submissionId, digest, body, known ? null : await packed(diff), atMs);
    },
    async of(submissionId: number): Promise<StoredCode | null> {
      const row = one.get(submissionId);
      if (row === undefined) return null;
      const record = codeRecordSchema.parse({ ...JSON.parse(row.body), atMs: row.at_ms });
      return { record, diff: row.diff === null ? '' : (await unpacked(row.diff)).toString('utf8') };
    },
  };
}
export type CodeStore = ReturnType<typeof codeStore>;
