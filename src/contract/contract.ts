import { eventIterator, oc } from '@orpc/contract';
import { z } from 'zod';
import { apiTokenSchema } from '../domain/apiToken.ts';
import { atMostSchema, membersSchema } from '../domain/array.ts';
import { attemptSchema } from '../domain/attempt.ts';
import { codeRecordSchema } from '../domain/codeRecord.ts';
import { decisionSchema } from '../domain/decision.ts';
import { deviceSchema, measuredSchema } from '../domain/device.ts';
import { deviceRulesSchema, reservationSchema } from '../domain/deviceRules.ts';
import { episodeSchema } from '../domain/episode.ts';
import {
  executorCheckSchema,
  executorOrderSchema,
  executorSchema,
  executorViewSchema,
} from '../domain/executor.ts';
import { expectedStartsSchema } from '../domain/expectedStart.ts';
import { findingSchema } from '../domain/finding.ts';
import { giveWaySchema } from '../domain/giveWay.ts';
import { previewMessageSchema } from '../domain/goalsPreview.ts';
import { JOB_STATUSES, jobSchema, jobSpecSchema } from '../domain/job.ts';
import { jobFilterSchema } from '../domain/jobFilter.ts';
import { cleanedSchema, spaceSchema } from '../domain/keeping.ts';
import { learningLimitsSchema } from '../domain/learning.ts';
import { learningPointSchema } from '../domain/learningCurve.ts';
import { machineRulesSchema } from '../domain/machineRules.ts';
import { metricSeriesSchema } from '../domain/metrics.ts';
import { conductSchema } from '../domain/mode.ts';
import { notifyRuleSchema, notifyTargetSchema, notifyViewSchema } from '../domain/notifyRule.ts';
import { obstacleSchema } from '../domain/obstacle.ts';
import { pastJobSchema } from '../domain/pastJob.ts';
import { replayMessageSchema } from '../domain/pastReplay.ts';
import { POLICY_NAMES } from '../domain/policyNames.ts';
import { policyFileSchema, policyVersionSchema } from '../domain/policyVersion.ts';
import { goalWeightsSchema } from '../domain/reward.ts';
import { pauseBySchema, rungSchema, throttleBySchema } from '../domain/rungSchemas.ts';
import { scoreCalibrationSchema } from '../domain/scoreCalibration.ts';
import { templateSchema } from '../domain/template.ts';
import { energySchema, USAGE_BY, usageSchema } from '../domain/usage.ts';
import {
  allocationSchema,
  jobMemorySchema,
  jobViewSchema,
  logChunkSchema,
  loggedEventSchema,
  overviewSchema,
  pairSpeedSchema,
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
/** One attempt's log; the last one's, and of those that follow, when it is left out. */
const logOf = jobId.extend({
  attempt: z.int('give a number from 1').positive('give a number from 1').optional(),
});
const deviceId = z.object({ id: z.string('give the id of a device').min(1, 'give the id of a device') });
const limit = (most: number, fallback: number) =>
  z.int('give a whole number').min(1, 'give at least 1').max(most, `give at most ${most}`).default(fallback);
const priority = jobSchema.shape.priority.min(-1000, 'give at least -1000').max(1000, 'give at most 1000');
/** The jobs that were changed. */
const changed = z.object({ ids: z.array(z.int()) });
const secretsFrom = jobId.shape.id.nullable().default(null);
const since = z.number('give Unix milliseconds').min(0, 'give Unix milliseconds');
const version = z.object({
  version: z.string('name a version').min(1, 'name a version; `stint policy ls` lists them'),
});
const templateName = templateSchema.pick({ name: true });
const suggestionId = z.object({
  id: z.int('give the number of a suggestion').positive('give the number of a suggestion').optional(),
});
const executorName = executorSchema.pick({ name: true });
/** Where a page of the history ended. */
const historyCursor = z.object({ finishedAtMs: z.number(), id: z.int() });
/** Where a page of a search ended: among jobs that run or wait (`at`: their rank), or that are over (their end). */
const searchCursor = z.object({ part: z.enum(['live', 'waiting', 'over']), at: z.number(), id: z.int() });
export type SearchCursor = z.output<typeof searchCursor>;

/**
 * The one API. Every client (console, CLI, tests) speaks it, and every transport (memory, message port,
 * WebSocket, local socket) carries it. Parameters and results are validated on the engine's side.
 */
export const contract = {
  system: {
    info: base.output(systemInfoSchema),
    /** Ways to throttle and to pause, the gentlest first, and whether each works on this machine. */
    rungs: base.output(z.array(rungSchema)),
    /** Looks at everything that Stint and its jobs need; takes some seconds. The gravest findings come first. */
    doctor: base.output(z.array(findingSchema)),
    /** `waiting`: of the jobs that wait at most so many, the first in the queue; all of them, when it is left out. */
    overview: base
      .input(
        z.object({ waiting: z.int('give a whole number').min(1, 'give at least 1').optional() }).optional(),
      )
      .output(overviewSchema),
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
    /** `secretsFrom`: the job from which marks such as `[secret:1]` were copied; they get what they stand for there. */
    submit: base.input(jobSpecSchema.safeExtend({ secretsFrom })).output(jobViewSchema),
    /** What would keep it from running, as far as that can be told now. Nothing is queued, and nothing of it is run. */
    preflight: base
      .input(jobSpecSchema.safeExtend({ secretsFrom }))
      .output(z.object({ obstacles: z.array(obstacleSchema) })),
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
    /** Those that are wanted, in the order of `list`. A page costs what is on it; go on with `after: next`. */
    search: base
      .input(
        jobFilterSchema.extend({ limit: limit(1000, 100), after: searchCursor.nullable().default(null) }),
      )
      .output(z.object({ jobs: z.array(jobViewSchema), next: searchCursor.nullable() })),
    get: base.input(jobId).output(jobViewSchema),
    /**
     * It stands still, by this rung; by the one that the owner chose when it is left out, or, with `freeVram`, by the first
     * that works for it and gives its GPU memory back. By `checkpoint` it ends and is held, and `resume` lets it wait for
     * its turn.
     */
    pause: base
      .input(
        jobId.extend({
          freeVram: z.boolean('give true or false').default(false),
          by: pauseBySchema.optional(),
        }),
      )
      .output(jobViewSchema),
    resume: base.input(jobId).output(jobViewSchema),
    /** Queued: withdrawn. Running: TERM, grace, KILL; it answers as soon as it is `stopping`. */
    cancel: base.input(jobId).output(jobViewSchema),
    /** Holds it at this share of its speed until its attempt ends; null: it runs as it can. */
    throttle: base
      .input(
        jobId.extend({
          share: z
            .number('give a share, such as 0.4')
            .min(0.01, 'give at least 0.01; to stand still it is paused')
            .max(0.99, 'give at most 0.99, or null for full speed')
            .nullable(),
          /** As the owner chose when it is left out. */
          by: throttleBySchema.optional(),
        }),
      )
      .output(jobViewSchema),
    /**
     * Starts a queued job now, whosever turn it is. Every rule that is not about turns holds: memory, the owner's rules,
     * and what it waits for. `deviceIds`: on all of these; where it fits best when left out.
     */
    start: base
      .input(
        jobId.extend({
          deviceIds: z
            .array(z.string('give ids of devices').min(1, 'give ids of devices'), 'give ids of devices')
            .min(1, 'give at least one id, or leave it out')
            .max(64, 'that is more than any job takes')
            .optional(),
        }),
      )
      .output(jobViewSchema),
    /** It writes its checkpoint, ends, and waits for its next attempt. Only jobs that are restartable. */
    preempt: base.input(jobId).output(jobViewSchema),
    hold: base.input(jobId).output(jobViewSchema),
    release: base.input(jobId).output(jobViewSchema),
    /** Every job that is queued now; those that come later are not held. */
    holdAll: base.output(z.object({ ids: z.array(z.int()) })),
    /** Every job that is held now, whoever held it. */
    releaseAll: base.output(z.object({ ids: z.array(z.int()) })),
    /** A new attempt of a job that is over, with all of its retries. */
    retry: base
      .input(
        jobId.extend({
          /** Declared peak memory per GPU from now on, MiB. */
          vramMib: z
            .int('give whole MiB')
            .min(1, 'give at least 1 MiB')
            .max(16 * 1024 * 1024, 'that is more than any GPU has')
            .optional(),
          /** From now on it shares its GPUs with nobody. */
          alone: z.boolean('give true or false').optional(),
          /** Its time limit from now on; null: none. */
          timeLimitS: jobSchema.shape.timeLimitS.optional(),
        }),
      )
      .output(jobViewSchema),
    /**
     * Takes back that it was cancelled while it waited, and what was cancelled because of that: they have their places,
     * priorities and terms as if nothing had happened. Of one that waits: that it was moved last; it has the place that it had.
     * Within an hour, and while nothing has started because of it.
     */
    undo: base.input(jobId).output(jobViewSchema),
    /**
     * What its code was when it was submitted, as git told; null: its directory is in no work tree, or the engine ended before
     * it could ask. `pending`: git is being asked. `diff` only where it is asked for.
     */
    code: base.input(jobId.extend({ diff: z.boolean('give true or false').default(false) })).output(
      z.object({
        pending: z.boolean(),
        record: codeRecordSchema.nullable(),
        diff: z.string().nullable(),
        /** The copy that it runs from; null: it runs where it was submitted, or its copy is not kept any more. */
        snapshot: z.string().nullable(),
      }),
    ),
    /** What is known of the memory that it takes on each of its GPUs. */
    memory: base.input(jobId).output(jobMemorySchema),
    /** Oldest first. */
    attempts: base.input(jobId).output(z.array(attemptSchema)),
    prioritise: base.input(jobId.extend({ priority })).output(jobViewSchema),
    /** Puts a waiting job directly before another, or at the end of the queue (null). */
    move: base.input(jobId.extend({ beforeId: z.int().positive().nullable() })).output(jobViewSchema),
    /** Keeps a waiting job to these devices, whatever else is free; null: it may start anywhere again. */
    pin: base
      .input(
        jobId.extend({
          deviceIds: z
            .array(z.string('give ids of devices').min(1, 'give ids of devices'), 'give ids of devices')
            .min(1, 'give at least one id, or null')
            .max(64, 'that is more than any job takes')
            .nullable(),
        }),
      )
      .output(jobViewSchema),
    events: base.input(jobId).output(z.array(loggedEventSchema)),
    /** What its output tells of the training, thinned; `complete`: it is over, and all of it was read. */
    metrics: base
      .input(jobId)
      .output(z.object({ series: z.array(metricSeriesSchema), complete: z.boolean() })),
  },
  /** Jobs that were submitted together and differ in an index, or in the parameters of a sweep. */
  arrays: {
    /** All of them are queued, or none. `{index}` and each member's values are filled into command, name and variables. */
    submit: base
      .input(
        z.strictObject({
          spec: jobSpecSchema,
          members: membersSchema,
          /** So many of them run at once at most; null: as many as find room. */
          atMost: atMostSchema.default(null),
          secretsFrom,
        }),
      )
      /** `id`: the array's, which is its first job's. */
      .output(z.object({ id: z.int(), ids: z.array(z.int()) })),
    /** By number. */
    get: base.input(jobId).output(z.object({ jobs: z.array(jobViewSchema) })),
    /** These change all jobs of it for which that is possible now, and answer with which they were. */
    cancel: base.input(jobId).output(changed),
    /** Takes back the last cancel of those that waited; as `jobs.undo`. */
    undo: base.input(jobId).output(changed),
    hold: base.input(jobId).output(changed),
    release: base.input(jobId).output(changed),
    pause: base.input(jobId).output(changed),
    resume: base.input(jobId).output(changed),
    preempt: base.input(jobId).output(changed),
    /** Those that ended otherwise than well. */
    retry: base.input(jobId).output(changed),
    prioritise: base.input(jobId.extend({ priority })).output(changed),
  },
  /** Submissions that are kept under a name. */
  templates: {
    /** By name. */
    list: base.output(z.array(templateSchema)),
    get: base.input(templateName).output(templateSchema),
    /** `replace`: one that has the name already gives way. A template keeps no secrets: what holds one is refused. */
    save: base
      .input(
        templateSchema
          .omit({ savedAtMs: true })
          .extend({ replace: z.boolean('give true or false').default(false) }),
      )
      .output(templateSchema),
    rename: base.input(templateName.extend({ to: templateSchema.shape.name })).output(templateSchema),
    /** What it was, so that it can be saved again. */
    remove: base.input(templateName).output(templateSchema),
  },
  /** Other queues that jobs may be handed over to. */
  executors: {
    add: base.input(executorSchema).output(executorViewSchema),
    /** Oldest first. */
    list: base.output(z.array(executorViewSchema)),
    get: base.input(executorName).output(executorViewSchema),
    /** Tries what Stint needs of it, and leaves nothing there. */
    test: base.input(executorName).output(z.array(executorCheckSchema)),
    /** How the policy would order what is pending there. `apply`: it is done, within what the owner allows. */
    order: base
      .input(executorName.extend({ apply: z.boolean('give true or false').default(false) }))
      .output(executorOrderSchema),
    /** Refused while it has jobs that are not over. */
    remove: base.input(executorName).output(executorName),
  },
  history: {
    /**
     * Jobs that are over and were in the system at some time in [fromMs, toMs), by their end. A page looks at `limit`
     * of them, and may be empty though more follow: go on with `after: next` until that is null.
     */
    jobs: base
      .input(
        z.object({
          fromMs: since,
          toMs: since,
          limit: limit(1000, 500),
          after: historyCursor.nullable().default(null),
        }),
      )
      .output(z.object({ jobs: z.array(pastJobSchema), next: historyCursor.nullable() })),
    /** GPU-hours and energy of jobs that ended in [fromMs, toMs), and of those that run if that has not come; most first. */
    usage: base
      .input(
        z.object({
          by: z.enum(USAGE_BY, `choose from ${USAGE_BY.join(', ')}`).default('user'),
          fromMs: since.default(0),
          toMs: since.default(Number.MAX_SAFE_INTEGER),
        }),
      )
      .output(z.array(usageSchema)),
    /** What these jobs drew over all attempts, so far; without those of which no power was measured. */
    energy: base
      .input(
        z.object({
          ids: z.array(jobId.shape.id, 'give ids of jobs').max(1000, 'give at most 1000 ids at a time'),
        }),
      )
      .output(z.array(energySchema)),
    /**
     * What other policies would have done with the jobs that arrived in [fromMs, toMs): see `pastReplaySchema`. It takes seconds
     * to minutes, tells how far it is, and ends when the reader goes. One at a time. `policies`: all heuristics when left
     * out; `gpus`: as many as there are.
     */
    replay: base
      .input(
        z.object({
          fromMs: since,
          toMs: since.optional(),
          policies: z
            .array(z.string('name policies'), 'name policies')
            .min(1, 'name at least one')
            .max(30, 'name at most 30')
            .optional(),
          gpus: z.int('give a whole number').min(1, 'give at least 1').max(64, 'give at most 64').optional(),
          seed: z
            .int('give a whole number')
            .min(0, 'give 0 or more')
            .max(2 ** 32 - 1, 'give less than 2^32')
            .default(1),
        }),
      )
      .output(eventIterator(replayMessageSchema)),
  },
  logs: {
    /** A piece from `offset` (negative: from the end). Never more than `limitBytes`. */
    read: base
      .input(logOf.extend({ offset: z.int().default(0), limitBytes: limit(4 * 1024 * 1024, 256 * 1024) }))
      .output(logChunkSchema),
    /** From `offset` (negative: from the end), and on as the job writes; ends when the job is over and all is read. */
    follow: base.input(logOf.extend({ offset: z.int().default(0) })).output(eventIterator(logChunkSchema)),
    /** Lines in which something occurs, in order; go on with `offset: next` until that is null. */
    search: base
      .input(
        logOf.extend({
          /** An extended regular expression, as `grep -E` takes it. */
          pattern: z
            .string()
            .min(1, 'give what to search for')
            .max(1000, 'keep it within 1000 characters')
            .refine((text) => !/[\0\n]/.test(text), 'give one line'),
          /** True: `pattern` is plain text. */
          fixed: z.boolean().default(false),
          ignoreCase: z.boolean().default(false),
          offset: z.int().min(0, 'give bytes from the start').default(0),
          limit: limit(10_000, 1000),
        }),
      )
      .output(
        z.object({
          /** `offset`: bytes from the start of the log to the line. Lines are cut to 4,096 bytes. */
          matches: z.array(z.object({ offset: z.int(), text: z.string() })),
          next: z.int().nullable(),
        }),
      ),
    /** Where a line begins, counted from 1 by line feeds (-20: where the last 20 do); null: the log has fewer. */
    locate: base
      .input(
        logOf.extend({
          line: z.int('give a number, not 0').refine((line) => line !== 0, 'give a number, not 0'),
        }),
      )
      .output(z.object({ offset: z.int().nullable() })),
  },
  devices: {
    list: base.output(z.array(deviceSchema)),
    /** Readings in [sinceMs, toMs), thinned; `ids`: of these devices, of all that there ever were when left out. */
    samples: base
      .input(
        z.object({
          sinceMs: since,
          toMs: since.optional(),
          ids: z.array(deviceId.shape.id).max(64, 'give at most 64 ids').optional(),
        }),
      )
      .output(z.array(sampleSeriesSchema)),
    /**
     * Has devices measured as often as they can be (every 100 ms by NVML and from amdgpu) for so long from now on, and answers with what was
     * measured since, in the order of the ids: ask again before the lease lapses.
     */
    focus: base
      .input(
        z.object({
          ids: z
            .array(deviceId.shape.id, 'give ids of devices')
            .min(1, 'give at least one id')
            .max(64, 'give at most 64 ids'),
          sinceMs: since.default(0),
          leaseMs: z
            .int('give whole milliseconds')
            .min(500, 'give at least 500')
            .max(10_000, 'give at most 10000')
            .default(3000),
        }),
      )
      .output(
        z.object({
          everyMs: z.int(),
          devices: z.array(z.object({ id: z.string(), readings: z.array(measuredSchema) })),
        }),
      ),
    /** Changes what the owner wants of a device; what is left out stays. */
    setRules: base.input(deviceId.extend({ rules: deviceRulesSchema.partial() })).output(deviceSchema),
    /** Somebody else's process on a device keeps no job away from it any more, or does again. */
    ignore: base
      .input(
        deviceId.extend({
          pid: z.int('give a process id').positive('give a process id'),
          on: z.boolean('give true or false').default(true),
        }),
      )
      .output(deviceSchema),
    /** Jobs start there again, in spite of what its driver reported of it: it was mended, or is to be tried. */
    reopen: base.input(deviceId).output(deviceSchema),
    /** Keeps a device for one user's jobs for some time. */
    reserve: base
      .input(
        deviceId.extend({
          fromMs: since,
          toMs: since,
          user: jobSchema.shape.user.min(1, 'give a user'),
          others: reservationSchema.shape.others.default('pause'),
        }),
      )
      .output(reservationSchema),
    /** Those that are not over, by their beginning. */
    reservations: base.output(z.array(reservationSchema)),
    unreserve: base
      .input(z.object({ id: z.int('give the number of a reservation').positive() }))
      .output(z.object({ id: z.int() })),
    /** Who was on which device; whatever overlaps [sinceMs, now]. */
    allocations: base.input(z.object({ sinceMs: since })).output(z.array(allocationSchema)),
  },
  scheduler: {
    status: base.output(schedulerStatusSchema),
    setPolicy: base
      .input(z.object({ policy: z.enum(POLICY_NAMES, `choose one of ${POLICY_NAMES.join(', ')}`) }))
      .output(schedulerStatusSchema),
    /** Who acts; what is left out stays. Kept across restarts. */
    setMode: base.input(conductSchema.partial()).output(schedulerStatusSchema),
    /** Has done what the policy suggests (see `status`). `id`: of the suggestion that was seen; any when left out. */
    accept: base.input(suggestionId).output(schedulerStatusSchema),
    /** Has done at once what the heuristic would do instead. */
    overrule: base.input(suggestionId).output(schedulerStatusSchema),
    /** On: what runs goes on, and nothing is started, until it is off again. Kept across restarts. */
    drain: base.input(z.object({ on: z.boolean('give true or false') })).output(schedulerStatusSchema),
    /** What policies may do to running jobs; what is left out stays as it is. Kept across restarts. */
    setGiveWay: base.input(giveWaySchema.partial()).output(schedulerStatusSchema),
    /** How learning has gone so far, by gradient steps. */
    learningCurve: base.output(z.array(learningPointSchema)),
    /** What the learner may take; what is left out stays. Kept across restarts. */
    setLearning: base.input(learningLimitsSchema.partial()).output(schedulerStatusSchema),
    /** What the policy is to strive for, from the next decision on; what is left out stays. */
    setGoals: base.input(goalWeightsSchema.partial()).output(schedulerStatusSchema),
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
    /**
     * The decision that tells most of a job: what was done with it last, and while it waits the last in which it could have
     * been started and was not; null: none that is kept.
     */
    explain: base.input(jobId).output(
      z.object({
        /** As in `jobs.get`. */
        waitingReason: z.string().nullable(),
        decision: decisionSchema.nullable(),
      }),
    ),
    /**
     * When waiting jobs will start, from futures in which the policy in charge decides. Worked out when it is asked for, at
     * most about every ten seconds, and answered as fresh as it can be had within `waitMs`.
     */
    expectedStarts: base
      .input(
        z.object({
          waitMs: z
            .int('give whole milliseconds')
            .min(0, 'give 0 or more')
            .max(10_000, 'give at most 10000')
            .default(0),
        }),
      )
      .output(expectedStartsSchema),
    /** How right the learned policy's scores were: what they foretold of the latest decisions against what came. */
    calibration: base.output(scoreCalibrationSchema),
    /** Measured pairs of commands, the slowest first. */
    interference: base.output(z.array(pairSpeedSchema)),
    /** Versions of the learned policy's weights: the one in charge first, then the latest first. */
    versions: base.output(z.array(policyVersionSchema)),
    /** Puts a version in charge, whatever the gate said of it: a person's word. */
    promote: base.input(version).output(schedulerStatusSchema),
    /** Puts the version back in charge that was before. */
    rollBack: base.output(schedulerStatusSchema),
    /** Frozen: what is learned is judged and kept, and never takes charge by itself. */
    freeze: base.input(z.object({ on: z.boolean('give true or false') })).output(schedulerStatusSchema),
    /** Begins to judge a version against the one in charge; `versions` has the report when it is done. */
    judge: base.input(version).output(schedulerStatusSchema),
    exportVersion: base.input(version).output(policyFileSchema),
    /** Registers weights from elsewhere, in charge of nothing. They are data: nothing in them is ever run. */
    importVersion: base.input(policyFileSchema).output(policyVersionSchema),
    /** Latest first; the one that is under way included. */
    episodes: base.input(z.object({ limit: limit(1000, 100) })).output(z.array(episodeSchema)),
  },
  goals: {
    /**
     * What other goals would have changed: the jobs that arrived since `fromMs` (the last 24 hours when it is left out) are
     * replayed under the goals of now and under these; what is left out of them stays. Nothing is set. It takes seconds, tells how
     * far it is, and ends when the reader goes. One at a time.
     */
    preview: base
      .input(
        z.object({
          goals: goalWeightsSchema.partial(),
          fromMs: since.optional(),
          toMs: since.optional(),
        }),
      )
      .output(eventIterator(previewMessageSchema)),
  },
  storage: {
    /** What takes how much space in the data directory. Every file is looked at. */
    usage: base.output(spaceSchema),
    /** Removes what jobs that are over have left, and what belongs to no job; says what, or, with `dryRun`, what would go. */
    clean: base
      .input(
        z.strictObject({
          endedBeforeMs: since,
          logs: z.boolean('give true or false').default(true),
          checkpoints: z.boolean('give true or false').default(false),
          snapshots: z.boolean('give true or false').default(true),
          orphans: z.boolean('give true or false').default(true),
          dryRun: z.boolean('give true or false').default(true),
        }),
      )
      .output(cleanedSchema),
  },
  settings: {
    /** What the owner wants of the machine as a whole. */
    get: base.output(machineRulesSchema),
    /** Changes it; what is left out stays. */
    set: base.input(z.object({ rules: machineRulesSchema.partial() })).output(machineRulesSchema),
  },
  /** Who may speak to the engine over HTTP beside the console: scripts, scrapers, agents. */
  tokens: {
    /** The answer is the only place where the token itself ever is. */
    create: base
      .input(
        apiTokenSchema
          .pick({ name: true, scope: true })
          .extend({ expiresAtMs: since.nullable().default(null) }),
      )
      .output(z.object({ token: z.string(), about: apiTokenSchema })),
    /** Oldest first. */
    list: base.output(z.array(apiTokenSchema)),
    revoke: base.input(apiTokenSchema.pick({ name: true })).output(apiTokenSchema.pick({ name: true })),
  },
  /** Who is told what happens, over HTTP or by mail. */
  notify: {
    /** `secret`: what was made for a webhook that was given none; the answer is the only place where it ever is. */
    add: base
      .input(notifyRuleSchema.extend({ target: notifyTargetSchema }))
      .output(z.object({ rule: notifyViewSchema, secret: z.string().nullable() })),
    /** Oldest first. */
    list: base.output(z.array(notifyViewSchema)),
    /** Sends a message now, and says how that went. */
    test: base
      .input(notifyRuleSchema.pick({ name: true }))
      .output(z.object({ ok: z.boolean(), detail: z.string() })),
    /** What waits for it is told to nobody. */
    remove: base.input(notifyRuleSchema.pick({ name: true })).output(notifyRuleSchema.pick({ name: true })),
  },
};
export type Contract = typeof contract;
