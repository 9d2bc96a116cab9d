import { FieldError } from '../../domain/errors.ts';
import { type ExecutorConfig, executorSchema } from '../../domain/executor.ts';
import { splitCommand } from '../../domain/splitCommand.ts';
import { parseDurationS } from '../../domain/units.ts';

/** A new executor as it is typed; what is left blank is as the engine has it. Options stand as in a shell. */
export interface ExecutorForm {
  readonly name: string;
  readonly partition: string;
  readonly account: string;
  readonly qos: string;
  readonly gres: string;
  readonly bin: string;
  readonly conf: string;
  readonly directory: string;
  readonly options: string;
  readonly pollS: string;
  readonly timeoutS: string;
  readonly niceSpread: string;
  readonly atMostPending: string;
}
export type ExecutorField = keyof ExecutorForm;

export const BLANK: ExecutorForm = {
  name: 'slurm',
  partition: '',
  account: '',
  qos: '',
  gres: '',
  bin: '',
  conf: '',
  directory: '',
  options: '',
  pollS: '',
  timeoutS: '',
  niceSpread: '',
  atMostPending: '',
};

const TEXTS = ['partition', 'account', 'qos', 'gres', 'bin', 'conf', 'directory'] as const;
const TIMES = ['pollS', 'timeoutS'] as const;
const NUMBERS = ['niceSpread', 'atMostPending'] as const;

/** The request that the fields make; `problems`: what to mend beside each, by the engine's own rules. */
export function readExecutor(form: ExecutorForm): {
  readonly request: ExecutorConfig | null;
  readonly problems: Partial<Record<ExecutorField, string>>;
} {
  const problems: Partial<Record<ExecutorField, string>> = {};
  const given: Record<string, unknown> = { name: form.name.trim(), kind: 'slurm' };
  const put = (field: ExecutorField, read: (text: string) => unknown): void => {
    const text = form[field].trim();
    if (text === '') return;
    try {
      given[field] = read(text);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      problems[field] = error.remedy;
    }
  };
  for (const field of TEXTS) put(field, (text) => text);
  for (const field of TIMES) put(field, (text) => parseDurationS(text, field));
  for (const field of NUMBERS) put(field, Number);
  put('options', (text) => {
    const split = splitCommand(text);
    if ('problem' in split) throw new FieldError('options', text, split.problem);
    return split.argv;
  });
  const read = executorSchema.safeParse(given);
  for (const { path, message } of read.error?.issues ?? []) problems[path[0] as ExecutorField] ??= message;
  return { request: read.success && Object.keys(problems).length === 0 ? read.data : null, problems };
}
