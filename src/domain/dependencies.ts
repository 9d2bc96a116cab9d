import { FieldError } from './errors.ts';
import type { Job } from './job.ts';
import { isTerminal, type JobStatus } from './jobStatus.ts';
import type { Dependency } from './terms.ts';

/** open: the other job is not over. met: it ended as it had to. impossible: it ended otherwise. */
export type Standing = 'open' | 'met' | 'impossible';

/** How a dependency stands while the job that it names is `status`. */
export function standingOf({ on }: Dependency, status: JobStatus): Standing {
  if (!isTerminal(status)) return 'open';
  if (on === 'any') return 'met';
  return (status === 'succeeded') === (on === 'ok') ? 'met' : 'impossible';
}

const WANTED: Readonly<Record<Dependency['on'], string>> = {
  ok: 'to succeed',
  any: 'to end',
  'not-ok': 'to fail',
};

/** `#12`, `array #12`. */
const named = ({ jobId, array }: Dependency): string => `${array ? 'array ' : ''}#${jobId}`;

/** `waits for #12 to succeed`. @param open those that are still open; at least one. */
export function waitsFor(open: readonly Dependency[]): string {
  const [first] = open;
  const more = open.length === 1 ? '' : ` and for ${open.length - 1} more`;
  return `waits for ${named(first!)} ${WANTED[first!.on]}${more}`;
}

/** `#12 to succeed, #14 to end`; empty where it waits for none. */
export const dependencyText = (after: readonly Dependency[]): string =>
  after.map((one) => `${named(one)} ${WANTED[one.on]}`).join(', ');

/** Why a job can never start: `#12 is failed, but was to succeed first`. */
export function neverStarts(dependency: Dependency, status: JobStatus): string {
  const ended = status === 'succeeded' ? 'has succeeded' : dependency.array ? 'has failed' : `is ${status}`;
  return `${named(dependency)} ${ended}, but was ${WANTED[dependency.on]} first`;
}

/**
 * Refuses what would go round in a circle. A job names only what was submitted before it, so its own number, or one
 * that does not exist yet (a guess at the next job's), is all that a circle could begin with.
 * @throws {FieldError}
 */
export function checkEarlier(id: number, after: readonly Dependency[]): void {
  const wrong = after.find(({ jobId }) => jobId >= id);
  if (wrong !== undefined) throw noSuchDependency(wrong.jobId);
}

export const noSuchArray = (jobId: number): FieldError =>
  new FieldError('after', jobId, 'there is no such array: give the number of its first job');

export const noSuchDependency = (jobId: number): FieldError =>
  new FieldError('after', jobId, 'there is no such job yet: a job can only wait for one submitted before it');

/** The first dependency that can no longer be met, with the status that says so; null when there is none. */
export function impossible(
  { after }: Pick<Job, 'after'>,
  statusOf: (dependency: Dependency) => JobStatus,
): { readonly dependency: Dependency; readonly status: JobStatus } | null {
  for (const dependency of after) {
    const status = statusOf(dependency);
    if (standingOf(dependency, status) === 'impossible') return { dependency, status };
  }
  return null;
}
