import { readdirSync, readFileSync } from 'node:fs';
import { readStart } from './readStart.ts';

/** Clock ticks a second in /proc: 100 on every Linux, whatever the kernel's own rate. */
export const TICKS_PER_S = 100;

/** What `/proc/PID/stat` (proc(5)) says of a process. */
export interface ProcStat {
  readonly pid: number;
  readonly ppid: number;
  /** Session id: survives the death of parents, so orphans of a job are still found. */
  readonly session: number;
  /** R, S, D, T (stopped), Z (zombie), … */
  readonly state: string;
  /** Ticks since the machine started, as text. With the pid it names a process for good. */
  readonly startTime: string;
  /** User and system time so far, of the process itself. Milliseconds. */
  readonly cpuMs: number;
}

/** @param text the content of `/proc/PID/stat`. */
export function parseStat(pid: number, text: string): ProcStat {
  // The name is in parentheses and may hold anything, parentheses included: the third field is the first after it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    state: fields[0]!,
    ppid: Number(fields[1]),
    session: Number(fields[3]),
    startTime: fields[19]!,
    cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_S,
  };
}

/** Null when the process is gone, or there is no /proc. */
export function statOf(pid: number): ProcStat | null {
  let text: string;
  try {
    text = readStart(`/proc/${pid}/stat`);
  } catch {
    // It ended: that is the answer.
    return null;
  }
  return parseStat(pid, text);
}

/** The children that a process has now; none when it is gone. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((tid) =>
      parseChildren(readFileSync(`/proc/${pid}/task/${tid}/children`, 'latin1')),
    );
  } catch {
    // It ended meanwhile.
    return [];
  }
}

/** @param text the content of `/proc/PID/task/TID/children`. */
export const parseChildren = (text: string): number[] => text.split(' ').filter(Boolean).map(Number);
