import { z } from 'zod';

/** Jobs of one array, at most. */
export const MOST_MEMBERS = 10_000;
const LARGEST_INDEX = 2 ** 31 - 1;

const parameterName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    'use letters, digits and _ in a parameter name, not starting with a digit',
  )
  .max(100, 'keep a parameter name within 100 characters');

/** One job of an array that is asked for. */
export const memberSchema = z.strictObject({
  index: z
    .int('give a whole number')
    .min(0, 'give 0 or more')
    .max(LARGEST_INDEX, `give at most ${LARGEST_INDEX}`),
  /** What its placeholders stand for, beside `{index}`. */
  values: z
    .record(
      parameterName,
      z
        .string('give a text')
        .max(4096, 'keep a value within 4096 characters')
        .refine((value) => !value.includes('\0'), 'a value must not contain a NUL character'),
    )
    .default({}),
});
export type Member = z.output<typeof memberSchema>;

export const membersSchema = z
  .array(memberSchema)
  .min(1, 'give at least one job')
  .max(MOST_MEMBERS, `give at most ${MOST_MEMBERS} jobs`)
  .superRefine((members, context) => {
    const seen = new Set<number>();
    members.forEach(({ index }, at) => {
      if (seen.has(index)) {
        context.addIssue({ code: 'custom', path: [at, 'index'], message: 'give each index once' });
      }
      seen.add(index);
    });
  });

export const atMostSchema = z
  .int('give a whole number')
  .min(1, 'give at least 1')
  .max(MOST_MEMBERS, `give at most ${MOST_MEMBERS}`)
  .nullable();

/** Which array a job is of, and which of its jobs it is. */
export const arrayMemberSchema = z.object({
  /** The number of the array: that of its first job. */
  id: z.int().positive(),
  /** What the array is called: as the job, before anything was filled in. */
  name: z.string(),
  index: z.int(),
  /** Number of jobs in the array. */
  size: z.int().positive(),
  /** So many of them run at once at most; null: as many as find room. */
  atMost: z.int().nullable(),
  values: z.record(z.string(), z.string()),
});
export type ArrayMember = z.output<typeof arrayMemberSchema>;
