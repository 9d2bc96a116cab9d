import type { ArrayMember } from './array.ts';
import { FieldError } from './errors.ts';
import { defaultName, type Job, type JobSpec, jobSpecSchema } from './job.ts';
import {
  isSecretValue,
  merged,
  type OwnNames,
  replaceSpans,
  type Span,
  secretArguments,
  secretShapes,
  secretSpans,
} from './secrets.ts';

/** A job that is to be recorded, and, of an array's, which it is of. */
export interface Recorded {
  readonly spec: JobSpec;
  readonly array?: Omit<ArrayMember, 'id'>;
}

/** What stands in a record for the n-th secret of a submission, from 1. */
const mark = (n: number): string => `[secret:${n}]`;
const MARKS = /\[secret:(\d{1,6})\]/g;
/** What people see of secrets elsewhere: no job may be given it as a value. */
const ANY_MARK = /\[secret(?::\d{1,6})?\]/;

/** A secret of so many characters is found wherever it stands; a shorter one only where it was given. */
const SOUGHT_LENGTH = 6;
/** So many are sought elsewhere: more would make a job slow to submit. */
const MOST_SOUGHT = 64;
const MOST_SECRETS = 1000;

/**
 * The jobs of a submission with marks in place of secrets, and what the marks stand for. What nobody called a secret, and
 * what does not look like one, stays.
 * @param strict false: a secret where none can be taken out stays there.
 * @throws {FieldError} for such a secret.
 */
export function conceal<R extends Recorded>(
  jobs: readonly R[],
  own: OwnNames = null,
  strict = true,
): { readonly jobs: readonly R[]; readonly values: readonly string[] } {
  // Members of an array have most of their texts in common.
  const spansOf = kept((text: string) => secretSpans(text, own));
  const collected = new Set<string>();
  const collect = (text: string, spans: readonly Span[]): string => {
    for (const { from, to } of spans) collected.add(text.slice(from, to));
    return text;
  };
  for (const job of jobs)
    mapTexts(job, (text, whole) => collect(text, whole ? all(text) : spansOf(text)), own);
  const sought = soughtFor([...collected]);
  if (strict) checkElsewhere(jobs, sought);
  if (collected.size === 0) return { jobs, values: [] };
  if (strict && collected.size > MOST_SECRETS) {
    throw new FieldError(
      'env',
      undefined,
      `give at most ${MOST_SECRETS} secrets: keep more of them in a file`,
    );
  }
  const values = new Map<string, number>();
  const put = (secret: string): string => {
    const n = values.get(secret) ?? values.size + 1;
    values.set(secret, n);
    return mark(n);
  };
  const concealed = kept((text: string) =>
    replaceSpans(text, merged([...spansOf(text), ...occurrences(text, sought)]), put),
  );
  const done = jobs.map((job) => mapTexts(job, (text, whole) => (whole ? put(text) : concealed(text)), own));
  if (strict) for (const { spec } of done) checkSpec(spec);
  return { jobs: done, values: [...values.keys()] };
}

const all = (text: string): Span[] => [{ from: 0, to: text.length }];

function kept<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const made = make(text);
    known.set(text, made);
    return made;
  };
}

/** The job with each of its texts changed; `whole`: all of the text is a secret. */
function mapTexts<R extends Recorded>(
  job: R,
  change: (text: string, whole: boolean) => string,
  own: OwnNames,
): R {
  const { spec, array } = job;
  const named = (texts: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [name, change(text, isSecretValue(name, text, own))]),
    );
  const arguments_ = secretArguments(spec.command, own);
  return {
    ...job,
    spec: {
      ...spec,
      command: spec.command.map((text, at) => change(text, arguments_.has(at))),
      env: named(spec.env),
      name: spec.name === null ? null : change(spec.name, false),
      // Older events have none of these.
      ...(spec.preCommand ? { preCommand: change(spec.preCommand, false) } : {}),
      ...(spec.postCommand ? { postCommand: change(spec.postCommand, false) } : {}),
    },
    ...(array === undefined
      ? {}
      : { array: { ...array, name: change(array.name, false), values: named(array.values) } }),
  };
}

