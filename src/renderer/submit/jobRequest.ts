import { FieldError } from '../../domain/errors.ts';
import { type JobSpecInput, jobSpecSchema } from '../../domain/job.ts';
import { splitCommand } from '../../domain/splitCommand.ts';
import { parseMemoryMib } from '../../domain/units.ts';
import { parseEnvLines } from '../text/envLines.ts';

/** The dialog's fields as they were typed. */
export interface JobForm {
  readonly command: string;
  readonly cwd: string;
  readonly name: string;
  readonly gpus: string;
  readonly vram: string;
  readonly priority: string;
  readonly user: string;
  readonly project: string;
  readonly env: string;
  readonly hold: boolean;
}
export type Field = Exclude<keyof JobForm, 'hold'>;
export type Problems = Partial<Record<Field, string>>;

/** The request that the fields make, or what to mend beside each. */
export type JobRequest =
  | { readonly spec: JobSpecInput; readonly problems: null }
  | { readonly spec: null; readonly problems: Problems };

/** Reads the fields; what the engine's own rules would refuse is said here already, by the same rules. */
export function readForm(form: JobForm): JobRequest {
  const problems: Problems = {};
  const split = splitCommand(form.command);
  if ('problem' in split) problems.command = split.problem;
  const env = parseEnvLines(form.env);
  if ('problem' in env) problems.env = env.problem;
  let vramMib: number | null = null;
  if (form.vram.trim() !== '') {
    try {
      vramMib = parseMemoryMib(form.vram, 'vram');
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      problems.vram = error.remedy;
    }
  }
  const spec: JobSpecInput = {
    command: 'argv' in split ? [...split.argv] : [],
    cwd: form.cwd,
    name: form.name.trim() === '' ? null : form.name,
    env: 'env' in env ? { ...env.env } : {},
    gpus: number(form.gpus),
    vramMib,
    priority: number(form.priority),
    user: form.user,
    project: form.project.trim() === '' ? 'default' : form.project,
    hold: form.hold,
  };
  const checked = jobSpecSchema.safeParse(spec);
  for (const issue of checked.error?.issues ?? []) {
    const field = fieldNamed(String(issue.path[0]));
    if (field !== null) problems[field] ??= issue.message;
  }
  return Object.keys(problems).length > 0 ? { spec: null, problems } : { spec, problems: null };
}

/** The dialog's field for a field of the contract (`vramMib`, `env.LR`); null when it shows none. */
export function fieldNamed(name: string): Field | null {
  const first = name.split(/[.[]/)[0]!;
  if (first === 'vramMib') return 'vram';
  const shown: readonly string[] = ['command', 'cwd', 'name', 'gpus', 'priority', 'user', 'project', 'env'];
  return shown.includes(first) ? (first as Field) : null;
}

const number = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));
