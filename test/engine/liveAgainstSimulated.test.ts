import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { PolicyName } from '../../src/domain/policyNames.ts';
import { seededRng } from '../../src/domain/rng.ts';
import { type RecordedJob, type Recording, recordingOf } from '../../src/lab/replay/record.ts';
import { asItWas, replayUnder } from '../../src/lab/replay/replayRun.ts';
import { replayWorld } from '../../src/lab/replay/replayWorld.ts';
import { labPolicy } from '../../src/scheduler/policies/heuristics.ts';
import type { Policy } from '../../src/scheduler/policy.ts';
import { simulate } from '../../src/simulator/machine.ts';
import { type BurstJob, burst, DEVICES, VRAM_MIB } from './support/burst.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

/**
 * Seeds of bursts in which ends stay 0.16 s apart whether a start takes 10 or 90 ms, of which some thousand were tried.
 */
const SEEDS = { fifo: 26, 'first-fit': 1044, priority: 624 } as const satisfies Partial<
  Record<PolicyName, number>
>;
/** More than any of a burst. */
const LONGEST_JOB_MS = 10_000;
const devicesMib = Array.from({ length: DEVICES }, () => VRAM_MIB);

it.each(Object.keys(SEEDS) as (keyof typeof SEEDS)[])(
  'the simulator starts jobs as the engine did under %s, and is right about their completion times',
  // The replay is given the machine's own delays, but not what else it ran: where that was much, once more.
  { timeout: 120_000, retry: 2 },
  async (name) => {
    const policy = labPolicy(name);
    const jobs = burst(policy, SEEDS[name]);
    const home = temporaryHome();
    const stint = await startEngine({ home, devices: `virtual:${DEVICES}x${VRAM_MIB}`, policy: name });
    try {
      const ids = await runBurst(stint, jobs);
      const { jobs: history } = await stint.client.history.jobs({ fromMs: 0, toMs: Date.now() + 1000 });
      expect(history.map(({ status }) => status)).toEqual(ids.map(() => 'succeeded'));
      const looks = await looksOf(stint, ids);
      const launched = looks.flatMap(({ jobIds }) => jobIds);
      const recording = recordingOf(history, () => true);
      const happened = asItWas({ ...recording, rejected: 0 }, [
        'virtual-0',
        'virtual-1',
        'virtual-2',
        'virtual-3',
      ]);

      // The burst is worth something: each job once, they waited longer than they ran, and not all took their turn.
      expect(launched.toSorted((a, b) => a - b)).toEqual(ids);
      expect(happened.row.mean_jct_s).toBeGreaterThan(3 * meanOf(jobs.map(({ sleepS }) => sleepS)));
      if (name === 'fifo') expect(launched).toEqual(ids);
      else expect(launched).not.toEqual(ids);

      const seen = await asSeen(stint, recording, looks);
      expect(simulatedLaunches(seen.jobs, policy)).toEqual(launched);

      const replayed = { jobs: seen.withStart, originMs: recording.originMs, rejected: 0 };
      const { row } = replayUnder(policy, replayed, { devicesMib, startS: 0 }, happened, 1);
      const both = `${row.mean_jct_s} s simulated, ${happened.row.mean_jct_s} s live`;
      expect(Math.abs(row.mean_jct_change!), both).toBeLessThan(0.05);
    } finally {
      await stint.engine.stop();
      removeHome(home);
    }
  },
);

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** @returns the ids of its jobs when all are over. */
async function runBurst(stint: TestEngine, jobs: readonly BurstJob[]): Promise<number[]> {
  const startMs = performance.now();
  const ids: number[] = [];
  for (const { atS, sleepS, gpus, user, priority } of jobs) {
    await delay(Math.max(0, startMs + 1000 * atS - performance.now()));
    const job = await stint.submit(['sleep', sleepS.toFixed(3)], { gpus, user, priority });
    ids.push(job.id);
  }
  await eventually(
    () => stint.client.jobs.list({ statuses: ['queued', 'starting', 'running'] }),
    ({ total }) => total === 0,
    'the burst to be over',
    60_000,
  );
  return ids;
}

/** An epoch of the engine in which it started jobs. */
interface Look {
  readonly atMs: number;
  /** In the order of its decisions. */
  readonly jobIds: number[];
  /** Everything that was logged before this number it had seen. */
  seq: number;
}

