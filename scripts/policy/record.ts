import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FieldError } from '../../src/domain/errors.ts';
import type { PolicyFile } from '../../src/learning/shippedPolicy.ts';
import type { Comparison } from './compare.ts';
import type { DayRange } from './days.ts';
import { reportOf } from './report.ts';

/** A point of the learning curve, measured on the validation days. */
export interface CurvePoint {
  readonly phase: string;
  readonly steps: number;
  readonly loss: number;
  readonly costToFirstFit: number;
}

export interface Evaluation {
  readonly command: string;
  readonly range: DayRange;
  /** Digest of the weights that were judged, of {@link digestOf}. */
  readonly weights: string;
  /** Other weights that had been judged on the same days before. */
  readonly judgedBefore: number;
  readonly comparisons: readonly Comparison[];
}

/** The file of a trained policy, as training and evaluation write it. */
export interface PolicyRecord extends PolicyFile {
  readonly config: Readonly<Record<string, unknown>> & {
    readonly trainedS: number;
    readonly trainingDays: number;
    readonly validationDays: number;
    readonly kept: { readonly phase: string; readonly steps: number; readonly costToFirstFit: number };
  };
  readonly curve: readonly CurvePoint[];
  /** null: these weights have not been judged yet. */
  readonly evaluation: Evaluation | null;
  /** What a reader must know about how these weights came to be, in whole sentences, written by hand. */
  readonly notes: readonly string[];
}

/** Names weights by what they are: the first 12 hexadecimal digits of the SHA-256 of their blob. */
export function digestOf(weightsBase64: string): string {
  return createHash('sha256').update(Buffer.from(weightsBase64, 'base64')).digest('hex').slice(0, 12);
}

/** @throws {FieldError} when the file is not a record of a training. */
export async function readRecord(path: string): Promise<PolicyRecord> {
  const record = JSON.parse(await readFile(path, 'utf8')) as Partial<PolicyRecord>;
  for (const field of ['weights', 'config', 'curve', 'notes'] as const) {
    if (record[field] === undefined) {
      throw new FieldError(`${path}: ${field}`, undefined, 'name a file that trainFirstLight.ts has written');
    }
  }
  return record as PolicyRecord;
}

/** Writes the record, and beside it the same for people. @returns the text for people. */
export async function writeRecord(path: string, record: PolicyRecord): Promise<string> {
  const report = reportOf(record);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(record, null, 1)}\n`);
  await writeFile(path.replace(/\.json$/, '.md'), report);
  return report;
}
