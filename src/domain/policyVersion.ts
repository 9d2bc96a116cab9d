import { z } from 'zod';

/** How a candidate stood against another policy on the same worlds: ratios of mean completion times, below 1 it is better. */
const standingSchema = z.object({
  policy: z.string(),
  ratio: z.number(),
  /** 95 % bootstrap interval; null for fewer than two worlds. */
  low: z.number().nullable(),
  high: z.number().nullable(),
  /** The largest of the ratios of the longest waits. */
  worstWaitRatio: z.number(),
});
export type Standing = z.output<typeof standingSchema>;

/** What came of judging a candidate. */
export const gateReportSchema = z.object({
  atMs: z.number(),
  /** The version in charge that it was held against. */
  against: z.string(),
  passed: z.boolean(),
  /** Why, in a sentence. */
  reason: z.string(),
  /** Worlds that it was tried on: of the owner's own record, and of the standing suite. */
  ownDays: z.int(),
  standingWorlds: z.int(),
  /** The version in charge first, then the heuristics. */
  standings: z.array(standingSchema),
  tookS: z.number(),
});
export type GateReport = z.output<typeof gateReportSchema>;

export const VERSION_SOURCES = ['shipped', 'online', 'imported'] as const;

/** One version of the learned policy's weights, without the weights. */
export const policyVersionSchema = z.object({
  version: z.string(),
  source: z.enum(VERSION_SOURCES),
  createdAtMs: z.number(),
  trainSteps: z.int(),
  inCharge: z.boolean(),
  /** When it was last put in charge; null: never. */
  promotedAtMs: z.number().nullable(),
  /** null: it was not judged. */
  gate: gateReportSchema.nullable(),
});
export type PolicyVersion = z.output<typeof policyVersionSchema>;

/** Weights as they are handed from one machine to another: data, and nothing that could run. */
export const policyFileSchema = z.object({
  name: z
    .string('name the weights')
    .regex(/^[\w.+-]{1,80}$/, 'use letters, digits and . _ + - for the name, at most 80'),
  /** Base64. */
  weights: z.base64('give the weights in base64').max(8 * 1024 * 1024, 'these are larger than any of Stint'),
});
