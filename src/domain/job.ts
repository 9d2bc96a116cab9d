import { z } from 'zod';
import { arrayMemberSchema } from './array.ts';
import { diagnosisSchema } from './diagnosis.ts';
import { executorChoiceSchema, executorOptionsSchema } from './executor.ts';
import { MAX_GPUS } from './gpuNeed.ts';
import { JOB_STATUSES } from './jobStatus.ts';
import { HERE, remoteSchema } from './remote.ts';
import { runSeconds } from './runSeconds.ts';
import { NO_SURROUNDINGS, surroundingsSchema } from './surroundings.ts';
import { NO_TAGS, tagsSchema } from './tags.ts';
import { NO_TERMS, termsSchema } from './terms.ts';

// Words that clients need without the schemas, which take long to load.
export { isLive, isTerminal, JOB_STATUSES, type JobStatus } from './jobStatus.ts';

export const PRIORITY_LIMIT = 1000;

const text = (what: string, max: number) =>
  z
    .string()
    .min(1, `give ${what}`)
    .max(max, `keep ${what} within ${max} characters`)
    .refine((value) => !value.includes('\0'), `${what} must not contain a NUL character`);

const VARIABLE_NAMES = 'use letters, digits and _ in a variable name, not starting with a digit';
const environmentName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, VARIABLE_NAMES);

/** Characters of a command, or of an environment: what a kernel would still start, with room to spare. */
const MOST_TEXT = 1024 * 1024;
const totalLength = (texts: readonly string[]): number => texts.reduce((sum, one) => sum + one.length, 0);

/** What a person asks for. Absent fields take the defaults written here. */
export const specFieldsSchema = z.strictObject({
  /** argv; the first element is looked up on PATH. No shell is involved. At least one element. */
  command: z
    .array(
      z
        .string()
        .max(131_072, 'keep an argument within 128 KiB')
        .refine((v) => !v.includes('\0'), 'an argument must not contain a NUL character'),
    )
    .min(1, 'give a command after --, such as: stint submit -- python train.py')
    .max(4096, 'keep the command within 4096 arguments')
    .refine((argv) => argv.length === 0 || argv[0] !== '', 'the command itself must not be empty')
    .refine((argv) => totalLength(argv) <= MOST_TEXT, 'keep it within 1 MiB: put long input into a file'),
  /** Absolute working directory. */
  cwd: text('a directory', 4096).refine(
    (path) => path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path),
    'give an absolute path',
  ),
  /** Shown instead of the command. */
  name: text('a name', 200).nullable().default(null),
  /** Variables added to the engine's environment. */
  env: z
    .record(
      environmentName,
      z
        .string()
        .max(131_072)
        .refine((v) => !v.includes('\0'), 'a value must not contain a NUL character'),
      {
        error: (issue) =>
          issue.code === 'invalid_key' ? VARIABLE_NAMES : 'give variables as names and texts',
      },
    )
    .refine(
      (env) => totalLength(Object.entries(env).flat()) <= MOST_TEXT,
      'keep it within 1 MiB: put long input into a file',
    )
    .default({}),
  /** Whole GPUs, 0 for a CPU-only job. */
  gpus: z
    .int('give a whole number')
    .min(0, 'give 0 or more')
    .max(MAX_GPUS, `give at most ${MAX_GPUS}`)
    .default(1),
  /** Declared peak memory per GPU in MiB; null: unknown, so the job gets its GPUs to itself. */
  vramMib: z
    .int('give whole MiB')
    .min(1, 'give at least 1 MiB')
    .max(16 * 1024 * 1024, 'that is more than any GPU has')
    .nullable()
    .default(null),
  /** True: never shares a GPU, whatever memory is left. */
  exclusive: z.boolean().default(false),
  /** Higher first. */
  priority: z
    .int('give a whole number')
    .min(-PRIORITY_LIMIT, `give at least -${PRIORITY_LIMIT}`)
    .max(PRIORITY_LIMIT, `give at most ${PRIORITY_LIMIT}`)
    .default(0),
  /** Whose job it is; fairness is between users. */
  user: text('a user', 100),
  /** Groups jobs by colour and in history. */
  project: text('a project', 100).default('default'),
  /** Words that it is found by. */
  tags: tagsSchema.default(NO_TAGS.tags),
  /** True: waits until a person releases it. */
  hold: z.boolean().default(false),
  /** What the submitter guesses for the run time, in seconds; null: no guess. */
  estimateS: z
    .number('give seconds')
    .positive('give more than 0 seconds')
    .max(3.2e8, 'give less than ten years')
    .nullable()
    .default(null),
  beginAtMs: termsSchema.shape.beginAtMs.default(NO_TERMS.beginAtMs),
  timeLimitS: termsSchema.shape.timeLimitS.default(NO_TERMS.timeLimitS),
  retries: termsSchema.shape.retries.default(NO_TERMS.retries),
  retryDelayS: termsSchema.shape.retryDelayS.default(NO_TERMS.retryDelayS),
  retryOn: termsSchema.shape.retryOn.default(NO_TERMS.retryOn),
  retryOnDiagnoses: termsSchema.shape.retryOnDiagnoses.default(NO_TERMS.retryOnDiagnoses),
  after: termsSchema.shape.after.default([]),
  deadlineAtMs: termsSchema.shape.deadlineAtMs.default(NO_TERMS.deadlineAtMs),
  minGpus: termsSchema.shape.minGpus.default(NO_TERMS.minGpus),
  gpuShare: termsSchema.shape.gpuShare.default(NO_TERMS.gpuShare),
  restartable: termsSchema.shape.restartable.default(NO_TERMS.restartable),
  checkpointSignal: termsSchema.shape.checkpointSignal.default(NO_TERMS.checkpointSignal),
  graceS: termsSchema.shape.graceS.default(NO_TERMS.graceS),
  outputPath: termsSchema.shape.outputPath.default(NO_TERMS.outputPath),
  preCommand: surroundingsSchema.shape.preCommand.default(NO_SURROUNDINGS.preCommand),
  postCommand: surroundingsSchema.shape.postCommand.default(NO_SURROUNDINGS.postCommand),
  ulimits: surroundingsSchema.shape.ulimits.default(NO_SURROUNDINGS.ulimits),
  venv: surroundingsSchema.shape.venv.default(NO_SURROUNDINGS.venv),
  conda: surroundingsSchema.shape.conda.default(NO_SURROUNDINGS.conda),
  /** Where it is to run, such as `cluster` or `cluster:gpu`; null: on this machine. */
  executor: executorChoiceSchema.nullable().default(HERE.executor),
  /** For the executor's own command, such as `--mem=8G`. */
  executorOptions: executorOptionsSchema.default(HERE.executorOptions),
  snapshot: surroundingsSchema.shape.snapshot.default(NO_SURROUNDINGS.snapshot),
});

