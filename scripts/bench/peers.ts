import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startSlurm } from '../../test/engine/support/slurm.ts';
import { installNeeds, PEER_NEEDS } from '../lib/needs.ts';
import { ROOT } from '../lib/run.ts';
import { startHost, usageOfTree } from './host.ts';
import { type Figure, quantile } from './measure.ts';

const run = promisify(execFile);
const SLOTS = 2;
const BURST = 200;
const IDLE_S = 10;
/** No queue is asked for longer than this for one figure: Slurm may take a second for each job. */
const LONGEST_S = 40;

/** A queue with two slots, empty at first. */
interface Queue {
  readonly name: string;
  /** How jobs are submitted to it, in a few words. */
  readonly by: string;
  submit(script: string): Promise<unknown>;
  /** Its daemons; null: the same as those of the queue before, which were looked at. */
  pids(): readonly number[] | null;
  dispose(): Promise<void>;
}

/**
 * Stint beside task-spooler and a Slurm of one node, in the same run and with the same jobs: a shell that writes down when it
 * began. What is not installed is left out, and said.
 */
export async function peers(quick: boolean): Promise<Figure[]> {
  installNeeds(PEER_NEEDS);
  const figures: Figure[] = [];
  const queues: (readonly [() => Promise<Queue>, string | null])[] = [
    [() => stint(false), null],
    [() => stint(true), null],
    [taskSpooler, lacking('task-spooler')],
    [slurm, lacking('slurm-wlm munge')],
  ];
  for (const [start, missing] of queues) {
    if (missing !== null) {
      console.error(`  left out, ${missing}`);
      continue;
    }
    const queue = await start();
    const marks = mkdtempSync(join(tmpdir(), 'stint-peers-'));
    try {
      console.error(`  ${queue.name} …`);
      figures.push(...(await measured(queue, marks, quick)));
    } finally {
      await queue.dispose();
      rmSync(marks, { recursive: true, force: true });
    }
  }
  return figures;
}

/** Why the queue of this package cannot be measured; null: it can. */
function lacking(debian: string): string | null {
  const need = PEER_NEEDS.find((one) => one.debian === debian);
  return need === undefined || need.present() ? null : need.what;
}

async function measured(queue: Queue, marks: string, quick: boolean): Promise<Figure[]> {
  const { name, by } = queue;
  const script = (mark: string): string =>
    `date +%s%N >${marks}/${mark}.tmp; mv ${marks}/${mark}.tmp ${marks}/${mark}`;
  const begun = async (mark: string): Promise<number> => {
    for (;;) {
      try {
        return Number(readFileSync(join(marks, mark), 'utf8')) / 1e6;
      } catch {
        await sleep(1);
      }
    }
  };
  const figure = (what: string, unit: string, value: number, how: string): Figure => ({
    what: `${name}: ${what}`,
    unit,
    values: [value],
    target: null,
    how,
  });

  const latencies: number[] = [];
  const most = quick ? 100 : 1000;
  const longestMs = (quick ? LONGEST_S / 6 : LONGEST_S) * 1000;
  const until = performance.now() + longestMs;
  for (let i = -5; i < most && performance.now() < until; i++) {
    const calledMs = performance.timeOrigin + performance.now();
    await queue.submit(script(`one${i}`));
    const latency = (await begun(`one${i}`)) - calledMs;
    // The first few warm up whatever wants that.
    if (i >= 0) latencies.push(latency);
  }
  const alone = `${latencies.length} jobs one after another on idle slots, by ${by}`;

  const submitted = [
    figure('submit to start, p50', 'ms', quantile(latencies, 0.5), alone),
    figure('submit to start, p99', 'ms', quantile(latencies, 0.99), alone),
  ];
  const idlePids = queue.pids();
  if (idlePids === null) return submitted;
  const use = () => idlePids.map((pid) => usageOfTree(pid));
  await sleep(3000);
  const before = use();
  await sleep(IDLE_S * 1000);
  const after = use();
  const cpuS = after.reduce((sum, { cpuS }, i) => sum + cpuS - before[i]!.cpuS, 0);
  const rss = after.reduce((sum, { rssMib }) => sum + rssMib, 0);

  const burst = quick ? BURST / 10 : BURST;
  const burstMs = performance.now();
  for (let i = 0; i < burst; i++) await queue.submit(script(`burst${i}`));
  while (readdirSync(marks).filter((file) => /^burst\d+$/.test(file)).length < burst) await sleep(10);
  const burstS = (performance.now() - burstMs) / 1000;

  for (let i = 0; i < SLOTS; i++) await queue.submit(`sleep ${10 * LONGEST_S}`);
  let behind = 0;
  const many = quick ? 200 : 1000;
  const startMs = performance.now();
  while (behind < many && performance.now() - startMs < longestMs) {
    await queue.submit('true');
    behind++;
  }
  const rate = behind / ((performance.now() - startMs) / 1000);
  return [
    ...submitted,
    figure('submissions', '/s', rate, `${behind} one after another behind full slots, by ${by}`),
    figure(`${burst} jobs on ${SLOTS} slots`, 's', burstS, 'from the first submission to the last start'),
    figure('idle, CPU', '% of a core', (100 * cpuS) / IDLE_S, `all its daemons over ${IDLE_S} s`),
    figure('idle, resident', 'MiB', rss, 'all its daemons'),
  ];
}

