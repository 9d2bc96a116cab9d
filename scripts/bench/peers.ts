import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installNeeds, PEER_NEEDS } from '../lib/needs.ts';
import { usageOfTree } from './host.ts';
import { type Figure, quantile } from './measure.ts';
import { PEERS, type Queue } from './peerQueues.ts';

const SLOTS = 2;
const IDLE_S = 10;

/** How much is asked of each. No queue is asked for one figure for longer than `longestMs`: Slurm may take a second for each job. */
interface Amount {
  readonly alone: number;
  readonly burst: number;
  readonly behind: number;
  readonly longestMs: number;
}
const FULL: Amount = { alone: 1000, burst: 200, behind: 1000, longestMs: 120_000 };
const QUICK: Amount = { alone: 100, burst: 20, behind: 200, longestMs: 10_000 };
/** These warm up whatever wants that, and are not counted. */
const WARMING = 5;

/**
 * Stint beside task-spooler and a Slurm of one node, in the same run and with the same jobs: a shell that writes down when it
 * began. What is not installed is left out, and said.
 */
export async function peers(quick: boolean): Promise<Figure[]> {
  installNeeds(PEER_NEEDS);
  const figures: Figure[] = [];
  for (const { start, lacking } of PEERS) {
    const missing = lacking();
    if (missing !== null) {
      console.error(`  left out, ${missing}`);
      continue;
    }
    const queue = await start(SLOTS);
    const marks = mkdtempSync(join(tmpdir(), 'stint-peers-'));
    try {
      figures.push(...(await measured(queue, marks, quick ? QUICK : FULL)));
    } finally {
      await queue.dispose();
      rmSync(marks, { recursive: true, force: true });
    }
  }
  return figures;
}

async function measured(queue: Queue, marks: string, amount: Amount): Promise<Figure[]> {
  const { name, by } = queue;
  const script = (mark: string): string =>
    `date +%s%N >${marks}/${mark}.tmp; mv ${marks}/${mark}.tmp ${marks}/${mark}`;
  const figure = (what: string, unit: string, value: number, how: string): Figure => ({
    what: `${name}: ${what}`,
    unit,
    values: [value],
    target: null,
    how,
  });
  const say = (what: string): void => console.error(`  ${name}: ${what}`);

  const pids = queue.pids();
  const idle = async (when: string): Promise<Figure[]> => {
    if (pids === null) return [];
    const { cpuShare, rssMib } = await idleCost(pids);
    const how = `all its daemons over ${IDLE_S} s`;
    return [
      figure(`idle ${when}, CPU`, '% of a core', 100 * cpuShare, how),
      figure(`idle ${when}, resident`, 'MiB', rssMib, how),
    ];
  };
  const fresh = await idle('when started');

  say('submit to start');
  const latencies: number[] = [];
  let untilMs = Number.POSITIVE_INFINITY;
  for (let i = -WARMING; i < amount.alone && performance.now() < untilMs; i++) {
    const calledMs = performance.timeOrigin + performance.now();
    await queue.submit(script(`one${i}`));
    const latency = (await begun(join(marks, `one${i}`))) - calledMs;
    if (i >= 0) latencies.push(latency);
    // What warms up takes nothing of the time for what counts: it once took all of it.
    else if (i === -1) untilMs = performance.now() + amount.longestMs;
    if (i > 0 && i % 200 === 0) say(`${i} of ${amount.alone}`);
  }
  const alone = `${latencies.length} jobs one after another on idle slots, by ${by}`;
  const submitted = [
    figure('submit to start, p50', 'ms', quantile(latencies, 0.5), alone),
    figure('submit to start, p99', 'ms', quantile(latencies, 0.99), alone),
    figure('submit to start, jobs', '', latencies.length, alone),
  ];
  if (pids === null) return submitted;
  const used = await idle('after that');

  say(`${amount.burst} jobs at once`);
  const burstMs = performance.now();
  for (let i = 0; i < amount.burst; i++) await queue.submit(script(`burst${i}`));
  const started = (): number => readdirSync(marks).filter((file) => /^burst\d+$/.test(file)).length;
  const deadlineMs = performance.now() + 3 * amount.longestMs;
  while (started() < amount.burst) {
    if (performance.now() > deadlineMs)
      throw new Error(`${name} started ${started()} of ${amount.burst} jobs only`);
    await sleep(10);
  }
  const burstS = (performance.now() - burstMs) / 1000;

  say('submissions behind full slots');
  for (let i = 0; i < SLOTS; i++) await queue.submit(`sleep ${(10 * amount.longestMs) / 1000}`);
  let behind = 0;
  const startMs = performance.now();
  while (behind < amount.behind && performance.now() - startMs < amount.longestMs) {
    if (!(await queue.submit('true'))) break;
    behind++;
  }
  const rate = behind / ((performance.now() - startMs) / 1000);
  const full = behind < amount.behind && performance.now() - startMs < amount.longestMs;
  return [
    ...submitted,
    figure(
      'submissions',
      '/s',
      rate,
      `${behind} one after another behind full slots, by ${by}${full ? ', and it takes no more' : ''}`,
    ),
    figure(
      `${amount.burst} jobs on ${SLOTS} slots`,
      's',
      burstS,
      'from the first submission to the last start',
    ),
    ...fresh,
    ...used,
  ];
}

/** When a job began, by its own clock, which is ours: Unix milliseconds. Waits for it for a minute. */
async function begun(mark: string): Promise<number> {
  for (const endMs = performance.now() + 60_000; performance.now() < endMs; ) {
    try {
      return Number(readFileSync(mark, 'utf8')) / 1e6;
    } catch {
      await sleep(1);
    }
  }
  throw new Error(`a job did not start within a minute: it would have written ${mark}`);
}

async function idleCost(pids: readonly number[]): Promise<{ cpuShare: number; rssMib: number }> {
  const use = () => pids.map((pid) => usageOfTree(pid));
  await sleep(5000);
  const before = use();
  await sleep(IDLE_S * 1000);
  const after = use();
  return {
    cpuShare: after.reduce((sum, { cpuS }, i) => sum + cpuS - before[i]!.cpuS, 0) / IDLE_S,
    rssMib: after.reduce((sum, { rssMib }) => sum + rssMib, 0),
  };
}
