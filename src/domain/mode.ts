import { z } from 'zod';
import { actionSchema } from './decision.ts';

/**
 * Who acts. manual: people only. advise: the heuristic, while the policy's choice is shown as a suggestion. auto: the
 * policy.
 */
export const MODES = ['manual', 'advise', 'auto'] as const;
export type Mode = (typeof MODES)[number];

/** What the owner wants of the scheduler. */
export const conductSchema = z.object({
  mode: z.enum(MODES, `choose one of ${MODES.join(', ')}`),
  /** While advising: for so long a suggestion waits for a person's word before the heuristic acts otherwise. Seconds. */
  thinkS: z.number('give seconds').min(0, 'give 0 or more seconds').max(86_400, 'give at most a day'),
});
export type Conduct = z.output<typeof conductSchema>;

/**
 * accepted: a person had it done. overruled: a person said no, or did something else. lapsed: nobody said anything in
 * time, and the heuristic acted. gone: it could not, or need not, be done any more.
 */
export const SUGGESTION_OUTCOMES = ['accepted', 'overruled', 'lapsed', 'gone'] as const;
export type SuggestionOutcome = (typeof SUGGESTION_OUTCOMES)[number];

/** Something that the policy would do, and the heuristic would not. */
export const suggestionSchema = z.object({
  id: z.int(),
  atMs: z.number(),
  policy: z.string(),
  policyVersion: z.string(),
  action: actionSchema,
  /** What is done otherwise. */
  heuristicAction: actionSchema,
  /** When that is done unless somebody says a word; null: nothing would be done, so it stands until something changes. */
  actsAtMs: z.number().nullable(),
});
export type Suggestion = z.output<typeof suggestionSchema>;

/** What became of suggestions so far. */
export const suggestionCountsSchema = z.object({
  accepted: z.int(),
  overruled: z.int(),
  lapsed: z.int(),
});
export type SuggestionCounts = z.output<typeof suggestionCountsSchema>;
