import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startSlurm } from '../../test/engine/support/slurm.ts';
import { PEER_NEEDS } from '../lib/needs.ts';
import { ROOT } from '../lib/run.ts';
import { type BenchHost, startHost } from './host.ts';

const run = promisify(execFile);

/** A queue with so many slots, empty at first. */
export interface Queue {
  readonly name: string;
  /** How jobs are submitted to it, in a few words. */
  readonly by: string;
  /** @returns false: it has as many jobs as it can hold. */
  submit(script: string): Promise<boolean>;
  /** Its daemons; null: the same as those of the queue before, which were looked at. */
  pids(): readonly number[] | null;
  dispose(): Promise<void>;
}

/** The queues that are compared, and why one cannot be started here; null: it can. */
export const PEERS: readonly {
  start(slots: number): Promise<Queue>;
  readonly lacking: () => string | null;
}[] = [
  { start: (slots) => stint(slots, false), lacking: () => null },
  { start: (slots) => stint(slots, true), lacking: () => null },
  { start: taskSpooler, lacking: () => lacking('task-spooler') },
  { start: slurm, lacking: () => lacking('slurm-wlm munge') },
];

function lacking(debian: string): string | null {
  const need = PEER_NEEDS.find((one) => one.debian === debian);
  return need === undefined || need.present() ? null : need.what;
}

/** @param byCommand by `stint submit`, a process each; else over the socket, as the console, scripts and notebooks do. */
async function stint(slots: number, byCommand: boolean): Promise<Queue> {
  const host = await startHost(['--devices', `virtual:${slots}`, '--policy', 'dqn']);
  return {
    name: byCommand ? 'Stint by its command' : 'Stint',
    by: byCommand ? 'stint submit' : 'its socket',
    async submit(script) {
      if (byCommand) await submitByCommand(host, script);
      else await host.client.jobs.submit({ command: ['sh', '-c', script], cwd: '/', user: 'bench' });
      return true;
    },
    pids: () => (byCommand ? null : [host.pid]),
    dispose: () => host.dispose(),
  };
}

/** As it is installed: what `npm run build` has made. */
const submitByCommand = ({ home }: BenchHost, script: string) =>
  run(
    process.execPath,
    [
      join(ROOT, 'out', 'cli', 'bin.js'),
      'submit',
      '--data',
      home,
      '--no-preflight',
      '--',
      'sh',
      '-c',
      script,
    ],
    { cwd: '/' },
  );

async function taskSpooler(slots: number): Promise<Queue> {
  const directory = mkdtempSync(join(tmpdir(), 'stint-tsp-'));
  mkdirSync(join(directory, 'out'));
  const env = {
    ...process.env,
    TS_SOCKET: join(directory, 'socket'),
    TS_SLOTS: String(slots),
    TMPDIR: join(directory, 'out'),
  };
  await run('tsp', ['-S', String(slots)], { env });
  const mark = `TS_SOCKET=${env.TS_SOCKET}`;
  const ofIt = (): number[] =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && isSpooler(name, mark))
      .map(Number);
  const daemon = ofIt();
  return {
    name: 'task-spooler',
    by: 'tsp',
    async submit(script) {
      try {
        // -B: without it, it would wait for a place in a queue that holds as many as it can.
        await run('tsp', ['-B', 'sh', '-c', script], { env, cwd: '/' });
        return true;
      } catch (error) {
        if ((error as { code?: unknown }).code === 2) return false;
        throw error;
      }
    },
    pids: () => daemon,
    async dispose() {
      // Each waiting job is a process, and would get its turn once those before it are ended. The daemon is the first.
      for (const pid of [...daemon, ...ofIt()]) endOne(pid);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function endOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

function isSpooler(pid: string, mark: string): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    return environment.includes(mark);
  } catch {
    // It is another user's, or ended while we looked.
    return false;
  }
}

async function slurm(slots: number): Promise<Queue> {
  const node = await startSlurm(slots);
  const env = { ...process.env, SLURM_CONF: node.conf };
  return {
    name: 'Slurm',
    by: 'sbatch',
    async submit(script) {
      const args = ['--quiet', '--output=/dev/null', '--chdir=/', `--wrap=${script}`];
      await run('sbatch', args, { env, cwd: '/' });
      return true;
    },
    pids: () => node.pids,
    dispose: () => node.stop(),
  };
}
