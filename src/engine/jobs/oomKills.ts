import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How often the kernel's OOM killer has acted; null: that cannot be read here. */
interface OomKills {
  /** On the whole machine, since it was started. */
  readonly machine: number | null;
  /** In the engine's own control group, in which its jobs are as well. */
  readonly group: number | null;
}

const NOTE = 'oom-kills';

/** Writes down beside a launch how often the OOM killer had acted before. */
export function noteOomKills(runPath: string): void {
  writeFileSync(join(runPath, NOTE), JSON.stringify(oomKills()));
}

/** Whether the OOM killer has acted since {@link noteOomKills}; null: that cannot be told. */
export function oomKilledSince(runPath: string): boolean | null {
  let before: OomKills;
  try {
    before = JSON.parse(readFileSync(join(runPath, NOTE), 'utf8')) as OomKills;
  } catch {
    // Not written (an older Stint, a full disk) or cut short: then nobody knows.
    return null;
  }
  const now = oomKills();
  const grown = (key: keyof OomKills): boolean | null => {
    const [earlier, later] = [before[key], now[key]];
    return typeof earlier === 'number' && later !== null ? later > earlier : null;
  };
  const answers = [grown('group'), grown('machine')].filter((answer) => answer !== null);
  return answers.length === 0 ? null : answers.includes(true);
}

function oomKills(): OomKills {
  const group = groupFiles().map(countIn);
  return { machine: countIn('/proc/vmstat'), group: group.find((count) => count !== null) ?? null };
}

/** Where the control group of this process counts, in version 2 and in version 1, also inside of a container. */
function groupFiles(): string[] {
  const groups = read('/proc/self/cgroup')?.split('\n') ?? [];
  const pathOf = (pattern: RegExp): string =>
    groups.map((line) => pattern.exec(line)?.[1]).find(Boolean) ?? '';
  const second = pathOf(/^0::(\/.*)$/);
  const first = pathOf(/^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/);
  return [
    join('/sys/fs/cgroup', second, 'memory.events'),
    join('/sys/fs/cgroup/memory', first, 'memory.oom_control'),
    '/sys/fs/cgroup/memory/memory.oom_control',
  ];
}

function countIn(path: string): number | null {
  const count = /^oom_kill (\d+)$/m.exec(read(path) ?? '')?.[1];
  return count === undefined ? null : Number(count);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Another kernel, or not for us to read: that count is unknown.
    return null;
  }
}
