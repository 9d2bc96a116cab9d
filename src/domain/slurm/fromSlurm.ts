import { FieldError } from '../errors.ts';
import { placed, type SlurmOption } from './slurmOptions.ts';

/** What a Slurm script asks for, in the words of `stint submit`. */
export interface FromSlurm {
  /** Flags of `stint submit` with their values, each with the place that it came from. */
  readonly flags: readonly { readonly words: readonly string[]; readonly where: string }[];
  /** Variables that the script may look for. */
  readonly env: Readonly<Record<string, string>>;
  /** What has no meaning here, or another one, in sentences. */
  readonly notes: readonly string[];
  /** What has no meaning on this machine, and may have one in another Slurm: `--mem=8G`. */
  readonly unused: readonly string[];
}

/** Of no consequence for what the job does: nothing is said of them. */
const SILENT = new Set(['quiet', 'verbose', 'parsable', 'ignore-pbs', 'no-requeue', 'kill-on-invalid-dep']);
/** What the machine has one of, or does not ration. */
const WHY: Readonly<Record<string, string>> = {
  mem: 'host memory is not rationed',
  'mem-per-cpu': 'host memory is not rationed',
  'mem-per-gpu': 'host memory is not rationed; for that of the GPU there is #STINT --vram',
  'cpus-per-task': 'processors are not rationed; the script finds the number in SLURM_CPUS_PER_TASK',
  'cpus-per-gpu': 'processors are not rationed',
  partition: 'there is one machine',
  qos: 'there is --priority',
  error: 'errors and output are one log',
  'open-mode': 'each attempt has a log of its own',
  wait: '`stint wait` waits',
};

/**
 * Translates the options of sbatch. Of an option that is given twice the last counts, as in Slurm.
 * @param elsewhere it is for another Slurm, which knows what this machine does not.
 * @throws {FieldError} for what cannot be done here at all, and for values that sbatch would refuse as well.
 */
export function fromSlurm(options: readonly SlurmOption[], elsewhere = false): FromSlurm {
  const given = new Map(options.map((option) => [option.name, option]));
  const flags: { words: string[]; where: string }[] = [];
  const env: Record<string, string> = {};
  const notes: string[] = [];
  const ignored: string[] = [];
  const unused: string[] = [];
  for (const option of given.values()) {
    const { name, value, where } = option;
    const words = DIRECT[name]?.(option, notes);
    if (words !== undefined) {
      if (words.length > 0) flags.push({ words, where });
    } else if (!SILENT.has(name) && !GPU_OPTIONS.has(name) && !COUNTS.has(name)) {
      const why = WHY[name];
      const text = `--${name}${value === null ? '' : `=${value}`}`;
      unused.push(text);
      ignored.push(why === undefined ? text : `${text} (${why})`);
    }
  }
  const tasks = count(given.get('ntasks')) ?? 1;
  const cpus = count(given.get('cpus-per-task'));
  if (cpus !== null) env.SLURM_CPUS_PER_TASK = String(cpus);
  env.SLURM_NTASKS = String(tasks);
  if (tasks > 1) notes.push(`--ntasks=${tasks}: the script runs once; it starts its tasks itself`);
  const gpus = gpusOf(given, tasks, notes);
  flags.push({ words: ['--gpus', String(gpus.count)], where: gpus.where });
  if (ignored.length > 0 && !elsewhere) notes.push(`without meaning here: ${ignored.join(', ')}`);
  return { flags, env, notes, unused };
}

const GPU_OPTIONS = new Set(['gres', 'gpus', 'gpus-per-node', 'gpus-per-task']);
const COUNTS = new Set(['ntasks', 'ntasks-per-node']);

type Direct = (option: SlurmOption, notes: string[]) => string[];
const same =
  (flag: string): Direct =>
  ({ value }) => [flag, value!];

/** Options that mean a flag of ours, whatever else is given. */
const DIRECT: Readonly<Record<string, Direct>> = {
  'job-name': same('--name'),
  output: same('--output'),
  chdir: same('--cwd'),
  account: same('--project'),
  export: same('--export'),
  dependency: same('--dependency'),
  array: same('--array'),
  deadline: same('--deadline'),
  hold: () => ['--hold'],
  requeue: () => ['--restartable'],
  'test-only': () => ['--dry-run'],
  exclusive: ({ value }) => (value === null || value === 'exclusive' ? ['--exclusive'] : []),
  time: (option) => {
    const seconds = slurmTimeS(option);
    return seconds === null ? [] : ['--time', `${seconds}s`];
  },
  begin: ({ value }) => ['--begin', beginOf(value!)],
  nice: ({ name, value, where }) => {
    const nice = value === null ? 100 : Number(value);
    if (!Number.isInteger(nice))
      throw new FieldError(placed(`--${name}`, where), value, 'give a whole number');
    return ['--priority', String(Math.max(-1000, Math.min(1000, -nice)))];
  },
  signal: ({ name, value, where }, notes) => {
    const match = /^(?:[BR]{1,2}:)?(?:SIG)?([A-Za-z]+\d*)(?:@(\d+))?$/.exec(value!);
    if (match === null) throw new FieldError(placed(`--${name}`, where), value, 'give it as USR1@120');
    notes.push(`--signal=${value}: it is sent when the job is to give way, not before its time limit`);
    return ['--checkpoint-signal', match[1]!, '--grace', `${match[2] ?? 60}s`];
  },
  nodes: ({ name, value, where }) => {
    if (/^1(-\d+)?$/.test(value!)) return [];
    throw new FieldError(placed(`--${name}`, where), value, 'give 1: there is one machine here');
  },
  input: ({ name, value, where }) => {
    if (value === '/dev/null') return [];
    throw new FieldError(
      placed(`--${name}`, where),
      value,
      'jobs here read nothing: let the script read the file',
    );
  },
  wrap: ({ name, where }) => {
    if (where === '') return [];
    throw new FieldError(
      placed(`--${name}`, where),
      undefined,
      'it is for the command line, not for a script',
    );
  },
};