type Together = Pick<
  z.output<typeof specFieldsSchema>,
  | 'minGpus'
  | 'gpus'
  | 'venv'
  | 'conda'
  | 'gpuShare'
  | 'exclusive'
  | 'executor'
  | 'executorOptions'
  | 'snapshot'
>;

/** Refuses fields that contradict each other. */
export function checkTogether(spec: Together, context: z.RefinementCtx): void {
  const refuse = (field: string, message: string): void => {
    context.addIssue({ code: 'custom', path: [field], message });
  };
  if (spec.minGpus !== null && spec.minGpus > spec.gpus) {
    refuse('minGpus', `give at most ${spec.gpus}, as many as it asks for`);
  }
  if (spec.venv !== null && spec.conda !== null) refuse('conda', 'give either that or venv');
  if (spec.executor === null && spec.executorOptions.length > 0) {
    refuse('executorOptions', 'they are for an executor: name it, or leave them out');
  }
  if (spec.executor !== null && spec.snapshot) {
    refuse('snapshot', 'a copy is for jobs of this machine: leave it out, or the executor');
  }
  if (spec.gpuShare !== null) {
    if (spec.gpus !== 1) refuse('gpuShare', 'a part is of one GPU: leave out the number of GPUs');
    if (spec.exclusive) refuse('gpuShare', 'a part of a GPU is shared: leave out exclusive');
  }
}

/** What a person asks for, checked as a whole as well. */
export const jobSpecSchema = specFieldsSchema.superRefine(checkTogether);
export type JobSpec = z.output<typeof jobSpecSchema>;
export type JobSpecInput = z.input<typeof jobSpecSchema>;

/** How far a job says it is, read from its own output. */
export const progressSchema = z.object({
  /** 0 to 1. */
  fraction: z.number().min(0).max(1),
  /** As the job put it, such as `epoch 3/90`. */
  label: z.string(),
  atMs: z.number(),
});

/** A process that is recognised again after a restart: bare pids have killed strangers. */
export const processIdentitySchema = z.object({
  pid: z.int().positive(),
  /** Start time as the kernel gives it (Linux: clock ticks since boot, field 22 of /proc/PID/stat). */
  startTime: z.string(),
  bootId: z.string(),
});
export type ProcessIdentity = z.output<typeof processIdentitySchema>;

/**
 * How long an attempt has run by the machine's monotonic clock, which nobody sets. It counts from the machine's start,
 * so that it goes on across restarts of the engine, and no job outlives it. null: not started, or by an older Stint.
 */
const runClockSchema = z.object({
  /** Milliseconds up to the last pause. */
  ranMs: z.number(),
  /** The clock when it last started or went on; null while it stands still. */
  sinceMs: z.number().nullable(),
});