async function eventsOf(stint: TestEngine, id: number) {
  const events = await stint.client.jobs.events({ id });
  const seqOf = (kind: string): number => events.find(({ event }) => event.kind === kind)!.seq;
  return { submitted: seqOf('submitted'), launching: seqOf('launching'), exited: seqOf('exited') };
}

async function looksOf(stint: TestEngine, ids: readonly number[]): Promise<Look[]> {
  const launchingSeq = new Map<number, number>();
  for (const id of ids) launchingSeq.set(id, (await eventsOf(stint, id)).launching);
  const looks = new Map<number, Look>();
  const decisions = await stint.client.scheduler.decisions({ limit: 1000 });
  for (const { candidates, chosen, epoch, atMs } of decisions.toReversed()) {
    const { action } = candidates[chosen]!;
    if (action.kind !== 'launch') continue;
    const look = looks.get(epoch) ?? { atMs, jobIds: [], seq: launchingSeq.get(action.jobId)! };
    look.jobIds.push(action.jobId);
    looks.set(epoch, look);
  }
  return [...looks.values()];
}

/** A moment as the simulator reckons it without rounding: a 1,024th of a second for each millisecond. */
const exactMs = (atMs: number): number => (atMs * 1000) / 1024;

interface Seen {
  /**
   * The record with each arrival, start and end at the moment of the engine's next look: what it had not seen, it could
   * not decide by. On a busy machine that may be a tenth of a second later, and something else may come in between.
   * No two looks are at one moment, and what one look saw at once is at once for the simulator too: {@link exactMs} from
   * the beginning of the record.
   */
  readonly jobs: RecordedJob[];
  /**
   * The record, with what each start took as a part of the job's time: from its arrival, or the last end that the engine
   * saw before it decided, to the start. That is the real machine's, as the durations are.
   */
  readonly withStart: RecordedJob[];
}

async function asSeen(
  stint: TestEngine,
  { jobs, originMs }: Recording,
  looks: readonly Look[],
): Promise<Seen> {
  const seqs = new Map<number, Awaited<ReturnType<typeof eventsOf>>>();
  for (const { id } of jobs) seqs.set(id, await eventsOf(stint, id));
  const momentOf = new Map<Look, number>();
  let lastMs = -1;
  for (const look of looks) {
    lastMs = Math.max(look.atMs - originMs, lastMs + 1);
    momentOf.set(look, exactMs(lastMs));
  }
  /** After the last look nobody was started, so that the order of what came then tells nothing. */
  const seenMs = (seq: number): number => {
    const next = looks.find((look) => look.seq > seq);
    return next === undefined ? exactMs(lastMs + LONGEST_JOB_MS) : momentOf.get(next)!;
  };
  const seen: RecordedJob[] = [];
  const withStart: RecordedJob[] = [];
  for (const job of jobs) {
    const { submitted, exited } = seqs.get(job.id)!;
    const look = looks.find(({ jobIds }) => jobIds.includes(job.id))!;
    const startedAtMs = momentOf.get(look)!;
    const finishedAtMs = seenMs(exited);
    const readyAtMs = seenMs(submitted);
    seen.push({ ...job, readyAtMs, startedAtMs, finishedAtMs, runS: (finishedAtMs - startedAtMs) / 1000 });
    const ended = jobs.filter(({ id }) => seqs.get(id)!.exited < look.seq).map((other) => other.finishedAtMs);
    const delayMs = job.startedAtMs - Math.max(job.readyAtMs, ...ended);
    withStart.push({ ...job, runS: job.runS + delayMs / 1000 });
  }
  return { jobs: seen.sort((a, b) => a.readyAtMs - b.readyAtMs || a.id - b.id), withStart };
}

/** Whom the simulator starts, in the order of its decisions. */
function simulatedLaunches(jobs: readonly RecordedJob[], policy: Policy): number[] {
  const launched: number[] = [];
  simulate(replayWorld(jobs, 0, { devicesMib, startS: 0 }, false), {
    policy,
    heuristic: policy,
    rng: seededRng(1),
    observer: {
      advance: () => undefined,
      idle: () => undefined,
      decided({ chosen }) {
        if (chosen.kind === 'launch') launched.push(chosen.jobId);
      },
    },
  });
  return launched;
}
