import type { Candidate } from './candidate.ts';
import { type Shield, shieldOf } from './shield.ts';
import type { ShieldLimits, Snapshot } from './snapshot.ts';

/**
 * Everything that may be considered now: launches in queue order, for each job alone before sharing and best fit
 * first, then `wait`. Every waiting job has at least one, vetoed if it cannot start; at most MAX_PLACEMENTS.
 * Something is always allowed.
 */
export function candidatesOf(snapshot: Snapshot, limits: ShieldLimits): Candidate[] {
  return candidatesUnder(shieldOf(snapshot, limits), snapshot);
}

/** The same for a shield that was made already. */
export function candidatesUnder(shield: Shield, snapshot: Snapshot): Candidate[] {
  const candidates: Candidate[] = [];
  snapshot.waiting.forEach((job, index) => {
    const { placements, vetoes } = shield.judge(job, index);
    for (const deviceIds of placements) {
      candidates.push({
        action: { kind: 'launch', jobId: job.id, deviceIds: deviceIds as string[] },
        vetoes,
      });
    }
  });
  candidates.push({ action: { kind: 'wait' }, vetoes: shield.waitVetoes });
  return candidates;
}
