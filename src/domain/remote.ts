import { z } from 'zod';

/**
 * A job as another queue has it, which Stint handed it over to. Written before that is asked to take it, so that an engine
 * that dies in between finds it there again, or knows that it is not there.
 */
export const remoteSchema = z.object({
  /** The mark that it carries there: no other submission has the same. */
  token: z.string(),
  /** Its place in an array that was handed over as one; null: it went alone. */
  index: z.int().nullable(),
  /** Its number there; null: not known yet. */
  id: z.string().nullable(),
  /** Machines that it runs on, or ran on last. */
  nodes: z.array(z.string()),
});

/** How a job that ran elsewhere may end. */
export const REMOTE_ENDS = ['succeeded', 'failed', 'cancelled', 'timed-out', 'lost'] as const;

/** Of a job that says nothing of it, among them every job of a Stint that knew no other queue. */
export const HERE = { executor: null, executorOptions: [] as string[] } as const;
