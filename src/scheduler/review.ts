import type { Policy } from './policy.ts';
import type { ShieldLimits, Snapshot } from './snapshot.ts';

/**
 * After how long a policy is asked again though nothing happens, if anybody waits: when it wants to be, or when the
 * shield's protection of a job ends that it may then ask to give way. Seconds, above 0; Infinity: never.
 */
export function reviewInS(
  policy: Policy,
  snapshot: Snapshot,
  limits: ShieldLimits,
  history: readonly number[],
): number {
  let soonestS = policy.reviewAfterS?.(snapshot, history) ?? Number.POSITIVE_INFINITY;
  if (policy.preempts !== true) return soonestS;
  for (const { changedAtMs, pausedBy, restartable } of snapshot.running) {
    if (pausedBy !== null || !(restartable || limits.mayPause)) continue;
    const protectedS = limits.minSpellS - (snapshot.nowMs - changedAtMs) / 1000;
    if (protectedS > 0 && protectedS < soonestS) soonestS = protectedS;
  }
  return soonestS;
}
