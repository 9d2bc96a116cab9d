import type { Action } from '../../domain/decision.ts';
import type { Snapshot } from '../snapshot.ts';
import { act, computingOn, gainOf, type Planned } from './act.ts';
import { PLAN, type PlanConfig } from './config.ts';
import { type Entrant, entrantsOf } from './entrants.ts';
import { placesOf, plan } from './places.ts';
import { type Setting, settingOf } from './setting.ts';

/** What the plan says of the candidates of a decision. */
export interface Advice {
  /** Index of the candidate that it would take. */
  readonly index: number;
  /** By job: what it is believed and worth. */
  readonly entrants: ReadonlyMap<number, Entrant>;
  /** How fast paired jobs are here against the rule. */
  readonly level: number;
  /** Expected speed of a launch and what it takes from others, in jobs at full speed. */
  gainOf(action: Extract<Action, { kind: 'launch' }>): { readonly speed: number; readonly loss: number };
}

/**
 * Plans who runs where, and picks the next candidate towards it.
 *
 * All jobs, running and waiting, are ordered by their density: the Gittins index of what is believed of their run time
 * (the most ends a second that some stretch of running promises), weighed by priority and fairness as the owner's
 * goals say, over GPUs to a power. In that order each takes the best place that is left: where it is, alone, or beside
 * others where that adds enough throughput. Who runs has a head start, since stopping costs what was done since the
 * checkpoint and a restart. Whoever holds what a better one needs gives way. Where nobody does, somebody may move.
 *
 * Pure. O(jobs · (devices + beliefs)).
 */
export function adviceOf(
  snapshot: Snapshot,
  candidates: readonly Action[],
  given: PlanConfig = PLAN,
): Advice {
  const config: Setting = { ...given, ...settingOf(snapshot, given) };
  const entrants = entrantsOf(snapshot, candidates, config);
  const places = placesOf(snapshot);
  plan(entrants, places, config);
  const byId = new Map(entrants.map((entrant) => [entrant.job.id, entrant]));
  const planned: Planned = { entrants, byId, computing: computingOn(snapshot), places };
  return {
    index: act(snapshot, candidates, planned, config),
    entrants: byId,
    level: config.level,
    gainOf: ({ jobId, deviceIds }) => gainOf(byId.get(jobId)!, deviceIds, planned, config),
  };
}