/** @param byCommand by `stint submit`, a process each; else over the socket, as the console, scripts and notebooks do. */
async function stint(byCommand: boolean): Promise<Queue> {
  const host = await startHost(['--devices', `virtual:${SLOTS}`, '--policy', 'dqn']);
  const main = join(ROOT, 'src', 'cli', 'main.ts');
  return {
    name: byCommand ? 'Stint by its command' : 'Stint',
    by: byCommand ? 'stint submit' : 'its socket',
    submit: (script) =>
      byCommand
        ? run(
            process.execPath,
            [main, 'submit', '--data', host.home, '--no-preflight', '--', 'sh', '-c', script],
            {
              cwd: '/',
            },
          )
        : host.client.jobs.submit({ command: ['sh', '-c', script], cwd: '/', user: 'bench' }),
    pids: () => (byCommand ? null : [host.pid]),
    dispose: () => host.dispose(),
  };
}

async function taskSpooler(): Promise<Queue> {
  const directory = mkdtempSync(join(tmpdir(), 'stint-tsp-'));
  mkdirSync(join(directory, 'out'));
  const env = {
    ...process.env,
    TS_SOCKET: join(directory, 'socket'),
    TS_SLOTS: String(SLOTS),
    TMPDIR: join(directory, 'out'),
  };
  await run('tsp', ['-S', String(SLOTS)], { env });
  const mark = `TS_SOCKET=${env.TS_SOCKET}`;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isDaemon(name, mark));
  return {
    name: 'task-spooler',
    by: 'tsp',
    submit: (script) => run('tsp', ['sh', '-c', script], { env, cwd: '/' }),
    pids: () => pids.map(Number),
    async dispose() {
      const { stdout } = await run('tsp', [], { env, maxBuffer: 2 ** 26 });
      for (const [, id] of stdout.matchAll(/^(\d+)\s+running/gm)) await run('tsp', ['-k', id!], { env });
      await run('tsp', ['-K'], { env });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function isDaemon(pid: string, mark: string): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'tsp' && environment.includes(mark);
  } catch {
    // It is another user's, or ended while we looked.
    return false;
  }
}

async function slurm(): Promise<Queue> {
  const node = await startSlurm(SLOTS);
  const env = { ...process.env, SLURM_CONF: node.conf };
  return {
    name: 'Slurm',
    by: 'sbatch',
    submit: (script) =>
      run('sbatch', ['--quiet', '--output=/dev/null', '--chdir=/', `--wrap=${script}`], { env, cwd: '/' }),
    pids: () => node.pids,
    dispose: () => node.stop(),
  };
}
