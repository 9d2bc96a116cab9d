import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { decisionSchema } from '../domain/decision.ts';
import { deviceSchema } from '../domain/device.ts';
import { episodeSchema } from '../domain/episode.ts';
import { JOB_STATUSES, jobSchema, jobSpecSchema } from '../domain/job.ts';
import { POLICY_NAMES } from '../domain/policyNames.ts';
import {
  allocationSchema,
  jobViewSchema,
  logChunkSchema,
  loggedEventSchema,
  overviewSchema,
  sampleSeriesSchema,
  schedulerStatusSchema,
  systemInfoSchema,
  watchMessageSchema,
} from './messages.ts';

/** Errors that every procedure may answer with. `data` is for programs, `message` for people. */
const base = oc.errors({
  /** The request itself is wrong: which field, what was given, and how to mend it. */
  BAD_REQUEST: { data: z.object({ field: z.string(), value: z.string(), remedy: z.string() }) },
  NOT_FOUND: { data: z.object({ what: z.string(), id: z.string(), remedy: z.string() }) },
  /** Well-formed, but not possible in the present state. Nothing was changed. */
  CONFLICT: { data: z.object({ remedy: z.string() }) },
  /** A part of the engine is not working right now. */
  SERVICE_UNAVAILABLE: { data: z.object({ remedy: z.string() }) },
});

const jobId = z.object({ id: z.int('give a job id, such as 12').positive('give a job id, such as 12') });
const limit = (most: number, fallback: number) =>
  z.int('give a whole number').min(1, 'give at least 1').max(most, `give at most ${most}`).default(fallback);
const since = z.number('give Unix milliseconds').min(0, 'give Unix milliseconds');

/**
 * The one API. Every client (console, CLI, tests) speaks it, and every transport (memory, message port,
 * WebSocket, local socket) carries it. Parameters and results are validated on the engine's side.
 */
export const contract = {
  system: {
    info: base.output(systemInfoSchema),
    overview: base.output(overviewSchema),
  },
  /**
   * First everything after `since` (all events from now on, when it is left out), then what happens, for as long
   * as the reader stays.
   */
  watch: base
    .input(
      z.object({ since: z.int('give a sequence number').min(0, 'give a sequence number from 0').optional() }),
    )
    .output(eventIterator(watchMessageSchema)),
  jobs: {
    submit: base.input(jobSpecSchema).output(jobViewSchema),
    list: base
      .input(
        z.object({
          statuses: z.array(z.enum(JOB_STATUSES, `choose from ${JOB_STATUSES.join(', ')}`)).optional(),
          limit: limit(10_000, 1000),
          offset: z.int().min(0, 'give 0 or more').default(0),
        }),
      )
      /** Live and waiting jobs first, in queue order, then those that are over, latest first. */
      .output(z.object({ jobs: z.array(jobViewSchema), total: z.int() })),
    get: base.input(jobId).output(jobViewSchema),
    pause: base.input(jobId).output(jobViewSchema),
    resume: base.input(jobId).output(jobViewSchema),
    /** Queued: withdrawn. Running: TERM, grace, KILL; it answers as soon as it is `stopping`. */
    cancel: base.input(jobId).output(jobViewSchema),
    hold: base.input(jobId).output(jobViewSchema),
    release: base.input(jobId).output(jobViewSchema),
    prioritise: base
      .input(
        jobId.extend({
          priority: jobSchema.shape.priority.min(-1000, 'give at least -1000').max(1000, 'give at most 1000'),
        }),
      )
      .output(jobViewSchema),
    /** Puts a waiting job directly before another, or at the end of the queue (null). */
    move: base.input(jobId.extend({ beforeId: z.int().positive().nullable() })).output(jobViewSchema),
    events: base.input(jobId).output(z.array(loggedEventSchema)),
  },
  logs: {
    /** A piece from `offset` (negative: from the end). Never more than `limitBytes`. */
    read: base
      .input(jobId.extend({ offset: z.int().default(0), limitBytes: limit(4 * 1024 * 1024, 256 * 1024) }))
      .output(logChunkSchema),
    /** From `offset` (negative: from the end), and on as the job writes; ends when the job is over and all is read. */
    follow: base.input(jobId.extend({ offset: z.int().default(0) })).output(eventIterator(logChunkSchema)),
  },
  devices: {
    list: base.output(z.array(deviceSchema)),
    samples: base.input(z.object({ sinceMs: since })).output(z.array(sampleSeriesSchema)),
    /** Who was on which device; whatever overlaps [sinceMs, now]. */
    allocations: base.input(z.object({ sinceMs: since })).output(z.array(allocationSchema)),
  },
  scheduler: {
    status: base.output(schedulerStatusSchema),
    setPolicy: base
      .input(z.object({ policy: z.enum(POLICY_NAMES, `choose one of ${POLICY_NAMES.join(', ')}`) }))
      .output(schedulerStatusSchema),
    /** Latest first. */
    decisions: base
      .input(
        z.object({
          limit: limit(1000, 50),
          jobId: z.int().positive().optional(),
          beforeId: z.int().positive().optional(),
        }),
      )
      .output(z.array(decisionSchema)),
    /** Latest first; the one that is under way included. */
    episodes: base.input(z.object({ limit: limit(1000, 100) })).output(z.array(episodeSchema)),
  },
};
export type Contract = typeof contract;