/**
 * Who made a job stand still. What a person paused goes on when a person says so; what the scheduler paused is its to
 * resume; what a guard paused (somebody sits at the desk, a quiet hour) goes on when its reason is over.
 */
export const pauserSchema = z.enum(['person', 'scheduler', 'guard']);
export type Pauser = z.output<typeof pauserSchema>;

export const throttleSchema = z.object({ share: z.number(), method: z.string(), by: pauserSchema });

/** A job as everybody sees it: the projection of its events. Times are Unix milliseconds. */
export const jobSchema = z.object({
  id: z.int().positive(),
  name: z.string(),
  command: z.array(z.string()),
  cwd: z.string(),
  env: z.record(z.string(), z.string()),
  gpus: z.int(),
  vramMib: z.int().nullable(),
  exclusive: z.boolean(),
  priority: z.int(),
  user: z.string(),
  project: z.string(),
  tags: tagsSchema,
  estimateS: z.number().nullable(),
  status: z.enum(JOB_STATUSES),
  /** 0–255 as the process gave it (128 + n for signal n); null before the end, or when it never ran or was lost. */
  exitCode: z.int().nullable(),
  /** Why it ended, or why it is stopping, in a sentence; null where nothing needs saying. */
  cause: z.string().nullable(),
  /** Why its last attempt ended badly, with the telling line and the remedy; null: it did not, or nobody knows. */
  diagnosis: diagnosisSchema.nullable(),
  /** Ids of the devices that it holds, or held last. */
  devices: z.array(z.string()),
  /** Place in the queue: lower first. Starts as the id; changes when a person moves the job. */
  rank: z.number(),
  /** True when a person has moved it: the shield then keeps that order. */
  moved: z.boolean(),
  /** The only devices that it may start on, as a person wants it; null: any. */
  pinnedTo: z.array(z.string()).nullable(),
  submittedAtMs: z.number(),
  startedAtMs: z.number().nullable(),
  finishedAtMs: z.number().nullable(),
  /** Since when it has been paused; null when it is not. */
  pausedAtMs: z.number().nullable(),
  /** Total of the pauses that are over. */
  pausedMs: z.number(),
  /** Whether its GPU memory is held while paused; null when it is not paused. */
  holdsVram: z.boolean().nullable(),
  process: processIdentitySchema.nullable(),
  progress: progressSchema.nullable(),
  /** Number of launches so far. */
  attempt: z.int(),
  ...termsSchema.shape,
  ...surroundingsSchema.shape,
  /** Which array it is of; null: it stands alone. */
  array: arrayMemberSchema.nullable(),
  /** Where it runs, as in its submission; null: on this machine. */
  executor: z.string().nullable(),
  executorOptions: z.array(z.string()),
  /** What is known of it there; null: it was not handed over. */
  remote: remoteSchema.nullable(),
  /** How many of its retries are used up. */
  retried: z.int(),
  /** While it waits to be tried again: since when, until when, and why; null otherwise. */
  retryWait: z.object({ fromMs: z.number(), untilMs: z.number(), because: z.string() }).nullable(),
  /** Since when it has been ready: submitted, released, or to be tried again; as launched, all else included. */
  readyAtMs: z.number(),
  runClock: runClockSchema.nullable(),
  /** How often it was stopped to let others go first. */
  preemptions: z.int(),
  /** GPU-seconds that its attempts had before the present one, since it was submitted or retried by a person. */
  earlierGpuS: z.number(),
  /** null when it does not stand still. */
  pausedBy: pauserSchema.nullable(),
  /** The rung that holds it, see engine/control; `checkpoint`, of a held job: it ended there and goes on from it. */
  pauseMethod: z.string().nullable(),
  /** Held at this share of its speed, above 0 and below 1, and the rung that holds it; null: it runs as it can. */
  throttle: throttleSchema.nullable(),
  /** Since when it is as it is: started, paused or resumed; null: it has no process. */
  changedAtMs: z.number().nullable(),
});
export type Job = z.output<typeof jobSchema>;

/** How many GPUs it has, or had last; as many as it asks for before it was given any. */
export const gpusOf = (job: Pick<Job, 'devices' | 'gpus'>): number => job.devices.length || job.gpus;

/** GPU-seconds that it has had by `nowMs`, in all attempts. */
export const servedGpuS = (job: Job, nowMs: number): number =>
  job.earlierGpuS + runSeconds(job, nowMs) * gpusOf(job);

/** The name that is shown when nobody gave one: the command, cut to a line. */
export function defaultName(command: readonly string[]): string {
  const line = command.join(' ').replace(/\s+/g, ' ').trim();
  return line.length > 80 ? `${line.slice(0, 79)}…` : line || '(unnamed)';
}
