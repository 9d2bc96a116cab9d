import { z } from 'zod';

/**
 * What lies in the data directory. logs: of attempts, with what else a launch left. checkpoints: what restartable jobs go on
 * from. snapshots: copies of code that jobs run from, with what they wrote there. orphans: what belongs to no job that is known. rest: everything else, such as secrets and the engine's own log.
 */
export const KEPT = ['database', 'logs', 'checkpoints', 'snapshots', 'orphans', 'rest'] as const;
export type Kept = (typeof KEPT)[number];

const amount = {
  /** On the disk, not as the files are long: a log of which a part was dropped takes less. */
  bytes: z.number(),
  /** Jobs, for logs and checkpoints; files or folders otherwise. */
  count: z.int(),
};

/** What takes how much space. */
export const spaceSchema = z.object({
  parts: z.array(z.object({ what: z.enum(KEPT), ...amount })),
  /** Jobs that take most, the most first. */
  largest: z.array(z.object({ jobId: z.int(), name: z.string(), bytes: z.number() })),
  /** Of the disk that the data directory is on. */
  freeBytes: z.number(),
  totalBytes: z.number(),
  /** Nothing is started while less is free. */
  floorBytes: z.number(),
  /** Whether logs can be capped on that disk; null: nothing had to be yet. */
  capWorks: z.boolean().nullable(),
});
export type Space = z.output<typeof spaceSchema>;

/** What was, or would be, removed. */
export const cleanedSchema = z.object({
  dryRun: z.boolean(),
  parts: z.array(z.object({ what: z.enum(KEPT), ...amount })),
  bytes: z.number(),
});
export type Cleaned = z.output<typeof cleanedSchema>;
