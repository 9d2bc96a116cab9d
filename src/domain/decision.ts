import { z } from 'zod';

/** One thing that the scheduler may do now. */
export const actionSchema = z.discriminatedUnion('kind', [
  /** Start a job on these devices (none for a CPU-only job). */
  z.object({ kind: z.literal('launch'), jobId: z.int(), deviceIds: z.array(z.string()) }),
  /** Stop a restartable job at its checkpoint: it frees everything and goes back into the queue. */
  z.object({ kind: z.literal('preempt'), jobId: z.int() }),
  /** Let a job stand still: it frees its share of the devices' time, and keeps its memory. */
  z.object({ kind: z.literal('pause'), jobId: z.int() }),
  /** Let a job go on that the scheduler paused. */
  z.object({ kind: z.literal('resume'), jobId: z.int() }),
  /** Do nothing more until something changes. */
  z.object({ kind: z.literal('wait') }),
]);
export type Action = z.output<typeof actionSchema>;

/** Names of the shield's rules, each a reason for which a candidate was struck out. */
export const VETOES = [
  'capacity',
  'memory',
  'owner-order',
  'owner-present',
  'starvation',
  'deadline',
  'device-health',
  'fault',
  'foreign',
  'reservation',
  'temperature',
  'power',
  'quiet-hours',
  'disk-space',
] as const;
export const vetoSchema = z.object({ rule: z.enum(VETOES), reason: z.string() });
export type Veto = z.output<typeof vetoSchema>;

/** A candidate as it is recorded: what, how the policy scored it, and what the shield said. */
export const scoredCandidateSchema = z.object({
  action: actionSchema,
  /** The policy's own scale, higher is better; null where it does not score or the candidate was vetoed. */
  score: z.number().nullable(),
  vetoes: z.array(vetoSchema),
});
export type ScoredCandidate = z.output<typeof scoredCandidateSchema>;

/** Why a learned policy's choice was better than the best alternative, as the network that made it saw it. */
export const explanationSchema = z.object({
  /** The best alternative. */
  otherwise: actionSchema,
  /** Score of what was done minus score of that; below 0 where somebody else than the policy chose. */
  gap: z.number(),
  /** The same in minutes of waiting of one job; null: completion times are no goal. */
  waitMinutes: z.number().nullable(),
  /** What moved it most, the largest first: values as the network sees them, and what each is worth in the score. */
  features: z.array(
    z.object({ name: z.string(), chosen: z.number(), otherwise: z.number(), effect: z.number() }),
  ),
});
export type Explanation = z.output<typeof explanationSchema>;

/** A decision with everything needed to ask why. */
export const decisionSchema = z.object({
  id: z.int(),
  atMs: z.number(),
  /** Decisions of one epoch were taken at one instant, one after another. */
  epoch: z.int(),
  episodeId: z.int().nullable(),
  /** Who decided; `person` for what a person did. */
  policy: z.string(),
  policyVersion: z.string(),
  /** SHA-256 of the snapshot it was taken on. */
  snapshotHash: z.string(),
  /** At most the 64 that matter: the chosen one, the best, and the vetoed. */
  candidates: z.array(scoredCandidateSchema),
  candidateCount: z.int(),
  /** Index into `candidates`. */
  chosen: z.int(),
  exploration: z.object({ epsilon: z.number().nullable(), explored: z.boolean() }),
  /** Set when the policy failed and the heuristic decided instead. */
  fallback: z.object({ failed: z.string(), error: z.string() }).nullable(),
  /** What the heuristic would have done. */
  heuristicAction: actionSchema,
  /** Left out: nothing was scored by a network. */
  explanation: explanationSchema.optional(),
  /** What a policy suggested while somebody else acted; left out: nobody asked one. The scores are its own. */
  advice: z.object({ policy: z.string(), policyVersion: z.string(), action: actionSchema }).optional(),
  /** For people. */
  sentence: z.string(),
});
export type Decision = z.output<typeof decisionSchema>;
