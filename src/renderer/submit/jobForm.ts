import type { z } from 'zod';
import type { JobView } from '../../contract/messages.ts';
import { hasSecrets } from '../../domain/concealment.ts';
import { gpuNeedText } from '../../domain/gpuNeed.ts';
import { defaultName, type JobSpecInput } from '../../domain/job.ts';
import { quoted } from '../../domain/quoted.ts';
import type { Template, TemplateSpec, templateSchema } from '../../domain/template.ts';
import { ulimitsText } from '../../domain/ulimits.ts';

/** The dialog's fields as they were typed. Lists are one a line. */
export interface JobForm {
  readonly command: string;
  readonly cwd: string;
  readonly name: string;
  readonly gpus: string;
  readonly vram: string;
  readonly priority: string;
  readonly user: string;
  readonly project: string;
  readonly tags: string;
  readonly env: string;
  readonly estimate: string;
  readonly begin: string;
  readonly deadline: string;
  readonly time: string;
  readonly afterOk: string;
  readonly afterAny: string;
  readonly afterNotOk: string;
  readonly afterArray: string;
  readonly retries: string;
  readonly retryDelay: string;
  readonly retryOn: string;
  readonly checkpointSignal: string;
  readonly grace: string;
  readonly output: string;
  readonly executor: string;
  readonly executorOptions: string;
  readonly venv: string;
  readonly conda: string;
  readonly pre: string;
  readonly post: string;
  readonly ulimits: string;
  readonly secretsFrom: string;
  readonly array: string;
  readonly sweep: string;
  readonly samples: string;
  readonly seed: string;
  readonly atMost: string;
  readonly exclusive: boolean;
  readonly hold: boolean;
  readonly restartable: boolean;
  readonly snapshot: boolean;
}
export type Switch = 'exclusive' | 'hold' | 'restartable' | 'snapshot';
export type Field = Exclude<keyof JobForm, Switch>;

/** Fields in the order of the command line. `many`: given once for each line of the field; `list`: once or often, with commas between. */
export const FLAGS: readonly (readonly [field: keyof JobForm, flag: string, many?: 'many' | 'list'])[] = [
  ['gpus', '--gpus'],
  ['vram', '--vram'],
  ['exclusive', '--exclusive'],
  ['priority', '--priority'],
  ['name', '--name'],
  ['project', '--project'],
  ['tags', '--tag', 'list'],
  ['user', '--user'],
  ['cwd', '--cwd'],
  ['env', '--env', 'many'],
  ['hold', '--hold'],
  ['estimate', '--estimate'],
  ['begin', '--begin'],
  ['deadline', '--deadline'],
  ['time', '--time'],
  ['afterOk', '--after'],
  ['afterAny', '--after-any'],
  ['afterNotOk', '--after-not-ok'],
  ['afterArray', '--after-array'],
  ['retries', '--retries'],
  ['retryDelay', '--retry-delay'],
  ['retryOn', '--retry-on'],
  ['restartable', '--restartable'],
  ['checkpointSignal', '--checkpoint-signal'],
  ['grace', '--grace'],
  ['output', '--output'],
  ['executor', '--on'],
  ['executorOptions', '--slurm', 'many'],
  ['snapshot', '--snapshot'],
  ['venv', '--venv'],
  ['conda', '--conda'],
  ['pre', '--pre'],
  ['post', '--post'],
  ['ulimits', '--ulimit', 'many'],
  ['secretsFrom', '--secrets-from'],
  ['array', '--array'],
  ['sweep', '--sweep', 'many'],
  ['samples', '--samples'],
  ['seed', '--seed'],
  ['atMost', '--at-most'],
];

/** What the dialog opens with. */
export const blankForm = (system: { readonly defaultCwd: string; readonly user: string }): JobForm => ({
  command: '',
  cwd: system.defaultCwd,
  name: '',
  gpus: '1',
  vram: '',
  priority: '0',
  user: system.user,
  project: 'default',
  tags: '',
  env: '',
  estimate: '',
  begin: '',
  deadline: '',
  time: '',
  afterOk: '',
  afterAny: '',
  afterNotOk: '',
  afterArray: '',
  retries: '0',
  retryDelay: '',
  retryOn: '',
  checkpointSignal: '',
  grace: '',
  output: '',
  executor: '',
  executorOptions: '',
  venv: '',
  conda: '',
  pre: '',
  post: '',
  ulimits: '',
  secretsFrom: '',
  array: '',
  sweep: '',
  samples: '',
  seed: '',
  atMost: '',
  exclusive: false,
  hold: false,
  restartable: false,
  snapshot: false,
});

const seconds = (s: number | null): string => (s === null ? '' : `${s}s`);

/** The form that would submit the job again. Moments and what it waited for are left out: they have passed. */
export const formOfJob = (job: JobView, blank: JobForm): JobForm => ({
  ...formOfSpec(
    { ...job, name: job.name === defaultName(job.command) ? null : job.name, hold: false },
    blank,
  ),
  user: job.user,
  secretsFrom: hasSecrets(job) ? String(job.id) : '',
});

/** The form that would submit what a template says. */
export function formOfTemplate({ spec, sweep }: Template, blank: JobForm): JobForm {
  const text = (value: number | null | undefined): string => (value == null ? '' : String(value));
  return {
    ...formOfSpec(spec, blank),
    array: sweep?.array ?? '',
    sweep: sweep?.axes.join('\n') ?? '',
    samples: text(sweep?.samples),
    seed: text(sweep?.seed),
    atMost: text(sweep?.atMost),
  };
}

/** What a template keeps of the form and the request that it makes. */
export function templateOf(
  form: JobForm,
  spec: JobSpecInput,
): Pick<z.input<typeof templateSchema>, 'spec' | 'sweep'> {
  const { user: _, beginAtMs, deadlineAtMs, after, ...kept } = spec;
  const number = (field: Field): number | null => (form[field].trim() === '' ? null : Number(form[field]));
  const axes = form.sweep.split(/\r?\n/).flatMap((line) => line.trim() || []);
  const array = form.array.trim() || null;
  const many = { array, axes, samples: number('samples'), seed: number('seed'), atMost: number('atMost') };
  return { spec: kept, sweep: array === null && axes.length === 0 ? null : many };
}

function formOfSpec(job: TemplateSpec, blank: JobForm): JobForm {
  return {
    ...blank,
    command: job.command.map(quoted).join(' '),
    cwd: job.cwd,
    name: job.name ?? '',
    gpus: gpuNeedText(job),
    vram: job.vramMib === null || job.gpuShare !== null ? '' : `${job.vramMib}MiB`,
    priority: String(job.priority),
    project: job.project,
    tags: job.tags.join(', '),
    env: Object.entries(job.env)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
    estimate: seconds(job.estimateS),
    time: seconds(job.timeLimitS),
    retries: String(job.retries),
    retryDelay: job.retries === 0 ? '' : seconds(job.retryDelayS),
    retryOn: [...(job.retryOn ?? []), ...(job.retryOnDiagnoses ?? [])].join(','),
    checkpointSignal: job.checkpointSignal ?? '',
    grace: seconds(job.graceS),
    output: job.outputPath ?? '',
    executor: job.executor ?? '',
    executorOptions: job.executorOptions.join('\n'),
    venv: job.venv ?? '',
    conda: job.conda ?? '',
    pre: job.preCommand ?? '',
    post: job.postCommand ?? '',
    ulimits: ulimitsText(job.ulimits).replaceAll(', ', '\n'),
    exclusive: job.exclusive,
    hold: job.hold,
    restartable: job.restartable,
    snapshot: job.snapshot,
  };
}
