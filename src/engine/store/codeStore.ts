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
  const one = db.prepare<[number], CodeRow>(
    `SELECT body, diff, at_ms FROM job_code JOIN code_records ON code_records.id = record_id
     WHERE submission_id = ?`,
  );
  const add = db.transaction(
    (submission: number, digest: string, body: string, diff: Buffer | null, atMs: number) => {
      insert.run(digest, body, diff);
      link.run(submission, idOf.get(digest)!.id, atMs);
    },
  );
  return {
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
