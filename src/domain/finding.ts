import { z } from 'zod';

/**
 * error: Stint, or jobs, cannot do their work. warning: they can, but not all of it, or not for long. note: something
 * optional is not there. ok: it was looked at, and is as it should be.
 */
export const SEVERITIES = ['error', 'warning', 'note', 'ok'] as const;

/** One thing that was looked at. */
export const findingSchema = z.object({
  /** What it is about, such as `database`. */
  about: z.string(),
  severity: z.enum(SEVERITIES),
  /** What was found, in a sentence. */
  found: z.string(),
  /** What to do; null: nothing needs to be done. */
  remedy: z.string().nullable(),
});
export type Finding = z.output<typeof findingSchema>;

export const ok = (about: string, found: string): Finding => ({ about, severity: 'ok', found, remedy: null });

/** The gravest first, else as they were found. */
export const bySeverity = (findings: readonly Finding[]): Finding[] =>
  [...findings].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
