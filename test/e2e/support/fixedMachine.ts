import { implement } from '@orpc/server';
import { contract } from '../../../src/contract/contract.ts';
import type {
  Allocation,
  JobView,
  LoggedEvent,
  Overview,
  SampleSeries,
} from '../../../src/contract/messages.ts';
import type { Decision } from '../../../src/domain/decision.ts';
import type { Device } from '../../../src/domain/device.ts';
import type { Episode } from '../../../src/domain/episode.ts';
import { isTerminal } from '../../../src/domain/job.ts';
import type { StintRouter } from '../../../src/engine/server/rpcSockets.ts';
import { device, job, overview } from '../../renderer/build.ts';

/** A Tuesday morning. */
export const NOW_MS = Date.UTC(2026, 4, 12, 10, 30);
const MINUTE_MS = 60_000;
const ago = (minutes: number): number => NOW_MS - minutes * MINUTE_MS;
const TOTAL_MIB = 24_576;
const GPUS = ['GPU-a', 'GPU-b', 'GPU-c'] as const;
/** The job whose page is looked at. */
export const LOOKED_AT = 41;

const runs = (
  id: number,
  name: string,
  project: string,
  gpu: number,
  mib: number,
  percent: number,
): JobView =>
  job(id, {
    name,
    project,
    command: ['python', 'train.py', '--name', name],
    user: ['ana', 'bo', 'chen'][id % 3]!,
    status: 'running',
    vramMib: mib,
    devices: [GPUS[gpu]!],
    submittedAtMs: ago(60 - id / 2),
    startedAtMs: ago(45 - id / 2),
    readyAtMs: ago(60 - id / 2),
    attempt: 1,
    progress: { fraction: percent / 100, label: `epoch ${percent}/100`, atMs: ago(0.1) },
  });
const waits = (id: number, name: string, project: string, waitingReason: string): JobView =>
  job(id, {
    name,
    project,
    command: ['python', 'train.py', '--name', name],
    user: ['ana', 'bo', 'chen'][id % 3]!,
    vramMib: 12_288,
    priority: id % 3,
    submittedAtMs: ago(20),
    readyAtMs: ago(20),
    waitingReason,
  });

const LIVE = [
  runs(LOOKED_AT, 'text x64', 'language', 0, 9216, 62),
  runs(42, 'spirals x32', 'sweep', 0, 6144, 30),
  runs(43, 'shapes x8', 'vision', 1, 20_480, 85),
];
const WAITING = [
  waits(51, 'compress x64', 'codec', 'it needs 12.0 GiB, and no GPU has as much free'),
  waits(52, 'waves x16', 'forecast', 'it needs 12.0 GiB, and no GPU has as much free'),
  waits(53, 'text x32', 'language', 'it needs 12.0 GiB, and no GPU has as much free'),
  waits(54, 'spirals x64', 'sweep', 'it needs 12.0 GiB, and no GPU has as much free'),
];
const OVER = Array.from({ length: 30 }, (_, i): JobView => {
  const failed = i % 7 === 3;
  const endedMs = ago(70 + 95 * i);
  return job(40 - i, {
    name: ['evaluate', 'pretrain', 'distil'][i % 3]!,
    project: ['language', 'vision', 'codec', 'sweep'][i % 4]!,
    user: ['ana', 'bo', 'chen'][i % 3]!,
    status: failed ? 'failed' : 'succeeded',
    exitCode: failed ? 1 : 0,
    cause: failed ? 'exited with code 1' : null,
    devices: [GPUS[i % 2]!],
    submittedAtMs: endedMs - 90 * MINUTE_MS,
    readyAtMs: endedMs - 90 * MINUTE_MS,
    startedAtMs: endedMs - (20 + 5 * (i % 9)) * MINUTE_MS,
    finishedAtMs: endedMs,
    attempt: 1,
  });
});
const JOBS = [...LIVE, ...WAITING, ...OVER];

const DEVICES = GPUS.map((id, index): Device => {
  const holders = LIVE.filter(({ devices }) => devices.includes(id));
  return device({
    id,
    index,
    kind: 'nvidia',
    name: 'NVIDIA RTX 4090',
    memoryTotalMib: TOTAL_MIB,
    holders: holders.map(({ id: jobId, vramMib }) => ({
      jobId,
      reservedMib: vramMib ?? 0,
      usedMib: vramMib,
    })),
    reading: {
      atMs: NOW_MS,
      memoryUsedMib: holders.reduce((sum, { vramMib }) => sum + (vramMib ?? 0), 300),
      ...figuresAt(index, NOW_MS),
      powerLimitW: 450,
      processes: [],
    },
  });
});

