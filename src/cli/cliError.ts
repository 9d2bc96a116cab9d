import { showValue } from '../domain/errors.ts';

/** Exit statuses of the CLI's own, apart from those that it passes on from jobs. */
export const STATUS = { failed: 1, badUsage: 2, notRunning: 3, timedOut: 124 } as const;

/** Ends the command with one line on stderr, `stint: <what is wrong>; <remedy>`, and a status. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly status: number;

  constructor(status: number, problem: string, remedy: string) {
    super(`${problem}; ${remedy}`);
    this.status = status;
  }
}

/** The flag, where one has another name than the contract's field. */
const FLAG_OF_FIELD: Readonly<Record<string, string>> = {
  vramMib: '--vram',
  estimateS: '--estimate',
  beginAtMs: '--begin',
  timeLimitS: '--time',
  retryDelayS: '--retry-delay',
  retryOn: '--retry-on',
  retryOnDiagnoses: '--retry-on',
  deadlineAtMs: '--deadline',
  minGpus: '--gpus',
  gpuShare: '--gpus',
  checkpointSignal: '--checkpoint-signal',
  graceS: '--grace',
  secretsFrom: '--secrets-from',
  preCommand: '--pre',
  postCommand: '--post',
  ulimits: '--ulimit',
  outputPath: '--output',
  command: 'the command',
  id: 'the job id',
  beforeId: 'the job id',
  statuses: '--status',
  users: '--user',
  projects: '--project',
  tags: '--tag',
  causes: '--cause',
  text: '--search',
  pattern: '--grep',
  line: '--from-line',
};
const SAME_NAME = new Set([
  'gpus',
  'priority',
  'name',
  'user',
  'project',
  'env',
  'cwd',
  'hold',
  'retries',
  'after',
  'restartable',
  'exclusive',
  'limit',
  'devices',
  'policy',
  'port',
  'data',
]);

/** How a person calls a field of a request: by the flag that sets it, with what is inside it (`--env PATH`). */
function flagName(field: string): string {
  // A flag already, perhaps with its place in a file.
  if (/^[-#]/.test(field)) return field;
  const [head = '', ...rest] = field.split('.');
  const name = FLAG_OF_FIELD[head] ?? (SAME_NAME.has(head) ? `--${head}` : head);
  // A place in a list says nothing to whoever gave the list as words.
  return [name, ...rest.filter((part) => !/^\d+$/.test(part))].join(' ');
}

/** What to print for anything that was thrown, and the status to end with. */
export function describeError(error: unknown): { line: string; status: number } {
  if (error instanceof CliError) return { line: error.message, status: error.status };
  const { code, data, name, message } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown;
    data?: unknown;
    name?: unknown;
    message?: unknown;
  };
  const text = typeof message === 'string' && message !== '' ? message : String(error);
  if (code === 'BAD_REQUEST' && isFieldTrouble(data)) {
    return {
      line: `${flagName(data.field)}: ${data.value} is not usable; ${data.remedy}`,
      status: STATUS.badUsage,
    };
  }
  if (name === 'FieldError' && isFieldTrouble(error)) {
    return {
      line: `${flagName(error.field)}: ${showValue(error.value)} is not usable; ${error.remedy}`,
      status: STATUS.badUsage,
    };
  }
  if (code === 'BAD_REQUEST') return { line: text, status: STATUS.badUsage };
  if (code === 'INTERNAL_SERVER_ERROR') {
    return { line: `${text}; see engine.log in its data directory`, status: STATUS.failed };
  }
  return { line: text, status: STATUS.failed };
}

function isFieldTrouble(data: unknown): data is { field: string; value: unknown; remedy: string } {
  return typeof data === 'object' && data !== null && 'field' in data && 'value' in data && 'remedy' in data;
}
