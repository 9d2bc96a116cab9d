import { parseBegin } from '../../domain/begin.ts';
import { FieldError } from '../../domain/errors.ts';
import { type GpuNeed, parseGpuNeed } from '../../domain/gpuNeed.ts';
import { type JobSpecInput, jobSpecSchema } from '../../domain/job.ts';
import { parseTags } from '../../domain/parseTags.ts';
import { arrays, dependencies } from '../../domain/readDependencies.ts';
import { retryOn } from '../../domain/retryOn.ts';
import { seededRng } from '../../domain/rng.ts';
import { signalName } from '../../domain/signalName.ts';
import { splitCommand } from '../../domain/splitCommand.ts';
import { checkAxes, grid, type Point, parseArray, parseAxis, randomPoints } from '../../domain/sweep.ts';
import { CHECKPOINT_SIGNALS } from '../../domain/terms.ts';
import { parseUlimit } from '../../domain/ulimits.ts';
import type { Ulimits } from '../../domain/ulimitsSchema.ts';
import { parseDurationS, parseMemoryMib } from '../../domain/units.ts';
import { t } from '../i18n/t.ts';
import { parseEnvLines } from '../text/envLines.ts';
import type { Field, JobForm } from './jobForm.ts';

export type Problems = Partial<Record<Field, string>>;

/** The jobs that are made of one: their indices and values, and how many of them run at once; null: as many as find room. */
export interface Sweep {
  readonly points: readonly Point[];
  readonly atMost: number | null;
}

/** The request that the fields make, or what to mend beside each. `sweep` null: it is one job. */
export type JobRequest =
  | {
      readonly spec: JobSpecInput;
      readonly sweep: Sweep | null;
      /** The job whose secrets the marks in the fields stand for; null: they have none. */
      readonly secretsFrom: number | null;
      readonly problems: null;
    }
  | { readonly spec: null; readonly sweep: null; readonly secretsFrom: null; readonly problems: Problems };

/** What moments depend on beside what was typed. */
export interface Now {
  readonly nowMs: number;
  readonly offsetMinAt: (unixMs: number) => number;
}

/** Reads the fields; what the engine's own rules would refuse is said here already, by the same rules. */
export function readForm(form: JobForm, now: Now): JobRequest {
  const problems: Problems = {};
  /** What `read` makes of a field that is not empty; a problem goes beside it. */
  const given = <T>(field: Field, absent: T, read: (text: string) => T): T => {
    const text = form[field].trim();
    if (text === '') return absent;
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      problems[field] = error.remedy;
      return absent;
    }
  };
  const duration = (field: Field) => given<number | null>(field, null, (text) => parseDurationS(text, field));
  const moment = (field: Field) => given<number | null>(field, null, (text) => parseBegin(text, field, now));
  const whole = (field: Field, absent: number | null) => given<number | null>(field, absent, Number);

  const split = splitCommand(form.command);
  if ('problem' in split) problems.command = split.problem;
  const env = parseEnvLines(form.env);
  if ('problem' in env) problems.env = env.problem;
  if (form.gpus.trim() === '') problems.gpus = t('give a whole number');
  const { codes, causes } = given('retryOn', { codes: [], causes: [] }, retryOn);
  const signal = given('checkpointSignal', null, signalName);
  if (signal !== null && !CHECKPOINT_SIGNALS.some((one) => one === signal)) {
    problems.checkpointSignal = t('choose from {{a}}', { a: CHECKPOINT_SIGNALS.join(', ') });
  }
  const retryDelayS = duration('retryDelay');
  const spec: JobSpecInput = {
    command: 'argv' in split ? [...split.argv] : [],
    cwd: form.cwd,
    name: form.name.trim() === '' ? null : form.name,
    env: 'env' in env ? { ...env.env } : {},
    ...given<Partial<GpuNeed>>('gpus', {}, (text) => parseGpuNeed(text, 'gpus')),
    vramMib: given<number | null>('vram', null, (text) => parseMemoryMib(text, 'vram')),
    exclusive: form.exclusive,
    priority: whole('priority', Number.NaN)!,
    user: form.user,
    project: form.project.trim() === '' ? 'default' : form.project,
    tags: given<string[]>('tags', [], (text) => parseTags(text, 'tags')),
    hold: form.hold,
    estimateS: duration('estimate'),
    beginAtMs: moment('begin'),
    deadlineAtMs: moment('deadline'),
    timeLimitS: duration('time'),
    after: [
      ...given('afterOk', [], dependencies('afterOk', 'ok')),
      ...given('afterAny', [], dependencies('afterAny', 'any')),
      ...given('afterNotOk', [], dependencies('afterNotOk', 'not-ok')),
      ...given('afterArray', [], arrays('afterArray', 'ok')),
    ],
    retries: whole('retries', 0)!,
    ...(retryDelayS === null ? {} : { retryDelayS }),
    retryOn: codes.length === 0 ? null : [...codes],
    retryOnDiagnoses: causes.length === 0 ? null : [...causes],
    restartable: form.restartable,
    checkpointSignal: signal as JobSpecInput['checkpointSignal'],
    graceS: duration('grace'),
    snapshot: form.snapshot,
    venv: given<string | null>('venv', null, (text) => pathFrom(form.cwd, text)),
    conda: given<string | null>('conda', null, (text) => text),
    preCommand: given<string | null>('pre', null, (text) => text),
    postCommand: given<string | null>('post', null, (text) => text),
    ulimits: given<Ulimits>('ulimits', {}, (text) => {
      const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
      return Object.assign({}, ...lines.map((line) => parseUlimit(line, 'ulimits')));
    }),
    outputPath: given<string | null>('output', null, (text) => pathFrom(form.cwd, text)),
    executor: given<string | null>('executor', null, (text) => text),
    executorOptions: form.executorOptions.split(/\r?\n/).flatMap((line) => line.trim() || []),
  };
  if (spec.retries === 0) {
    for (const field of ['retryDelay', 'retryOn'] as const) {
      if (form[field].trim() !== '') problems[field] ??= t('say how often it is tried again');
    }
  }
  const secretsFrom = given<number | null>('secretsFrom', null, (text) => {
    if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
    throw new FieldError('secretsFrom', text, t('give the number of a job'));
  });
  const sweep = readSweep(form, given);
  const checked = jobSpecSchema.safeParse(spec);
  for (const issue of checked.error?.issues ?? []) {
    const field = fieldNamed(String(issue.path[0]));
    if (field !== null) problems[field] ??= issue.message;
  }
  return Object.keys(problems).length > 0
    ? { spec: null, sweep: null, secretsFrom: null, problems }
    : { spec, sweep, secretsFrom, problems: null };
}