/** Matches any of them, the longest first; null: none. */
export function soughtFor(values: readonly string[]): RegExp | null {
  const long = values.filter((value) => value.length >= SOUGHT_LENGTH).sort((a, b) => b.length - a.length);
  if (long.length === 0) return null;
  return new RegExp(
    long
      .slice(0, MOST_SOUGHT)
      .map((value) => value.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
      .join('|'),
    'g',
  );
}

export const occurrences = (text: string, sought: RegExp | null): Span[] =>
  sought === null
    ? []
    : [...text.matchAll(sought)].map(({ index, 0: found }) => ({ from: index, to: index + found.length }));

/** Paths and groups cannot do without what they are called. */
function checkElsewhere(jobs: readonly Recorded[], sought: RegExp | null): void {
  const told = new Set<string>();
  for (const { spec } of jobs) {
    const texts = [
      ...(['cwd', 'outputPath', 'project', 'user'] as const).map((field) => [field, spec[field]] as const),
      ...spec.tags.map((tag) => ['tags', tag] as const),
    ];
    for (const [field, text] of texts) {
      if (text === null || told.has(text)) continue;
      told.add(text);
      if (secretShapes(text).length + occurrences(text, sought).length > 0) {
        throw new FieldError(field, '[secret]', 'it contains a secret: choose another');
      }
    }
  }
}

/** Marks may be longer than what they stand for. */
function checkSpec(spec: JobSpec): void {
  const issue = jobSpecSchema.safeParse(spec).error?.issues[0];
  if (issue !== undefined)
    throw new FieldError(issue.path.join('.'), undefined, `with its secrets: ${issue.message}`);
}

/** Whether the job cannot run without what its marks stand for. */
export const hasSecrets = ({
  command,
  env,
  preCommand,
  postCommand,
}: Pick<Job, 'command' | 'env' | 'preCommand' | 'postCommand'>): boolean =>
  [...command, ...Object.values(env), preCommand ?? '', postCommand ?? ''].some(
    (text) => text.includes('[secret:') && text.search(MARKS) >= 0,
  );

/** What is known of its marks is put back; the others stay. */
const unmarked = (text: string, values: readonly string[]): string =>
  text.replace(MARKS, (whole, n) => values[Number(n) - 1] ?? whole);

const unmarkedAll = (texts: Readonly<Record<string, string>>, values: readonly string[]) =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, unmarked(text, values)]));

/** The job as it is to run, as far as `values` has its secrets. */
export const revealed = (job: Job, values: readonly string[]): Job => ({
  ...job,
  command: job.command.map((text) => unmarked(text, values)),
  env: unmarkedAll(job.env, values),
  name: unmarked(job.name, values),
  preCommand: job.preCommand === null ? null : unmarked(job.preCommand, values),
  postCommand: job.postCommand === null ? null : unmarked(job.postCommand, values),
  array: job.array === null ? null : { ...job.array, values: unmarkedAll(job.array.values, values) },
});

/** What was concealed, as it was given. */
export const restored = (job: Recorded, values: readonly string[]): Recorded =>
  mapTexts(job, (text) => unmarked(text, values), null);

/**
 * A submission that was copied from what is shown of a job gets that job's secrets back.
 * @param values what the marks stand for; null: no job was named.
 * @throws {FieldError} naming the first field in which a mark stands for nothing.
 */
export function withSecretsOf(spec: JobSpec, values: readonly string[] | null): JobSpec {
  const fill = (field: string, text: string): string => {
    if (!ANY_MARK.test(text)) return text;
    const filled = unmarked(text, values ?? []);
    if (!ANY_MARK.test(filled)) return filled;
    const remedy =
      values === null
        ? 'that stands for a secret that is not shown: give the secret itself, or say whose it is (--secrets-from ID)'
        : 'that job has no such secret: give the secret itself';
    throw new FieldError(field, ANY_MARK.exec(filled)![0], remedy);
  };
  return {
    ...spec,
    command: spec.command.map((text, at) => fill(`command.${at}`, text)),
    env: Object.fromEntries(
      Object.entries(spec.env).map(([name, text]) => [name, fill(`env.${name}`, text)]),
    ),
    name: spec.name === null ? null : fill('name', spec.name),
    preCommand: spec.preCommand === null ? null : fill('preCommand', spec.preCommand),
    postCommand: spec.postCommand === null ? null : fill('postCommand', spec.postCommand),
  };
}

/** Of a job from before secrets were taken out, the fields in which they may be. */
export const concealedFields = (job: Job, { spec, array }: Recorded): Job => ({
  ...job,
  command: spec.command,
  env: spec.env,
  name: spec.name ?? defaultName(spec.command),
  preCommand: spec.preCommand ?? null,
  postCommand: spec.postCommand ?? null,
  array: job.array === null || array === undefined ? job.array : { ...job.array, ...array },
});
