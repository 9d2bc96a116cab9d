import { z } from 'zod';
import { ULIMIT_NAMES } from './ulimits.ts';

const bound = z
  .int('give a whole number')
  .min(0, 'give 0 or more')
  .max(Number.MAX_SAFE_INTEGER, 'give null for no limit')
  .nullable();

/** Counts, bytes and seconds; null: none. */
const ulimitSchema = z
  .strictObject({ soft: bound, hard: bound })
  .refine(({ soft, hard }) => hard === null || (soft !== null && soft <= hard), {
    message: 'give a soft limit that is not above the hard one',
    path: ['soft'],
  });

export const ulimitsSchema = z.partialRecord(
  z.enum(ULIMIT_NAMES, `choose from ${ULIMIT_NAMES.join(', ')}`),
  ulimitSchema,
);
export type Ulimits = z.output<typeof ulimitsSchema>;
