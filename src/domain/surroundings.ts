import { z } from 'zod';
import { ulimitsSchema } from './ulimits.ts';

const hook = z
  .string('give a command')
  .trim()
  .min(1, 'give a command')
  .max(8192, 'keep it within 8192 characters: put more into a script')
  .refine((text) => !text.includes('\0'), 'a command must not contain a NUL character')
  .nullable();

/** What is done around the command of each attempt: as part of a job's facts. */
export const surroundingsSchema = z.object({
  /** Run by a shell before the command, in its directory and with its variables; where it fails, the command is not run. */
  preCommand: hook,
  /** The same after it, however it ended, with its exit code as `STINT_EXIT_CODE`. */
  postCommand: hook,
  /** Of the command and the hooks. */
  ulimits: ulimitsSchema,
});
type Surroundings = z.output<typeof surroundingsSchema>;

/** Of a job that says nothing of it, among them every job of a Stint that knew none. */
export const NO_SURROUNDINGS: Surroundings = { preCommand: null, postCommand: null, ulimits: {} };
