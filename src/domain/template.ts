import { z } from 'zod';
import { FieldError } from './errors.ts';
import { checkTogether, defaultName, type Job, specFieldsSchema } from './job.ts';
import { sweepPoints } from './sweepPoints.ts';
import { visibleText } from './visibleText.ts';

const atLeast = (least: number, most: number) =>
  z
    .int('give a whole number')
    .min(least, `give at least ${least}`)
    .max(most, `give at most ${most}`)
    .nullable()
    .default(null);

/** How many jobs are made of one, in the words of the command line, so that it can be changed as it was written. */
const templateSweepSchema = z
  .strictObject({
    /** As `--array` takes it; null: `axes` say it. */
    array: z.string().max(10_000, 'keep it within 10,000 characters').nullable().default(null),
    /** As `--sweep` takes each. */
    axes: z
      .array(z.string().max(100_000, 'keep it within 100,000 characters'))
      .max(100, 'give at most 100')
      .default([]),
    samples: atLeast(1, 10_000),
    seed: atLeast(0, 2 ** 32 - 1),
    atMost: atLeast(1, 10_000),
  })
  .superRefine((sweep, context) => {
    try {
      sweepPoints(sweep, 0);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      context.addIssue({ code: 'custom', path: [error.field], message: error.remedy });
    }
  });
export type TemplateSweep = z.output<typeof templateSweepSchema>;

/** A submission without what belongs to one time and one person: moments, what it waits for, and whose it is. */
const templateSpecSchema = specFieldsSchema
  .omit({ user: true, beginAtMs: true, deadlineAtMs: true, after: true })
  .superRefine(checkTogether);
export type TemplateSpec = z.output<typeof templateSpecSchema>;

/** A submission that is kept under a name, to be made again. It holds no secrets. */
export const templateSchema = z.object({
  name: z
    .string('give a name')
    .min(1, 'give a name')
    .max(64, 'keep the name within 64 characters')
    .refine((name) => name.trim() === name && visibleText(name) === name, 'leave out what cannot be seen'),
  spec: templateSpecSchema,
  /** null: it makes one job. */
  sweep: templateSweepSchema.nullable().default(null),
  savedAtMs: z.number(),
});
export type Template = z.output<typeof templateSchema>;

/** What a job was submitted with, as far as a template keeps it. */
export function templateSpecOf(job: Job): z.input<typeof templateSpecSchema> {
  const fields = Object.keys(templateSpecSchema.shape).filter((field) => field in job);
  const spec = Object.fromEntries(fields.map((field) => [field, job[field as keyof Job]]));
  const name = job.name === defaultName(job.command) ? null : job.name;
  return { ...spec, name } as z.input<typeof templateSpecSchema>;
}
