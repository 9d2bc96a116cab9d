import { z } from 'zod';
import { decisionSchema } from '../domain/decision.ts';
import { deputySchema } from '../domain/deputy.ts';
import { deviceSchema, measuredSchema } from '../domain/device.ts';
import { episodeSchema } from '../domain/episode.ts';
import { giveWaySchema } from '../domain/giveWay.ts';
import { jobSchema } from '../domain/job.ts';
import { learningLimitsSchema } from '../domain/learning.ts';
import { actorSchema, jobEventSchema } from '../domain/lifecycle.ts';
import { conductSchema, suggestionCountsSchema, suggestionSchema } from '../domain/mode.ts';
import { PREDICTION_SOURCES } from '../domain/predictionSource.ts';
import { goalWeightsSchema } from '../domain/reward.ts';

/** A job with what is derived for its row and not part of its facts. */
export const jobViewSchema = jobSchema.extend({
  /** Why it is not running, in a sentence; null unless it waits. */
  waitingReason: z.string().nullable(),
  /** What it has left to run, as quantiles, and what tells most of it; null: over, or nothing is known. */
  remaining: z
    .object({
      p10S: z.number(),
      p50S: z.number(),
      p90S: z.number(),
      source: z.enum(PREDICTION_SOURCES),
    })
    .nullable(),
});
export type JobView = z.output<typeof jobViewSchema>;

/** A job's memory on each of its GPUs, MiB. */
export const jobMemorySchema = z.object({
  declaredMib: z.number().nullable(),
  /** The most that earlier runs of the same command took; null: none was measured. */
  learnedMib: z.number().nullable(),
  /** The most that this run took so far; null: it is not measured. */
  observedMib: z.number().nullable(),
  /** True: its own peak has not grown for long, and what it declared beyond is not set aside any more. */
  settled: z.boolean(),
  /** What is set aside for it; null: it needs its GPUs to itself. */
  reservedMib: z.number().nullable(),
  /** What it should be given if it ran out of memory; null: nobody knows. */
  suggestedMib: z.number().nullable(),
});

/** How fast a command is beside another. */
export const pairSpeedSchema = z.object({
  /** Number of GPUs and command, without what changes neither memory nor speed. */
  kind: z.string(),
  beside: z.string(),
  /** Relative to alone. */
  speed: z.number(),
  /** Over how much time it was measured, alone and together, the shorter of the two; s. */
  seconds: z.number(),
});
export type PairSpeed = z.output<typeof pairSpeedSchema>;

/** One line of a job's history. `seq` orders every event of the machine. */
export const loggedEventSchema = z.object({
  seq: z.int(),
  jobId: z.int(),
  atMs: z.number(),
  actor: actorSchema,
  /** Of what a person caused: the agent or token that acted for that person; null: it was by the person's own hand. */
  by: deputySchema.nullable(),
  event: jobEventSchema,
});
export type LoggedEvent = z.output<typeof loggedEventSchema>;

/** A stretch of a job on a device, for the timeline. */
export const allocationSchema = z.object({
  jobId: z.int(),
  name: z.string(),
  project: z.string(),
  user: z.string(),
  deviceId: z.string(),
  startMs: z.number(),
  /** null: still there. */
  endMs: z.number().nullable(),
  /** The status the job has now. */
  status: jobSchema.shape.status,
});
export type Allocation = z.output<typeof allocationSchema>;

/**
 * off: there are no weights to learn from, `trouble` says why. waiting: too few transitions yet. starting: its
 * worker loads. learning: it runs. asleep: nothing was new for some minutes, and its worker is ended until something
 * is. restarting: its worker was lost.
 */
export const LEARNER_STATES = ['off', 'waiting', 'starting', 'learning', 'asleep', 'restarting'] as const;

/** How the scheduler stands now. */
export const schedulerStatusSchema = z.object({
  policy: z.string(),
  policyVersion: z.string(),
  /** The heuristic that decides when the policy fails, and that is compared with it. */
  heuristic: z.string(),
  epsilon: z.number().nullable(),
  goals: goalWeightsSchema,
  decisions: z.int(),
  fallbacks: z.int(),
  /** Share of the last decisions in which the policy chose what the heuristic would have; null before any. */
  agreement: z.number().nullable(),
  lastFallback: z.object({ atMs: z.number(), error: z.string() }).nullable(),
  ...conductSchema.shape,
  /** What the policy would do and the heuristic would not, while advising; null: nothing. */
  suggestion: suggestionSchema.nullable(),
  /** What became of suggestions so far. */
  suggested: suggestionCountsSchema,
  /** Since when nothing is started because a person drained the machine; null: it is not drained. */
  drainedSinceMs: z.number().nullable(),
  /** What policies may do to running jobs. */
  giveWay: giveWaySchema,
  learner: z.object({
    state: z.enum(LEARNER_STATES),
    /** What gradients are computed with: `kernels`, or TensorFlow.js's `wasm`, `cpu` or `gpu`; null until it is known. */
    backend: z.string().nullable(),
    trainSteps: z.int(),
    replaySize: z.int(),
    replayCapacity: z.int(),
    loss: z.number().nullable(),
    /** What it may take. */
    limits: learningLimitsSchema,
    /** True: it takes nothing now, because the owner is there. */
    yields: z.boolean(),
    /** What went wrong last, and what happens next; null while all is well. */
    trouble: z.string().nullable(),
  }),
  /** What becomes of newly learned weights. */
  promotion: z.object({
    frozen: z.boolean(),
    /** The version that is being judged; null: none. */
    judging: z.string().nullable(),
    /** The last verdict since the engine started. */
    last: z
      .object({ version: z.string(), passed: z.boolean(), reason: z.string(), atMs: z.number() })
      .nullable(),
  }),
  currentEpisode: episodeSchema.nullable(),
  /**
   * How good the latest predictions of durations were: of so many runs, what share lasted between the predicted 10th and
   * 90th percentile. 0.8 would be perfect; null: no run was predicted yet.
   */
  durations: z.object({ runs: z.int(), within: z.number().nullable() }),
});
export type SchedulerStatus = z.output<typeof schedulerStatusSchema>;

