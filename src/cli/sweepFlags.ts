import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FieldError } from '../domain/errors.ts';
import { seededRng } from '../domain/rng.ts';
import {
  type Axis,
  checkAxes,
  grid,
  type Point,
  parseArray,
  parseAxis,
  parsePoints,
  randomPoints,
} from '../domain/sweep.ts';
import { sweepPoints } from '../domain/sweepPoints.ts';
import type { TemplateSweep } from '../domain/template.ts';
import type { Context } from './context.ts';

/** The flags that make many jobs of one. */
export interface SweepFlags {
  readonly array?: string;
  readonly sweep?: Axis[];
  readonly sweepFile?: string;
  readonly samples?: number;
  readonly seed?: number;
  readonly atMost?: number;
}

/** A file of so many bytes is no list of points. */
const MOST_FILE_BYTES = 16 * 1024 * 1024;

/** Collects `--sweep NAME=VALUES`. */
export const axis = (text: string, before: readonly Axis[] = []): Axis[] => [
  ...before,
  parseAxis(text, '--sweep'),
];

/**
 * The jobs that the flags ask for; null: one job, and no array.
 * @param kept what a template says where they do not.
 * @throws {FieldError}
 */
export function pointsOf(
  context: Context,
  flags: SweepFlags,
  kept: TemplateSweep | null = null,
): { readonly points: readonly Point[]; readonly atMost: number | null } | null {
  const { array, sweep, sweepFile, samples, seed, atMost } = flags;
  const given = [array, sweep, sweepFile].filter((flag) => flag !== undefined).length;
  if (given > 1) {
    const flag = array === undefined ? '--sweep-file' : '--array';
    throw new FieldError(
      flag,
      array ?? sweepFile,
      'give one of --array, --sweep and --sweep-file: a sweep over seed=0..9 is an array, too',
    );
  }
  if (given === 0 && kept !== null) {
    const said = Object.entries({ samples, seed, atMost }).filter(([, value]) => value !== undefined);
    return sweepPoints({ ...kept, ...Object.fromEntries(said) }, context.nowMs());
  }
  if (samples !== undefined && sweep === undefined) {
    throw new FieldError('--samples', samples, 'say what to draw, such as --sweep lr=log:1e-5..1e-1');
  }
  if (seed !== undefined && samples === undefined) {
    throw new FieldError('--seed', seed, 'it is for --samples, which is not given');
  }
  if (given === 0) {
    if (atMost !== undefined)
      throw new FieldError('--at-most', atMost, 'it is for --array, --sweep or --sweep-file');
    return null;
  }
  if (array !== undefined) {
    const parsed = parseArray(array, '--array');
    return { points: parsed.points, atMost: atMost ?? parsed.atMost };
  }
  if (sweepFile !== undefined) {
    return { points: parsePoints(readPoints(context, sweepFile), '--sweep-file'), atMost: atMost ?? null };
  }
  checkAxes(sweep!, '--sweep');
  const rng = seededRng(seed ?? context.nowMs());
  const points =
    samples === undefined ? grid(sweep!, '--sweep') : randomPoints(sweep!, samples, rng, '--samples');
  return { points, atMost: atMost ?? null };
}

function readPoints(context: Context, file: string): string {
  const path = resolve(context.callerDir, file);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new FieldError('--sweep-file', file, `give a file that exists and that you may read (${code})`);
  }
  if (bytes.length > MOST_FILE_BYTES) throw new FieldError('--sweep-file', file, 'keep it within 16 MiB');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new FieldError('--sweep-file', file, 'save it as UTF-8');
  }
}
