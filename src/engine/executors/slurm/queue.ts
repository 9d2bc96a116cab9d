import { type SlurmCommands, SlurmError } from './commands.ts';

/** A job as Slurm lists it. */
export interface SlurmRow {
  /** Its number, as `scontrol` takes it: `12`, or `12_3` of an array. */
  readonly id: string;
  readonly index: number | null;
  readonly state: string;
  readonly reason: string;
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly nodes: readonly string[];
  /** The mark that was given to it at its submission. */
  readonly token: string;
}

/** Fields of squeue, the mark last: it alone may contain anything. The same in every version, unlike its JSON. */
const FORMAT = '%A|%F|%K|%T|%r|%S|%e|%N|%k';

/**
 * All jobs of this user that Slurm still remembers, those that are over included.
 * @throws {SlurmError} also where the answer is not one.
 */
export async function readQueue(commands: SlurmCommands, user: string): Promise<SlurmRow[]> {
  const text = await commands.run('squeue', [
    '-h',
    '-r',
    '-a',
    '--states=all',
    `--user=${user}`,
    '-o',
    FORMAT,
  ]);
  const rows: SlurmRow[] = [];
  for (const line of text.split('\n')) if (line.trim() !== '') rows.push(rowOf(line));
  return rows;
}

function rowOf(line: string): SlurmRow {
  const parts = line.split('|');
  const [job, base, task, state, reason, start, end, nodes] = parts;
  if (parts.length < 9 || !/^\d+$/.test(job!) || !/^\d+$/.test(base!) || !/^[A-Z_]+$/.test(state!)) {
    throw new SlurmError(`squeue answered with something else than a list: ${line.slice(0, 80)}`, 'unknown');
  }
  const index = /^\d+$/.test(task!) ? Number(task) : null;
  return {
    id: index === null ? job! : `${base}_${index}`,
    index,
    state: state!,
    reason: reason!,
    startMs: secondsMs(start!),
    endMs: secondsMs(end!),
    nodes: hostsOf(nodes!),
    token: parts.slice(8).join('|'),
  };
}

const secondsMs = (text: string): number | null => (/^\d{6,12}$/.test(text) ? Number(text) * 1000 : null);

/** `gpu[1-2,4],cpu1` at its commas outside of brackets: ranges stay as Slurm writes them. */
function hostsOf(text: string): string[] {
  return text.match(/(?:[^,[\]]|\[[^\]]*\])+/g) ?? [];
}

/** How a job ended, as Slurm remembers it. */
export interface SlurmEnd {
  readonly state: string;
  readonly exitCode: number | null;
  readonly reason: string;
}

/** @returns null: it does not remember it. @throws {SlurmError} */
export async function readEnd(commands: SlurmCommands, id: string): Promise<SlurmEnd | null> {
  let text: string;
  try {
    text = await commands.run('scontrol', ['show', 'job', '-o', id]);
  } catch (error) {
    if (error instanceof SlurmError && error.outcome === 'refused') return null;
    throw error;
  }
  const field = (name: string): string | null => new RegExp(`(?:^| )${name}=(\\S*)`).exec(text)?.[1] ?? null;
  const state = field('JobState');
  if (state === null) return null;
  return { state, exitCode: exitCodeOf(field('ExitCode')), reason: field('Reason') ?? 'None' };
}

/**
 * The same from Slurm's accounting, which remembers longer.
 * @returns null: it keeps no accounts, or has none of that job.
 */
export async function readAccount(commands: SlurmCommands, id: string): Promise<SlurmEnd | null> {
  try {
    const text = await commands.run('sacct', ['-n', '-P', '-X', '-j', id, '-o', 'State,ExitCode,Reason']);
    const [state, exitCode, reason] = (text.split('\n')[0] ?? '').split('|');
    // `CANCELLED by 1000`
    const word = /^[A-Z_]+/.exec(state ?? '')?.[0];
    return word === undefined
      ? null
      : { state: word, exitCode: exitCodeOf(exitCode ?? null), reason: reason ?? '' };
  } catch (error) {
    if (error instanceof SlurmError && error.outcome !== 'unknown') return null;
    // "Slurm accounting storage is disabled" comes with what looks like an outage in some versions.
    if (error instanceof SlurmError && /accounting|disabled/i.test(error.message)) return null;
    throw error;
  }
}

/** `3:0`: the code, and the signal that ended it. As a shell gives it. */
function exitCodeOf(text: string | null): number | null {
  const match = /^(\d+):(\d+)$/.exec(text ?? '');
  if (match === null) return null;
  const signal = Number(match[2]);
  return signal > 0 ? Math.min(255, 128 + signal) : Number(match[1]) & 0xff;
}

/** What a Slurm says of itself. */
export interface SlurmFacts {
  readonly version: string;
  readonly cluster: string;
  readonly maxArraySize: number;
  /** For how long it remembers a job that is over. */
  readonly minJobAgeS: number;
}

/** @throws {SlurmError} */
export async function readFacts(commands: SlurmCommands): Promise<SlurmFacts> {
  const text = await commands.run('scontrol', ['show', 'config']);
  const field = (name: string): string | null =>
    new RegExp(`^${name}\\s*= (.*)$`, 'm').exec(text)?.[1]?.trim() ?? null;
  const version = field('SLURM_VERSION');
  if (version === null)
    throw new SlurmError('scontrol answered with something else than its configuration', 'unknown');
  return {
    version,
    cluster: field('ClusterName') ?? '',
    maxArraySize: Number.parseInt(field('MaxArraySize') ?? '', 10) || 1001,
    minJobAgeS: Number.parseInt(field('MinJobAge') ?? '', 10) || 300,
  };
}

/** What the states of Slurm mean here. */
export function meaningOf(state: string): 'pending' | 'running' | 'suspended' | 'ending' | 'over' {
  switch (state) {
    case 'PENDING':
    case 'REQUEUED':
    case 'REQUEUE_FED':
    case 'REQUEUE_HOLD':
    case 'SPECIAL_EXIT':
    case 'RESV_DEL_HOLD':
      return 'pending';
    case 'RUNNING':
    case 'CONFIGURING':
    case 'RESIZING':
    case 'STAGE_OUT':
    case 'SIGNALING':
      return 'running';
    case 'SUSPENDED':
    case 'STOPPED':
      return 'suspended';
    case 'COMPLETING':
      return 'ending';
    default:
      return 'over';
  }
}
