import { z } from 'zod';
import { HORIZON_NAMES } from './startHorizon.ts';

/** When a waiting job will start and end, Unix milliseconds: eight in ten between `p10` and `p90`. */
const spreadMs = z.object({
  p10Ms: z.number().nullable(),
  p50Ms: z.number().nullable(),
  /** null, here and above: later than was looked ahead. */
  p90Ms: z.number().nullable(),
});
export type SpreadMs = z.output<typeof spreadMs>;

export const expectedStartSchema = z.object({
  jobId: z.int(),
  /** Where it starts most often; empty: on no GPU, or not at all. */
  deviceIds: z.array(z.string()),
  start: spreadMs,
  /** If nothing stops it before. */
  end: spreadMs,
});
export type ExpectedStart = z.output<typeof expectedStartSchema>;

/** How often the true start lay between p10 and p90, of the latest estimates that looked so far. 0.8 would be perfect. */
export const startCalibrationSchema = z.object({
  horizon: z.enum(HORIZON_NAMES),
  estimates: z.int(),
  /** null: none was put to the test yet. */
  within: z.number().nullable(),
});
export type StartCalibration = z.output<typeof startCalibrationSchema>;

export const expectedStartsSchema = z.object({
  /** Of the queue that they are about; null: they are still being worked out. */
  atMs: z.number().nullable(),
  /** Whose decisions were foreseen; null: nobody's, since nothing starts by itself now. */
  policy: z.string().nullable(),
  /** Futures that were played through. */
  samples: z.int(),
  /** Jobs that wait for their turn. Those that are held or not to start yet are not among them. */
  jobs: z.array(expectedStartSchema),
  calibration: z.array(startCalibrationSchema),
});
export type ExpectedStarts = z.output<typeof expectedStartsSchema>;