/** The machine and the engine on it. */
export const systemInfoSchema = z.object({
  version: z.string(),
  pid: z.int(),
  home: z.string(),
  startedAtMs: z.number(),
  hostname: z.string(),
  os: z.string(),
  cpu: z.string(),
  cpuCores: z.int(),
  memoryMib: z.number(),
  /** Where device readings come from: `nvml`, `nvidia-smi` or `virtual`. */
  probe: z.string(),
  /** What a person should know about the probe (a fallback in use, an outage); null when nothing. */
  probeNote: z.string().nullable(),
  /** User who runs the engine: the default for submissions. */
  user: z.string(),
  /** Directory that the console offers as working directory. */
  defaultCwd: z.string(),
});
export type SystemInfo = z.output<typeof systemInfoSchema>;

/** CPU and memory of the host, measured about once a second. */
export const hostReadingSchema = z.object({
  atMs: z.number(),
  /** 0 to 1 over all cores. */
  cpu: z.number().nullable(),
  memoryUsedMib: z.number().nullable(),
});
export type HostReading = z.output<typeof hostReadingSchema>;

/** Everything that a console needs to draw itself, consistent as of event `seq`. */
export const overviewSchema = z.object({
  seq: z.int(),
  /** The engine's clock, against which clients measure theirs. */
  nowMs: z.number(),
  system: systemInfoSchema,
  /** Every job that is not over, as far as it was asked for, and the most recent of those that are. */
  jobs: z.array(jobViewSchema),
  /** So many that wait were left out: they stand in the queue behind the last one here, and `jobs.search` goes on after it. */
  left: z.int(),
  devices: z.array(deviceSchema),
  scheduler: schedulerStatusSchema,
  host: hostReadingSchema.nullable(),
});
export type Overview = z.output<typeof overviewSchema>;

/**
 * What `watch` yields. Every message carries the sequence number up to which the reader is now informed; give
 * the last one as `since` to go on after a lost connection without missing an event.
 *
 * Only `event` messages are facts in the log, and all of them are delivered, in order. The others say how
 * things stand and may be skipped when a reader is slow: the next replaces the last.
 */
export const watchMessageSchema = z.discriminatedUnion('type', [
  /** An event of a job, with the job as it is now (which may already be later than the event). */
  z.object({ type: z.literal('event'), seq: z.int(), entry: loggedEventSchema, job: jobViewSchema }),
  /** Waiting reasons that changed, by job id; null when a job no longer waits. */
  z.object({
    type: z.literal('reasons'),
    seq: z.int(),
    reasons: z.record(z.string(), z.string().nullable()),
  }),
  z.object({
    type: z.literal('devices'),
    seq: z.int(),
    devices: z.array(deviceSchema),
    host: hostReadingSchema.nullable(),
  }),
  z.object({ type: z.literal('decision'), seq: z.int(), decision: decisionSchema }),
  z.object({ type: z.literal('scheduler'), seq: z.int(), scheduler: schedulerStatusSchema }),
  z.object({ type: z.literal('episode'), seq: z.int(), episode: episodeSchema }),
]);
export type WatchMessage = z.output<typeof watchMessageSchema>;

/** A piece of a job's output. Offsets are bytes from the start of the log; text is UTF-8, errors replaced. */
export const logChunkSchema = z.object({
  text: z.string(),
  offset: z.int(),
  nextOffset: z.int(),
  /** Bytes in the log now. */
  size: z.int(),
  /** True once the job is over and everything was read. */
  end: z.boolean(),
  /** So many bytes of this piece are not kept any more, and its text begins with a line that says so; 0: all are there. */
  dropped: z.int(),
});
export type LogChunk = z.output<typeof logChunkSchema>;

/** Readings of one device over time, oldest first. */
export const sampleSeriesSchema = z.object({
  deviceId: z.string(),
  readings: z.array(measuredSchema),
});
export type SampleSeries = z.output<typeof sampleSeriesSchema>;
