import { FieldError } from './errors.ts';
import type { Ulimits } from './ulimitsSchema.ts';
import { parseDurationS, parseMemoryMib } from './units.ts';

/**
 * Limits that the kernel keeps of each process of a job (setrlimit), by the names of /etc/security/limits.conf. `flag`: what
 * a shell's ulimit calls it. `unit`: of the number; a shell counts in `blocks` of 1,024 bytes.
 */
export const ULIMITS = {
  nofile: { flag: 'n', unit: 'count', what: 'open files' },
  nproc: { flag: 'u', unit: 'count', what: 'processes of the user' },
  as: { flag: 'v', unit: 'bytes', what: 'address space' },
  data: { flag: 'd', unit: 'bytes', what: 'data segment' },
  stack: { flag: 's', unit: 'bytes', what: 'stack' },
  core: { flag: 'c', unit: 'bytes', what: 'core dumps' },
  fsize: { flag: 'f', unit: 'bytes', what: 'size of files that it writes, its log included' },
  memlock: { flag: 'l', unit: 'bytes', what: 'locked memory' },
  cpu: { flag: 't', unit: 'seconds', what: 'processor time' },
} as const;
export type UlimitName = keyof typeof ULIMITS;

/** As many call it. */
const OTHER_NAMES: Readonly<Record<string, UlimitName>> = { mem: 'as', files: 'nofile' };
export const ULIMIT_NAMES = Object.keys(ULIMITS) as UlimitName[];

/**
 * Reads `nofile=4096`, `as=32GiB`, `cpu=2h` or `core=0:unlimited` (soft and hard). A number alone is of files, processes, bytes
 * or seconds.
 * @throws {FieldError} naming `field`.
 */
export function parseUlimit(text: string, field: string): Ulimits {
  const match = /^([a-z]+)=([^:]+)(?::([^:]+))?$/.exec(text.trim());
  const name =
    match === null ? undefined : (OTHER_NAMES[match[1]!] ?? ULIMIT_NAMES.find((one) => one === match[1]));
  if (match === null || name === undefined) {
    throw new FieldError(
      field,
      text,
      `give NAME=SOFT[:HARD], such as nofile=4096, with one of ${ULIMIT_NAMES.join(', ')}`,
    );
  }
  const soft = boundOf(name, match[2]!, field);
  return { [name]: { soft, hard: match[3] === undefined ? soft : boundOf(name, match[3], field) } };
}

function boundOf(name: UlimitName, text: string, field: string): number | null {
  if (text === 'unlimited') return null;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const { unit } = ULIMITS[name];
  if (unit === 'bytes') return parseMemoryMib(text, field) * 1024 * 1024;
  if (unit === 'seconds') return Math.ceil(parseDurationS(text, field));
  throw new FieldError(field, text, 'give a whole number, or unlimited');
}

/** For a shell: the flag of its ulimit, soft and hard, in its own units. */
export function shellUlimits(limits: Ulimits): string {
  return Object.entries(limits)
    .map(([name, { soft, hard }]) => {
      const { flag, unit } = ULIMITS[name as UlimitName];
      const shown = (value: number | null): string =>
        value === null ? 'unlimited' : String(unit === 'bytes' ? Math.ceil(value / 1024) : value);
      return `${flag}:${shown(soft)}:${shown(hard)}:${name}`;
    })
    .join(' ');
}

/** `nofile=1024:4096, as=unlimited`; bytes as bytes. */
export const ulimitsText = (limits: Ulimits): string =>
  Object.entries(limits)
    .map(([name, { soft, hard }]) => {
      const shown = (value: number | null): string => String(value ?? 'unlimited');
      return `${name}=${shown(soft)}${soft === hard ? '' : `:${shown(hard)}`}`;
    })
    .join(', ');
