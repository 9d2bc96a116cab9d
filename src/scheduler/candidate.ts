import type { Action, Veto } from '../domain/decision.ts';

/** A candidate with what the shield holds against it. Allowed when `vetoes` is empty. */
export interface Candidate {
  readonly action: Action;
  readonly vetoes: readonly Veto[];
}