function figuresAt(index: number, atMs: number) {
  const wave = Math.sin(atMs / 40_000 + 2 * index);
  const busy = index < 2;
  return {
    utilisation: busy ? 0.85 + 0.1 * wave : 0,
    temperatureC: busy ? 66 + 4 * wave : 34,
    powerW: busy ? 340 + 40 * wave : 22,
    smClockMhz: busy ? 2520 - 30 * wave : 210,
  };
}

const SAMPLES = DEVICES.map(
  ({ id, index, reading }): SampleSeries => ({
    deviceId: id,
    readings: Array.from({ length: 120 }, (_, i) => {
      const atMs = NOW_MS - (119 - i) * 5000;
      return { atMs, memoryUsedMib: reading!.memoryUsedMib, powerLimitW: 450, ...figuresAt(index, atMs) };
    }),
  }),
);

const ALLOCATIONS = [...LIVE, ...OVER].flatMap(
  ({ id, name, project, user, status, devices, startedAtMs, finishedAtMs }): Allocation[] =>
    devices.map((deviceId) => ({
      jobId: id,
      name,
      project,
      user,
      status,
      deviceId,
      startMs: startedAtMs!,
      endMs: finishedAtMs,
    })),
);

const DECISIONS = LIVE.map((about, i): Decision => {
  const launch = { kind: 'launch', jobId: about.id, deviceIds: about.devices } as const;
  return {
    id: 90 - i,
    atMs: about.startedAtMs!,
    epoch: 90 - i,
    episodeId: 12,
    policy: 'dqn',
    policyVersion: 'second-wind',
    snapshotHash: '0'.repeat(64),
    candidates: [
      { action: launch, score: 1.25 - i / 10, vetoes: [] },
      { action: { kind: 'wait' }, score: 0.5, vetoes: [] },
    ],
    candidateCount: 2,
    chosen: 0,
    exploration: { epsilon: 0.02, explored: false },
    fallback: null,
    heuristicAction: launch,
    sentence: `started #${about.id} on GPU ${GPUS.indexOf(about.devices[0] as (typeof GPUS)[number])}`,
  };
});

const EPISODES = Array.from({ length: 12 }, (_, i): Episode => {
  const startedAtMs = ago(60 + 200 * i);
  const parts = {
    completion: -900 - 120 * (i % 5),
    utilisation: -200 - 40 * (i % 3),
    fairness: -90 - 15 * (i % 4),
  };
  return {
    id: 12 - i,
    startedAtMs,
    endedAtMs: i === 0 ? null : startedAtMs + 90 * MINUTE_MS,
    policy: 'dqn',
    jobsArrived: 6 + (i % 4),
    jobsFinished: i === 0 ? 2 : 6 + (i % 4),
    decisions: 14 + i,
    transitions: 12 + i,
    fallbacks: 0,
    rewardParts: parts,
    reward: (parts.completion + 0.5 * parts.utilisation + 0.25 * parts.fairness) / (90 * 60),
    meanJctS: 1800 + 60 * i,
  };
});

function overviewOf(): Overview {
  const { scheduler, system, ...rest } = overview(1000, JOBS);
  return {
    ...rest,
    nowMs: NOW_MS,
    devices: DEVICES,
    host: { atMs: NOW_MS, cpu: 0.34, memoryUsedMib: 21_000 },
    system: {
      ...system,
      hostname: 'workstation',
      os: 'Linux 6.8',
      cpu: 'AMD Ryzen 9 7950X',
      cpuCores: 32,
      memoryMib: 65_536,
      probe: 'nvml',
      startedAtMs: ago(5000),
    },
    scheduler: {
      ...scheduler,
      policy: 'dqn',
      policyVersion: 'second-wind',
      heuristic: 'aged',
      epsilon: 0.02,
      decisions: 240,
      agreement: 0.71,
      learner: { ...scheduler.learner, state: 'learning', trainSteps: 18_000, replaySize: 1500, loss: 0.021 },
      currentEpisode: EPISODES[0]!,
    },
  };
}

const LOG = Array.from(
  { length: 62 },
  (_, i) =>
    `epoch ${i + 1}/100 loss ${(2.4 * Math.exp(-i / 22) + 0.3).toFixed(4)} accuracy ${(0.95 - 0.6 * Math.exp(-i / 18)).toFixed(3)}\n`,
).join('');

