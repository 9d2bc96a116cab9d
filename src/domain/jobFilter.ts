import { z } from 'zod';
import type { Deputy } from './deputy.ts';
import { DIAGNOSIS_CODES } from './diagnosis.ts';
import { JOB_STATUSES, type Job } from './job.ts';

const momentMs = z.number('give Unix milliseconds').min(0, 'give Unix milliseconds');
const few = <T extends z.ZodType>(item: T) =>
  z.array(item).min(1, 'give at least one').max(100, 'give at most 100').optional();

/** Which jobs are wanted: what is left out does not matter, and of a list any one will do. */
export const jobFilterSchema = z.object({
  statuses: few(z.enum(JOB_STATUSES, `choose from ${JOB_STATUSES.join(', ')}`)),
  users: few(z.string()),
  projects: few(z.string()),
  /** A job with any of these tags is wanted. */
  tags: few(z.string()),
  /** Who submitted it: `person` for somebody's own hand, else an agent or token by name, as `ci` or `agent claude-code`. */
  submitters: few(z.string().min(1, 'give person, or the name of an agent or token')),
  /** Occurs in the name or in the command (its first 4,096 characters), in capitals or not. */
  text: z.string().min(1, 'give some text').max(200, 'keep it within 200 characters').optional(),
  /** Why it died: codes of diagnoses. */
  causes: few(z.enum(DIAGNOSIS_CODES, `choose from ${DIAGNOSIS_CODES.join(', ')}`)),
  /** In the system at some time from `fromMs` to before `toMs`. */
  fromMs: momentMs.optional(),
  toMs: momentMs.optional(),
});
export type JobFilter = z.output<typeof jobFilterSchema>;

/** Characters of a job's name and command that are searched. */
const SEARCHED_CHARACTERS = 4096;

/** A submitter as it is looked for. `kind` null: an agent or token of that name. */
export interface Submitter {
  readonly kind: Deputy['kind'] | null;
  readonly name: string;
}

/** Who is looked for: by their own hand, or through one of these. */
export function submittersOf(texts: readonly string[]): {
  readonly person: boolean;
  readonly deputies: Submitter[];
} {
  const deputies = texts
    .filter((text) => text !== 'person')
    .map((text): Submitter => {
      const [, kind, name] = /^(agent|token) (.+)$/s.exec(text) ?? [];
      return name === undefined ? { kind: null, name: text } : { kind: kind as Deputy['kind'], name };
    });
  return { person: texts.includes('person'), deputies };
}

/** True if the job is one of those that are wanted, whoever submitted it: that only the record of events knows. */
export function isWanted(job: Job, filter: JobFilter): boolean {
  const { statuses, users, projects, tags, causes, text, fromMs, toMs } = filter;
  if (statuses && !statuses.includes(job.status)) return false;
  if (users && !users.includes(job.user)) return false;
  if (projects && !projects.includes(job.project)) return false;
  if (tags && !job.tags.some((tag) => tags.includes(tag))) return false;
  if (causes && (job.diagnosis === null || !causes.includes(job.diagnosis.code))) return false;
  if (fromMs !== undefined && job.finishedAtMs !== null && job.finishedAtMs < fromMs) return false;
  if (toMs !== undefined && job.submittedAtMs >= toMs) return false;
  if (text === undefined) return true;
  const searched = `${job.name}\n${job.command.join(' ')}`.slice(0, SEARCHED_CHARACTERS);
  return searched.toLowerCase().includes(text.toLowerCase());
}
