import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRng } from '../../src/domain/rng.ts';
import { type Findings, verify } from './verify.ts';
import { World } from './world.ts';

export interface SoakPoint {
  readonly jobs: number;
  /** Days by the engine's clock since the beginning. */
  readonly day: number;
  /** Resident memory of the engine's own process. */
  readonly rssMib: number;
  /** The database with its WAL. */
  readonly databaseMib: number;
}

export interface Soak {
  readonly points: readonly SoakPoint[];
  readonly findings: Findings;
  /** Memory at the end of the soak against that at its middle: the mean of the last against the third fifth. */
  readonly growth: number;
}

const DAYS = 7;
const POINTS = 25;
/** So many jobs are in the system at once. */
const AT_ONCE = 40;
/** More than this from the middle to the end is no noise of a collector. */
const MOST_GROWTH = 1.2;

/**
 * A week of the engine's clock in which `count` real processes are submitted, run and end: the clock on its wall goes as
 * much faster as that takes less time. What runs by the monotonic clock (timers, the learner's sleep) goes at its own pace.
 */
export async function soak(
  count: number,
  seed: number,
  onPoint: (point: SoakPoint) => void,
  signal?: AbortSignal,
): Promise<Soak> {
  const world = new World(seededRng(seed));
  const points: SoakPoint[] = [];
  const size = (name: string): number =>
    statSync(join(world.home, name), { throwIfNoEntry: false })?.size ?? 0;
  try {
    await world.start();
    const beginMs = Date.now();
    let done = 0;
    for (let point = 1; point <= POINTS && !signal?.aborted; point++) {
      const upTo = Math.round((count * point) / POINTS);
      while (done < upTo) {
        const batch = Math.min(20, upTo - done);
        await world.submitSome(batch);
        done += batch;
        const simulatedMs = (DAYS * 86_400_000 * done) / count;
        writeFileSync(world.clockFile, String(Math.round(simulatedMs - (Date.now() - beginMs))));
        while ((await waiting(world)) > AT_ONCE) await sleep(100);
      }
      const status = readFileSync(`/proc/${world.pid}/status`, 'latin1');
      const rssMib = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
      const databaseMib = (size('stint.db') + size('stint.db-wal')) / 2 ** 20;
      points.push({ jobs: done, day: (DAYS * done) / count, rssMib, databaseMib });
      onPoint(points.at(-1)!);
    }
    const findings = await verify(world);
    const mean = (some: readonly SoakPoint[]): number =>
      some.reduce((sum, one) => sum + one.rssMib, 0) / Math.max(1, some.length);
    const fifth = Math.floor(points.length / 5);
    const growth = mean(points.slice(-fifth)) / mean(points.slice(2 * fifth, 3 * fifth));
    if (growth > MOST_GROWTH) {
      findings.counts.wrong++;
      findings.details.push(`wrong: the engine's memory grew ${growth.toFixed(2)}-fold in the second half`);
    }
    return { points, findings, growth };
  } finally {
    await world.dispose();
  }
}

async function waiting(world: World): Promise<number> {
  const statuses = ['queued', 'starting', 'running'] as const;
  return (await world.patiently((client) => client.jobs.list({ statuses: [...statuses], limit: 1 }))).total;
}
