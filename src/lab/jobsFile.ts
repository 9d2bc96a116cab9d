import { statSync } from 'node:fs';
import { FieldError } from '../domain/errors.ts';

/** What a file of jobs says of each in every mode, without a line end. */
export const JOBS_HEADER = 'policy,job_id,submit_s,gpus,start_s,finish_s,jct_s,wait_s,preemptions';

/** To the microsecond, below which the simulators do not tell instants apart. */
export const rounded = (s: number): number => Math.round(s * 1e6) / 1e6;

/** @throws {FieldError} where a file of jobs would be written over the trace. */
export function refuseSameFile(path: string, tracePath: string): void {
  const [one, other] = [path, tracePath].map((place) => statSync(place, { throwIfNoEntry: false }));
  if (one === undefined || other === undefined || one.ino !== other.ino || one.dev !== other.dev) return;
  throw new FieldError('--jobs', path, 'name another file than the trace');
}
