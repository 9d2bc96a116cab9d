import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Connection, connect } from '../../src/cli/connect.ts';
import { ROOT } from '../lib/run.ts';

/** An engine in a process of its own, as its users run it, with a client on its socket. */
export interface BenchHost extends Pick<Connection, 'client'> {
  readonly pid: number;
  readonly url: string;
  /** Ends its jobs and itself, and removes its data. */
  dispose(): Promise<void>;
}

export async function startHost(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<BenchHost> {
  const home = mkdtempSync(join(tmpdir(), 'stint-bench-'));
  const main = join(ROOT, 'src', 'cli', 'main.ts');
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
    async dispose() {
      // The last first, so that none starts because the one before it went.
      const { jobs } = await client.jobs.list({
        limit: 10_000,
        statuses: ['queued', 'held', 'starting', 'running'],
      });
      for (const job of jobs.reverse()) await client.jobs.cancel({ id: job.id });
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

const TICKS_PER_S = 100;
const PAGE_MIB = 4096 / 2 ** 20;

/** What a process and all below it have used. Linux only. */
export function usageOfTree(root: number): Usage {
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
            ppid: fields[1]!,
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
