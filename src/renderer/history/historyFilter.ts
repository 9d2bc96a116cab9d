import { DIAGNOSIS_CODES } from '../../domain/diagnosis.ts';
import { FieldError } from '../../domain/errors.ts';
import { JOB_STATUSES } from '../../domain/job.ts';
import type { JobFilter } from '../../domain/jobFilter.ts';
import { parseMoment } from '../../domain/moment.ts';
import { t } from '../i18n/t.ts';

/** What a reader looks for, as it stands in the address. Lists are separated by commas. */
export interface HistoryForm {
  readonly text: string;
  readonly status: readonly string[];
  readonly user: string;
  readonly project: string;
  readonly tag: string;
  readonly by: string;
  readonly cause: readonly string[];
  readonly from: string;
  readonly to: string;
}
export type HistoryProblems = Partial<Record<keyof HistoryForm, string>>;

const listOf = (text: string | null): string[] =>
  (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** The form that an address asks for; of what it names and there is not, nothing is left. */
export function formOfQuery(query: string): HistoryForm {
  const asked = new URLSearchParams(query);
  const known = (name: string, all: readonly string[]) =>
    listOf(asked.get(name)).filter((one) => all.includes(one));
  return {
    text: asked.get('text') ?? '',
    status: known('status', JOB_STATUSES),
    user: asked.get('user') ?? '',
    project: asked.get('project') ?? '',
    tag: asked.get('tag') ?? '',
    by: asked.get('by') ?? '',
    cause: known('cause', DIAGNOSIS_CODES),
    from: asked.get('from') ?? '',
    to: asked.get('to') ?? '',
  };
}

/** The address of the form, without what is empty. */
export function queryOfForm(form: HistoryForm): string {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(form)) {
    const text = typeof value === 'string' ? value.trim() : value.join(',');
    if (text !== '') asked.set(name, text);
  }
  return asked.toString();
}

/** What the engine is asked for, or what to mend beside a field. */
export function readFilter(
  form: HistoryForm,
  now: { readonly nowMs: number; readonly offsetMinAt: (unixMs: number) => number },
): { readonly filter: JobFilter; readonly problems: HistoryProblems } {
  const problems: HistoryProblems = {};
  const moment = (field: 'from' | 'to'): number | undefined => {
    if (form[field].trim() === '') return undefined;
    // What a link brings is a moment already.
    if (/^\d{12,14}$/.test(form[field])) return Number(form[field]);
    try {
      return parseMoment(form[field], field, { ...now, edge: field === 'from' ? 'start' : 'end' });
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      problems[field] = error.remedy;
      return undefined;
    }
  };
  const fromMs = moment('from');
  const toMs = moment('to');
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) problems.to ??= t('give a later moment');
  const users = listOf(form.user);
  const projects = listOf(form.project);
  const tags = listOf(form.tag);
  const submitters = listOf(form.by);
  const text = form.text.trim();
  const filter = {
    ...(form.status.length > 0 && { statuses: form.status }),
    ...(users.length > 0 && { users }),
    ...(projects.length > 0 && { projects }),
    ...(tags.length > 0 && { tags }),
    ...(submitters.length > 0 && { submitters }),
    ...(form.cause.length > 0 && { causes: form.cause }),
    ...(text !== '' && { text: text.slice(0, 200) }),
    ...(fromMs !== undefined && { fromMs }),
    ...(toMs !== undefined && { toMs }),
  } as JobFilter;
  return { filter, problems };
}
