import { JOB_KINDS } from '../interference.ts';

const SEPARATOR = ' · ';
const KINDS: ReadonlySet<string> = new Set(JOB_KINDS);

/** The name of generated jobs: `<kind> · <command>`. Jobs of the same command have the same name. */
export function commandName(kind: string, command: string): string {
  return `${kind}${SEPARATOR}${command}`;
}

/** Which of the measured kinds a job's name says that it is of; null where it says none. */
export function kindOf(name: string | null): string | null {
  const end = name?.indexOf(SEPARATOR) ?? -1;
  if (name === null || end < 0) return null;
  const kind = name.slice(0, end);
  return KINDS.has(kind) ? kind : null;
}