/** Whole numbers as Slurm takes them; null: the option is not given. */
function count(option: SlurmOption | undefined): number | null {
  if (option === undefined) return null;
  const value = /^\d{1,6}$/.test(option.value ?? '') ? Number(option.value) : 0;
  if (value > 0) return value;
  throw new FieldError(placed(`--${option.name}`, option.where), option.value, 'give a number from 1');
}

/** Without a word of GPUs a job has none, as in Slurm. */
function gpusOf(
  given: ReadonlyMap<string, SlurmOption>,
  tasks: number,
  notes: string[],
): { readonly count: number; readonly where: string } {
  for (const name of ['gpus', 'gpus-per-node', 'gpus-per-task', 'gres']) {
    const option = given.get(name);
    if (option === undefined) continue;
    const each = name === 'gres' ? gresGpus(option, notes) : typedCount(option, option.value!, notes);
    if (each !== null) return { count: name === 'gpus-per-task' ? each * tasks : each, where: option.where };
  }
  return { count: 0, where: '' };
}

/** `gpu`, `gpu:2`, `gpu:a100:2`, with others; null: it names no GPU. */
function gresGpus(option: SlurmOption, notes: string[]): number | null {
  let gpus: number | null = null;
  for (const part of option.value!.split(',')) {
    const [kind, ...rest] = part
      .replace(/\(.*\)$/, '')
      .replace(/^gres[/:]/, '')
      .split(':');
    if (kind === 'gpu') gpus = (gpus ?? 0) + typedCount(option, rest.join(':') || '1', notes);
    else if (kind !== 'none') notes.push(`--gres=${part}: only GPUs are known here`);
  }
  return gpus;
}

/** `2`, `a100:2`, `a100`, `a100:1,v100:1`. */
function typedCount(option: SlurmOption, text: string, notes: string[]): number {
  let sum = 0;
  for (const part of text.split(',')) {
    const match = /^(?:([A-Za-z][\w.-]*)(?::|$))?(\d{1,3})?$/.exec(part);
    if (match === null || part === '') {
      throw new FieldError(placed(`--${option.name}`, option.where), option.value, 'give a number of GPUs');
    }
    if (match[1] !== undefined) notes.push(`any GPU counts as ${match[1]} here`);
    sum += Number(match[2] ?? 1);
  }
  return sum;
}

/**
 * Slurm's time: minutes, `m:s`, `h:m:s`, `d-h`, `d-h:m`, `d-h:m:s`.
 * @returns seconds; null: no limit.
 * @throws {FieldError}
 */
function slurmTimeS({ name, value, where }: SlurmOption): number | null {
  const text = value!.trim();
  if (/^(unlimited|infinite|-1|0)$/i.test(text)) return null;
  const match = /^(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$/.exec(text);
  if (match === null) {
    throw new FieldError(
      placed(`--${name}`, where),
      value,
      'give minutes, h:m:s or d-h:m:s, such as 90 or 1-12:00:00',
    );
  }
  const [days, first, second, third] = match
    .slice(1)
    .map((part) => (part === undefined ? undefined : Number(part)));
  if (days !== undefined) return ((days * 24 + first!) * 60 + (second ?? 0)) * 60 + (third ?? 0);
  if (third !== undefined) return (first! * 60 + second!) * 60 + third;
  return first! * 60 + (second ?? 0);
}

const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Slurm's `now+1hour`, `midnight`, `noon`; the rest both read alike. */
function beginOf(text: string): string {
  const ahead = /^now\s*\+\s*(\d+)\s*(seconds?|minutes?|hours?|days?|weeks?)?$/i.exec(text.trim());
  if (ahead !== null) return `+${Number(ahead[1]) * UNIT_S[(ahead[2] ?? 's')[0]!.toLowerCase()]!}s`;
  const named: Readonly<Record<string, string>> = { midnight: 'tomorrow', noon: '12:00', teatime: '16:00' };
  return named[text.trim().toLowerCase()] ?? text;
}
