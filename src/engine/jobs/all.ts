import { setImmediate as breath } from 'node:timers/promises';
import { ConflictError } from '../../domain/errors.ts';
import { mayHappen } from '../../domain/lifecycle.ts';
import type { Ledger } from './ledger.ts';

/** After so many the engine looks at everything else that wants it: a queue may be long. */
const AT_ONCE = 200;

/**
 * Changes each job for which that is possible when its turn comes; what happens to others is looked at in between.
 * @returns the numbers of those that were changed, in the order given.
 */
export async function forEach(
  jobIds: readonly number[],
  may: (id: number) => boolean,
  change: (id: number) => unknown,
): Promise<number[]> {
  const changed: number[] = [];
  for (const id of jobIds) {
    // It may have gone on during a breath.
    if (!may(id)) continue;
    await change(id);
    changed.push(id);
    if (changed.length % AT_ONCE === 0) await breath();
  }
  return changed;
}

/**
 * Holds, or releases, every job for which that is possible now. What comes later is not concerned.
 * @returns their numbers, in queue order.
 * @throws {ConflictError} when there is none.
 */
export async function forAll(
  ledger: Ledger,
  kind: 'held' | 'released',
  change: (jobId: number) => unknown,
): Promise<number[]> {
  const ids = await forEach(
    ledger.current().map(({ id }) => id),
    (id) => mayHappen(ledger.get(id).status, kind),
    change,
  );
  if (ids.length === 0) {
    throw new ConflictError(
      kind === 'held' ? 'no job is queued' : 'no job is held',
      `there is nothing to ${kind === 'held' ? 'hold' : 'release'}`,
    );
  }
  return ids;
}
