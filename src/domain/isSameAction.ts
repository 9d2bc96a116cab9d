import type { Action } from './decision.ts';

/** True if both do the same. */
export function isSameAction(a: Action, b: Action): boolean {
  if (a.kind === 'wait' || b.kind === 'wait') return a.kind === b.kind;
  if (a.kind !== 'launch' || b.kind !== 'launch') return a.kind === b.kind && a.jobId === b.jobId;
  return (
    a.jobId === b.jobId &&
    a.deviceIds.length === b.deviceIds.length &&
    a.deviceIds.every((id) => b.deviceIds.includes(id))
  );
}