const spread = (minutes: number) => ({
  p10Ms: NOW_MS + minutes * 0.7 * MINUTE_MS,
  p50Ms: NOW_MS + minutes * MINUTE_MS,
  p90Ms: NOW_MS + minutes * 1.5 * MINUTE_MS,
});

/**
 * The contract over a machine on which time stands still: what the four main views ask for. It imitates no engine beyond that;
 * whatever else is asked for is refused, and whoever looks sees it.
 */
export function fixedMachine(): StintRouter {
  const os = implement(contract);
  const router = {
    system: {
      overview: os.system.overview.handler(() => overviewOf()),
      rungs: os.system.rungs.handler(() => []),
    },
    watch: os.watch.handler(async function* ({ signal }) {
      yield { type: 'scheduler' as const, seq: 1000, scheduler: overviewOf().scheduler };
      await new Promise((left) => signal?.addEventListener('abort', left));
    }),
    jobs: {
      get: os.jobs.get.handler(({ input }) => JOBS.find(({ id }) => id === input.id) ?? LIVE[0]!),
      list: os.jobs.list.handler(({ input: { statuses } }) => {
        const jobs = JOBS.filter(({ status }) => statuses?.includes(status) ?? true);
        return { jobs, total: jobs.length };
      }),
      search: os.jobs.search.handler(({ input: { statuses } }) => ({
        jobs: JOBS.filter(({ status }) => statuses?.includes(status) ?? isTerminal(status)),
        next: null,
      })),
      events: os.jobs.events.handler(({ input: { id } }): LoggedEvent[] => [
        {
          seq: 900,
          jobId: id,
          atMs: ago(40),
          actor: 'scheduler',
          by: null,
          event: { kind: 'launching', devices: ['GPU-a'], attempt: 1 },
        },
      ]),
      metrics: os.jobs.metrics.handler(() => ({
        complete: false,
        series: (['loss', 'accuracy'] as const).map((name) => ({
          name,
          unit: 'epoch' as const,
          stride: 1,
          at: Array.from({ length: 62 }, (_, i) => i + 1),
          values: Array.from({ length: 62 }, (_, i) =>
            name === 'loss' ? 2.4 * Math.exp(-i / 22) + 0.3 : 0.95 - 0.6 * Math.exp(-i / 18),
          ),
          readAtMs: Array.from({ length: 62 }, (_, i) => ago((62 - i) / 6)),
          lastAtMs: NOW_MS,
        })),
      })),
    },
    logs: {
      follow: os.logs.follow.handler(async function* ({ signal }) {
        yield { text: LOG, offset: 0, nextOffset: LOG.length, size: LOG.length, end: false, dropped: 0 };
        await new Promise((left) => signal?.addEventListener('abort', left));
      }),
    },
    devices: {
      samples: os.devices.samples.handler(() => SAMPLES),
      allocations: os.devices.allocations.handler(() => ALLOCATIONS),
    },
    history: { energy: os.history.energy.handler(() => []) },
    scheduler: {
      calibration: os.scheduler.calibration.handler(() => ({
        decisions: 0,
        pending: 0,
        foretold: null,
        came: null,
        error: null,
        correlation: null,
        bins: [],
      })),
      decisions: os.scheduler.decisions.handler(() => DECISIONS),
      episodes: os.scheduler.episodes.handler(() => EPISODES),
      learningCurve: os.scheduler.learningCurve.handler(() =>
        Array.from({ length: 60 }, (_, i) => ({
          trainSteps: 300 * (i + 1),
          atMs: ago(600 - 10 * i),
          loss: 0.02 + 0.1 * Math.exp(-i / 15),
          epsilon: Math.max(0.02, 0.2 - i / 200),
          agreement: 0.55 + 0.003 * i,
        })),
      ),
      versions: os.scheduler.versions.handler(() => [
        {
          version: 'second-wind',
          source: 'shipped' as const,
          createdAtMs: ago(20_000),
          trainSteps: 400_000,
          inCharge: true,
          promotedAtMs: ago(9000),
          gate: null,
        },
      ]),
      expectedStarts: os.scheduler.expectedStarts.handler(() => ({
        atMs: NOW_MS,
        policy: 'dqn',
        samples: 40,
        jobs: WAITING.map(({ id }, i) => ({
          jobId: id,
          deviceIds: [GPUS[i % 3]!],
          start: spread(4 + 6 * i),
          end: spread(24 + 6 * i),
        })),
        calibration: [],
      })),
    },
  };
  return router as unknown as StintRouter;
}
