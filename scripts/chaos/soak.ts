import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRng } from '../../src/domain/rng.ts';
import { MOST_KEYS } from '../../src/scheduler/durationModel.ts';
import { type DatabaseGrowth, databaseGrowth } from './databaseGrowth.ts';
import { type Slope, slopeOf } from './slope.ts';
import { calm } from './stir.ts';
import { type Findings, verify } from './verify.ts';
import { World } from './world.ts';

export interface SoakPoint {
  readonly jobs: number;
  /** Days by the engine's clock since the beginning. */
  readonly day: number;
  /** What is in use on the engine's heap once its garbage is collected. */
  readonly heapMib: number;
  /** The same of memory beside the heap: buffers. */
  readonly externalMib: number;
  /** Resident memory of the engine's own process. */
  readonly rssMib: number;
  /** Files and sockets that it has open. */
  readonly openFiles: number;
  /** The database with its WAL. */
  readonly databaseMib: number;
}

export interface Soak {
  readonly points: readonly SoakPoint[];
  readonly findings: Findings;
  /**
   * Of what is in use on the heap and beside it, of resident memory and of the database, over the second half: MiB a thousand
   * jobs; null where it is too short to tell.
   */
  readonly slopes: Readonly<Record<'used' | 'rss' | 'database', Slope>> | null;
  /** So much faster did the clock on the wall go. */
  readonly speed: number;
  readonly growth: DatabaseGrowth;
}

const DAYS = 7;
const POINTS = 50;
/** What the engine remembers of commands is full after so many jobs, each of a command of its own: only then can it be flat. */
export const FULL_AFTER = MOST_KEYS;
/** Points of fewer tell nothing of growth. */
const LEAST_POINTS = 5;
/** So many jobs are in the system at once. */
const AT_ONCE = 40;
/** Memory that surely grows by more than this part of itself in the second half of the week is not flat. */
const MOST_GROWTH = 0.05;
const MIB = 2 ** 20;

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
        await world.bustle(batch);
        await calm(world);
        done += batch;
        const simulatedMs = (DAYS * 86_400_000 * done) / count;
        writeFileSync(world.clockFile, String(Math.round(simulatedMs - (Date.now() - beginMs))));
        while ((await waiting(world)) > AT_ONCE) await sleep(100);
      }
      const { heapUsed, external, rss } = await world.memory();
      points.push({
        jobs: done,
        day: (DAYS * done) / count,
        heapMib: heapUsed / MIB,
        externalMib: external / MIB,
        rssMib: rss / MIB,
        openFiles: readdirSync(`/proc/${world.pid}/fd`).length,
        databaseMib: (size('stint.db') + size('stint.db-wal')) / MIB,
      });
      onPoint(points.at(-1)!);
    }
    const speed = (points.at(-1)!.day * 86_400_000) / (Date.now() - beginMs);
    const findings = await verify(world);
    const note = (what: string): void => {
      findings.counts.wrong++;
      findings.details.push(`wrong: ${what}`);
    };
    const half = points.slice(Math.floor(points.length / 2)).filter(({ jobs }) => jobs >= FULL_AFTER);
    const slopes = half.length < LEAST_POINTS ? null : slopesOf(half, note);
    const growth = databaseGrowth(join(world.home, 'stint.db'));
    growth.wrong.forEach(note);
    return { points, findings, slopes, speed, growth };
  } finally {
    await world.dispose();
  }
}

/** @param note told what is not flat. */
function slopesOf(half: readonly SoakPoint[], note: (what: string) => void): NonNullable<Soak['slopes']> {
  const slope = (of: (point: SoakPoint) => number): Slope =>
    slopeOf(half.map((point) => [point.jobs / 1000, of(point)] as const));
  const usedOf = ({ heapMib, externalMib }: SoakPoint): number => heapMib + externalMib;
  const slopes = {
    used: slope(usedOf),
    rss: slope(({ rssMib }) => rssMib),
    database: slope(({ databaseMib }) => databaseMib),
  };
  const [first, last] = [half[0]!, half.at(-1)!];
  const span = (last.jobs - first.jobs) / 1000;
  if (slopes.used.low * span > MOST_GROWTH * usedOf(first))
    note(
      `what the engine has in use grew by ${(slopes.used.slope * span).toFixed(1)} MiB in the second half`,
    );
  if (slopes.rss.low * span > MOST_GROWTH * first.rssMib)
    note(`its resident memory grew by ${(slopes.rss.slope * span).toFixed(1)} MiB in the second half`);
  if (last.openFiles > first.openFiles + 20) note('open files became ever more');
  return slopes;
}

async function waiting(world: World): Promise<number> {
  const statuses = ['queued', 'starting', 'running'] as const;
  return (await world.patiently((client) => client.jobs.list({ statuses: [...statuses], limit: 1 }))).total;
}
