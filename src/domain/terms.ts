import { z } from 'zod';
import { DIAGNOSIS_CODES } from './diagnosis.ts';

/**
 * How a job must have ended for another to start after it. `ok`: it succeeded. `not-ok`: it ended in any other way.
 * `any`: it ended.
 */
export const DEPENDENCY_KINDS = ['ok', 'any', 'not-ok'] as const;

/** The longest time that a job may be given, in seconds: ten years. */
const LONGEST_S = 3.2e8;
/** A job that was told to end, or to write a checkpoint, has at most this many seconds: a day. */
const LONGEST_GRACE_S = 86_400;
/** Signals that a program can catch and that mean nothing to the shell between. */
export const CHECKPOINT_SIGNALS = [
  'SIGUSR1',
  'SIGUSR2',
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
  'SIGALRM',
  'SIGWINCH',
] as const;
/** The last moment that a `Date` knows. */
const LAST_MOMENT_MS = 8.64e15;

export const dependencySchema = z.strictObject({
  jobId: z.int('give a job id, such as 12').positive('give a job id, such as 12'),
  on: z.enum(DEPENDENCY_KINDS, `choose from ${DEPENDENCY_KINDS.join(', ')}`),
  /** True: `jobId` is an array's, and all of its jobs are meant. It has failed when any of them has. */
  array: z.literal(true, 'give true, or leave it out').optional(),
});
export type Dependency = z.output<typeof dependencySchema>;

/** When a job may start, how long it may run, and how often it is tried: as part of a job's facts. */
export const termsSchema = z.object({
  /** Unix milliseconds before which it does not start; null: whenever its turn comes. */
  beginAtMs: z
    .number('give Unix milliseconds')
    .min(0, 'give Unix milliseconds')
    .max(LAST_MOMENT_MS, 'give an earlier moment')
    .nullable(),
  /** Seconds that an attempt may run, pauses not counted; null: as long as it wants. */
  timeLimitS: z
    .number('give seconds')
    .positive('give more than 0 seconds')
    .max(LONGEST_S, 'give less than ten years')
    .nullable(),
  /** How often it is tried again by itself after it failed or was lost. */
  retries: z
    .int('give a whole number')
    .min(0, 'give 0 or more')
    .max(1000, 'give at most 1000: something that fails so often needs a person'),
  /** Seconds before the first of these attempts; twice as long before each further one. */
  retryDelayS: z
    .number('give seconds')
    .min(0, 'give 0 or more seconds')
    .max(LONGEST_S, 'give less than ten years'),
  /** Only these exit codes are tried again; null: whatever is not 0, and an end that nobody saw. */
  retryOn: z
    .array(z.int('give exit codes').min(1, 'give exit codes from 1').max(255, 'give exit codes up to 255'))
    .min(1, 'give at least one exit code')
    .max(255, 'give each exit code once')
    .nullable(),
  /** Only these causes of death are tried again, beside the exit codes of `retryOn`; null: it is up to those. */
  retryOnDiagnoses: z
    .array(z.enum(DIAGNOSIS_CODES, `choose from ${DIAGNOSIS_CODES.join(', ')}`))
    .min(1, 'give at least one cause')
    .max(DIAGNOSIS_CODES.length, 'give each cause once')
    .nullable(),
  /** What must have ended before, all of it. */
  after: z.array(dependencySchema).max(1000, 'wait for at most 1000 jobs'),
  /** Unix milliseconds by which it should have ended; null: nobody is in a hurry. */
  deadlineAtMs: z
    .number('give Unix milliseconds')
    .min(0, 'give Unix milliseconds')
    .max(LAST_MOMENT_MS, 'give an earlier moment')
    .nullable(),
  /** The fewest GPUs that it can do with, `gpus` being the most; null: it needs all of them. */
  minGpus: z.int('give a whole number').min(1, 'give at least 1').nullable(),
  /** The part of its one GPU that it asks for: it likes to share. Its memory is then part of the declaration. null: no part. */
  gpuShare: z
    .number('give a fraction, such as 0.5')
    .gt(0, 'give more than 0')
    .lt(1, 'give less than 1: a whole GPU is 1')
    .nullable(),
  /** True: it may be stopped at any time, and goes on from its checkpoint when it is started again. */
  restartable: z.boolean('give true or false'),
  /** What makes it write a checkpoint and end; null: SIGTERM, as for any other end. */
  checkpointSignal: z.enum(CHECKPOINT_SIGNALS, `choose from ${CHECKPOINT_SIGNALS.join(', ')}`).nullable(),
  /**
   * Seconds that it has to end once it was told to, before it is told more sharply: SIGTERM after its checkpoint signal,
   * SIGKILL after SIGTERM; null: as the engine is set.
   */
  graceS: z
    .number('give seconds')
    .min(0, 'give 0 or more seconds')
    .max(LONGEST_GRACE_S, 'give at most a day')
    .nullable(),
  /** Absolute path at which its output is to be found as well, see `domain/outputPath`; null: nowhere else. */
  outputPath: z
    .string('give a path')
    .regex(/^\/.*[^/]$/, 'give an absolute path of a file')
    .max(4096, 'keep it within 4096 characters')
    .refine((path) => !path.includes('\0'), 'a path must not contain a NUL character')
    .nullable(),
});
export type Terms = z.output<typeof termsSchema>;

/** What a job has that was given no terms, among them every job of a Stint that knew none. */
export const NO_TERMS: Terms = {
  beginAtMs: null,
  timeLimitS: null,
  retries: 0,
  retryDelayS: 30,
  retryOn: null,
  retryOnDiagnoses: null,
  after: [],
  deadlineAtMs: null,
  minGpus: null,
  gpuShare: null,
  restartable: false,
  checkpointSignal: null,
  graceS: null,
  outputPath: null,
};
