import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Connection, connect } from '../../src/cli/connect.ts';
import { ROOT } from '../lib/run.ts';

/** An engine in a process of its own, as its users run it (built, not from source), with a client on its socket. */
export interface BenchHost extends Pick<Connection, 'client'> {
  readonly pid: number;
  readonly url: string;
  /** The data directory. */
  readonly home: string;
  /** Ends it as a crash would; its data and jobs stay. */
  kill(): Promise<void>;
  /** Ends its jobs and itself, and removes its data. */
  dispose(): Promise<void>;
}

/**
 * @param template a data directory of which it works on a copy; an empty one when it is left out.
 * @param home one that it goes on with.
 */
export async function startHost(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  template?: string,
  home: string = mkdtempSync(join(tmpdir(), 'stint-bench-')),
): Promise<BenchHost> {
  if (template !== undefined) cpSync(template, home, { recursive: true });
  const main = join(ROOT, 'out', 'cli', 'bin.js');
  const child = spawn(process.execPath, [main, 'serve', '--data', home, '--json', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(() => {
      throw new Error('the engine ended before it was ready; its message is above');
    }),
  ])) as [string];
  const { pid, url } = JSON.parse(line) as { pid: number; url: string };
  const connection = await connect(home);
  const { client } = connection;
  return {
    client,
    pid,
    url,
    home,
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
      connection.close();
    },
    async dispose() {
      // Nothing starts because another went.
      await client.scheduler.drain({ on: true });
      const { jobs } = await client.jobs.list({ limit: 10_000, statuses: ['starting', 'running', 'paused'] });
      // One may be over meanwhile.
      for (const { id } of jobs) await client.jobs.cancel({ id }).catch(() => undefined);
      while (
        (await client.jobs.list({ statuses: ['running', 'stopping', 'starting', 'paused'] })).total > 0
      ) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      connection.close();
      child.kill('SIGTERM');
      await once(child, 'exit');
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export interface Usage {
  /** CPU seconds so far. */
  readonly cpuS: number;
  readonly rssMib: number;
}

const commandOf = (pid: string): string =>
  readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');

const TICKS_PER_S = 100;
const PAGE_MIB = 4096 / 2 ** 20;

/** What a process and all below it have used. Linux only. @param without whose command line matches, with all below. */
export function usageOfTree(root: number, without?: RegExp): Usage {
  const entries = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const fields = stat
          .slice(stat.lastIndexOf(')') + 2)
          .split(' ')
          .map(Number);
        return [
          {
            pid: Number(name),
            ppid: without?.test(commandOf(name)) ? -1 : fields[1]!,
            cpuS: (fields[11]! + fields[12]!) / TICKS_PER_S,
            rssMib: fields[21]! * PAGE_MIB,
          },
        ];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
  const members = new Set([root]);
  for (let size = 0; size !== members.size; ) {
    size = members.size;
    for (const entry of entries) if (members.has(entry.ppid)) members.add(entry.pid);
  }
  const tree = entries.filter((entry) => members.has(entry.pid));
  return {
    cpuS: tree.reduce((sum, e) => sum + e.cpuS, 0),
    rssMib: tree.reduce((sum, e) => sum + e.rssMib, 0),
  };
}