type Given = <T>(field: Field, absent: T, read: (text: string) => T) => T;

function readSweep(form: JobForm, given: Given): Sweep | null {
  const wrong = (field: Field, remedy: string): null =>
    given(field, null, (text) => {
      throw new FieldError(field, text, remedy);
    });
  const axes = given('sweep', [], (text) => {
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
    const all = lines.map((line) => parseAxis(line.trim(), 'sweep'));
    checkAxes(all, 'sweep');
    return all;
  });
  const count = (field: Field, least: number, most: number) =>
    given<number | null>(field, null, (text) => {
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      if (value >= least && value <= most) return value;
      throw new FieldError(field, text, t('give a whole number from {{least}} to {{most}}', { least, most }));
    });
  const samples = count('samples', 1, 10_000);
  const seed = count('seed', 0, 2 ** 32 - 1);
  const atMost = count('atMost', 1, 10_000);
  if (form.array.trim() !== '') {
    if (form.sweep.trim() !== '') wrong('array', t('give either indices or parameters'));
    const array = given('array', null, (text) => parseArray(text, 'array'));
    return array && { points: array.points, atMost: atMost ?? array.atMost };
  }
  if (form.sweep.trim() === '') {
    wrong('samples', t('say what to draw, such as lr=log:1e-5..1e-1'));
    wrong('atMost', t('it is for indices or parameters'));
    return null;
  }
  if (axes.length === 0) return null;
  const field = samples === null ? 'sweep' : 'samples';
  const points = given<readonly Point[]>(field, [], () =>
    samples === null ? grid(axes, 'sweep') : randomPoints(axes, samples, seededRng(seed ?? 0), 'samples'),
  );
  return { points, atMost };
}

const pathFrom = (cwd: string, path: string): string =>
  path.startsWith('/') ? path : `${cwd.replace(/\/$/, '')}/${path}`;

/** Fields of the contract that have another name in the dialog. */
const NAMES: Readonly<Record<string, Field>> = {
  vramMib: 'vram',
  minGpus: 'gpus',
  gpuShare: 'gpus',
  estimateS: 'estimate',
  beginAtMs: 'begin',
  deadlineAtMs: 'deadline',
  timeLimitS: 'time',
  after: 'afterOk',
  retryDelayS: 'retryDelay',
  retryOnDiagnoses: 'retryOn',
  graceS: 'grace',
  outputPath: 'output',
  preCommand: 'pre',
  postCommand: 'post',
  members: 'sweep',
};
const SAME: readonly string[] = [
  'command',
  'cwd',
  'name',
  'gpus',
  'priority',
  'user',
  'project',
  'tags',
  'env',
  'retries',
  'retryOn',
  'checkpointSignal',
  'venv',
  'conda',
  'ulimits',
  'executor',
  'executorOptions',
  'secretsFrom',
  'atMost',
];

/** The dialog's field for a field of the contract (`vramMib`, `env.LR`, `spec.gpus`); null when it shows none. */
export function fieldNamed(name: string): Field | null {
  const first = name.replace(/^spec\./, '').split(/[.[]/)[0]!;
  return NAMES[first] ?? (SAME.includes(first) ? (first as Field) : null);
}
