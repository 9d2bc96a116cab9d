import { z } from 'zod';
import { ulimitsSchema } from './ulimitsSchema.ts';

const hook = z
  .string('give a command')
  .trim()
  .min(1, 'give a command')
  .max(8192, 'keep it within 8192 characters: put more into a script')
  .refine((text) => !text.includes('\0'), 'a command must not contain a NUL character')
  .nullable();

const path = (what: string) =>
  z
    .string(`give ${what}`)
    .min(1, `give ${what}`)
    .max(4096, 'keep it within 4096 characters')
    .refine((text) => !text.includes('\0'), 'a path must not contain a NUL character')
    .refine((text) => !text.includes(':'), 'a path on PATH must not contain a colon')
    .nullable();

/** What is done around the command of each attempt: as part of a job's facts. */
export const surroundingsSchema = z.object({
  /** Run by a shell before the command, in its directory and with its variables; where it fails, the command is not run. */
  preCommand: hook,
  /** The same after it, however it ended, with its exit code as `STINT_EXIT_CODE`. */
  postCommand: hook,
  /** Of the command and the hooks. */
  ulimits: ulimitsSchema,
  /** Absolute directory of a virtual environment of Python's, which is entered; null: none. */
  venv: path('a directory').refine((text) => text === null || text.startsWith('/'), 'give an absolute path'),
  /** The same of conda's: absolute, or, in a submission, its name. */
  conda: path('a directory or a name').refine(
    (text) => text === null || text.startsWith('/') || !/[/\s]|^\.+$/.test(text),
    'give an absolute path, or a name of `conda env list`',
  ),
  /** True: it runs from a copy of its code, made when it was submitted. */
  snapshot: z.boolean('give true or false'),
});
type Surroundings = z.output<typeof surroundingsSchema>;

/** Of a job that says nothing of it, among them every job of a Stint that knew none. */
export const NO_SURROUNDINGS: Surroundings = {
  preCommand: null,
  postCommand: null,
  ulimits: {},
  venv: null,
  conda: null,
  snapshot: false,
};
