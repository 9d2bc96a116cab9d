import type { Action, Veto } from '../domain/decision.ts';
import type { Candidate } from './candidate.ts';
import { type Shield, shieldOf } from './shield.ts';
import type { ShieldLimits, Snapshot, WaitingJob } from './snapshot.ts';

/**
 * Everything that may be considered now: launches in queue order, for each job alone before sharing and best fit
 * first, then for each running job that may be touched what may be done to it, then `wait`. Every waiting job has at
 * least one, vetoed if it cannot start; at most MAX_PLACEMENTS for each number of GPUs. Something is always allowed.
 */
export function candidatesOf(snapshot: Snapshot, limits: ShieldLimits): Candidate[] {
  return candidatesUnder(shieldOf(snapshot, limits), snapshot);
}

/** The same for a shield that was made already. */
export function candidatesUnder(shield: Shield, snapshot: Snapshot): Candidate[] {
  const candidates: Candidate[] = [];
  visit(shield, snapshot, true, (action, vetoes) => candidates.push({ action, vetoes }));
  return candidates;
}

/**
 * Those actions of the candidates that the shield allows, in their order, and no other made.
 * @param changes false: without what may be done to running jobs.
 */
export function allowedUnder(shield: Shield, snapshot: Snapshot, changes: boolean): Action[] {
  const allowed: Action[] = [];
  visit(shield, snapshot, changes, (action) => allowed.push(action), true);
  return allowed;
}

function visit(
  shield: Shield,
  snapshot: Snapshot,
  changes: boolean,
  take: (action: Action, vetoes: readonly Veto[]) => void,
  allowedOnly = false,
): void {
  const { waiting, running } = snapshot;
  for (let index = 0; index < waiting.length; index++) {
    const job = waiting[index] as WaitingJob;
    const offer = shield.judge(job, index);
    if (allowedOnly && !offer.fits) continue;
    for (const deviceIds of offer.placements) {
      take({ kind: 'launch', jobId: job.id, deviceIds: deviceIds as string[] }, offer.vetoes);
    }
  }
  for (const job of changes ? running : []) {
    const action = shield.mayChange(job);
    if (action !== null) take(action, NO_VETOES);
  }
  if (!allowedOnly || shield.waitVetoes.length === 0) take({ kind: 'wait' }, shield.waitVetoes);
}

const NO_VETOES: readonly Veto[] = [];
