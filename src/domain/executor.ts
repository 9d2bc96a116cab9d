import { z } from 'zod';
import { isOwnOption, LONG_OPTION, MOST_OPTION } from './executorOption.ts';

export const EXECUTOR_KINDS = ['slurm'] as const;

const word = z
  .string('give a word')
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.,@+-]{0,199}$/, 'use letters, digits and . , _ @ + -');
const path = z
  .string('give a path')
  .regex(/^\/[^\0\n]*$/, 'give an absolute path')
  .max(4096, 'keep it within 4096 characters');

/** Named by jobs, and therefore in commands and tables. */
export const executorNameSchema = z
  .string('give a name')
  .regex(
    /^[a-z][a-z0-9_-]{0,31}$/,
    'use small letters, digits, - and _, at most 32, beginning with a letter',
  );

/** What a job says of where it is to run: the executor's name, and perhaps a part of it (Slurm: a partition). */
export const executorChoiceSchema = z
  .string('name an executor')
  .regex(
    /^[a-z][a-z0-9_-]{0,31}(:[A-Za-z0-9_][A-Za-z0-9_.,-]{0,199})?$/,
    'give the name of an executor, such as cluster, or cluster:PARTITION; `stint executor ls` shows those that there are',
  );

/** `cluster:gpu` as its two parts. */
export function parseChoice(choice: string): { readonly name: string; readonly part: string | null } {
  const at = choice.indexOf(':');
  return at < 0 ? { name: choice, part: null } : { name: choice.slice(0, at), part: choice.slice(at + 1) };
}

/** An option for the other queue's own command, such as `--mem=8G`. */
export const executorOptionSchema = z
  .string('give an option, such as --mem=8G')
  .max(MOST_OPTION, `keep it within ${MOST_OPTION} characters`)
  .regex(LONG_OPTION, 'give it in its long form, such as --mem=8G')
  .refine(
    (option) => !isOwnOption(option),
    'Stint gives that option itself: say it in the words of `stint submit`',
  );
export const executorOptionsSchema = z.array(executorOptionSchema).max(50, 'give at most 50 options');

/** Another queue that jobs may be handed over to, as it was configured. */
export const executorSchema = z.strictObject({
  name: executorNameSchema,
  kind: z.enum(EXECUTOR_KINDS, `choose from ${EXECUTOR_KINDS.join(', ')}`),
  /** Directory of sbatch, squeue, scontrol and the like; null: they are found on PATH. */
  bin: path.nullable().default(null),
  /** SLURM_CONF; null: the system's. */
  conf: path.nullable().default(null),
  partition: word.nullable().default(null),
  account: word.nullable().default(null),
  qos: word.nullable().default(null),
  /** What GPUs are called there, such as `gpu` or `gpu:a100`. */
  gres: z
    .string('give a name')
    .regex(/^[A-Za-z0-9_]+(:[A-Za-z0-9_.-]+)?$/, 'give it as gpu or gpu:a100')
    .default('gpu'),
  /** For every job that is handed over. */
  options: executorOptionsSchema.default([]),
  /** A directory that its nodes see under the same name; null: Stint's own is one. */
  directory: path.nullable().default(null),
  /** Seconds between two looks while it has jobs of ours. */
  pollS: z.number('give seconds').min(0.2, 'give at least 0.2').max(3600, 'give at most 3600').default(2),
  /** Seconds that a command of it may take. */
  timeoutS: z.number('give seconds').min(0.2, 'give at least 0.2').max(600, 'give at most 600').default(20),
  /** The policy orders what is pending there with `nice` from 0 to this; 0: it does not. */
  niceSpread: z
    .int('give a whole number')
    .min(0, 'give 0 or more')
    .max(1_000_000, 'give at most 1000000')
    .default(0),
  /** No more of our jobs than this are pending there at once, the policy's first; the rest waits here. null: all. */
  atMostPending: z
    .int('give a whole number')
    .min(1, 'give at least 1')
    .max(100_000, 'give at most 100000')
    .nullable()
    .default(null),
});
export type ExecutorConfig = z.output<typeof executorSchema>;

/** An executor as everybody sees it. */
export const executorViewSchema = executorSchema.extend({
  createdAtMs: z.number(),
  /** idle: it has no jobs of ours, and is not asked. */
  state: z.enum(['idle', 'ok', 'trouble']),
  /** What is wrong, in a sentence; null: nothing. */
  trouble: z.string().nullable(),
  /** When it is tried again; null: it works. */
  nextTryAtMs: z.number().nullable(),
  /** Of it, as it says; null: not known yet. */
  version: z.string().nullable(),
  cluster: z.string().nullable(),
  /** Jobs of ours that are not over: not handed over yet, pending there, running there. */
  waiting: z.int(),
  pending: z.int(),
  running: z.int(),
});
export type ExecutorView = z.output<typeof executorViewSchema>;

/** How the policy would order what is pending there, the first first. */
export const executorOrderSchema = z.object({
  /** Whether it is so there now. */
  applied: z.boolean(),
  jobs: z.array(
    z.object({
      jobId: z.int(),
      /** What it would be given. */
      nice: z.int(),
      /** What Stint gave it last; null: nothing. */
      given: z.int().nullable(),
    }),
  ),
});
export type ExecutorOrder = z.output<typeof executorOrderSchema>;

/** One thing that was tried with an executor, and how that went. */
export const executorCheckSchema = z.object({ what: z.string(), ok: z.boolean(), detail: z.string() });
export type ExecutorCheck = z.output<typeof executorCheckSchema>;
