import type { JobView, LoggedEvent, Overview, WatchMessage } from '../../src/contract/messages.ts';
import type { Device } from '../../src/domain/device.ts';
import { DEFAULT_RULES } from '../../src/domain/deviceRules.ts';
import { DEFAULT_LEARNING_LIMITS } from '../../src/domain/learning.ts';
import type { JobEvent } from '../../src/domain/lifecycle.ts';
import { DEFAULT_GOALS } from '../../src/domain/reward.ts';
import { NO_SURROUNDINGS } from '../../src/domain/surroundings.ts';
import { NO_TERMS } from '../../src/domain/terms.ts';
import type { History } from '../../src/renderer/store/state.ts';

/** A job that waits, with what a test says about it. */
export function job(id: number, change: Partial<JobView> = {}): JobView {
  return {
    id,
    name: `job ${id}`,
    command: ['true'],
    cwd: '/',
    env: {},
    gpus: 1,
    vramMib: null,
    exclusive: false,
    priority: 0,
    user: 'ana',
    project: 'default',
    tags: [],
    estimateS: null,
    status: 'queued',
    exitCode: null,
    cause: null,
    diagnosis: null,
    devices: [],
    rank: id,
    moved: false,
    pinnedTo: null,
    submittedAtMs: id * 1000,
    startedAtMs: null,
    finishedAtMs: null,
    pausedAtMs: null,
    pausedMs: 0,
    holdsVram: null,
    process: null,
    progress: null,
    attempt: 0,
    ...NO_TERMS,
    ...NO_SURROUNDINGS,
    executor: null,
    executorOptions: [],
    remote: null,
    array: null,
    retried: 0,
    retryWait: null,
    readyAtMs: id * 1000,
    runClock: null,
    remaining: null,
    preemptions: 0,
    earlierGpuS: 0,
    pausedBy: null,
    pauseMethod: null,
    throttle: null,
    changedAtMs: null,
    waitingReason: null,
    ...change,
  };
}

/** The message of the stream that an event of `about` makes. */
export function event(seq: number, about: JobView, what: JobEvent, atMs = seq * 1000): WatchMessage {
  const entry: LoggedEvent = { seq, jobId: about.id, atMs, actor: 'engine', by: null, event: what };
  return { type: 'event', seq, entry, job: about };
}

export function device(change: Partial<Device> = {}): Device {
  return {
    id: 'virtual-0',
    index: 0,
    kind: 'virtual',
    name: 'Virtual',
    memoryTotalMib: 1000,
    health: 'ok',
    trouble: null,
    reading: {
      atMs: 1000,
      memoryUsedMib: 0,
      utilisation: null,
      temperatureC: null,
      powerW: null,
      powerLimitW: null,
      smClockMhz: null,
      processes: null,
    },
    holders: [],
    foreign: [],
    rules: DEFAULT_RULES,
    closed: null,
    yields: null,
    ...change,
  };
}

export const NO_HISTORY: History = { samples: [], allocations: [], decisions: [], episodes: [] };

export function overview(seq: number, jobs: readonly JobView[]): Overview {
  return {
    seq,
    nowMs: 1_000_000,
    system: {
      version: '0.1.0',
      pid: 1,
      home: '/h',
      startedAtMs: 0,
      hostname: 'host',
      os: 'os',
      cpu: 'cpu',
      cpuCores: 1,
      memoryMib: 1,
      probe: 'virtual',
      probeNote: null,
      user: 'ana',
      defaultCwd: '/',
    },
    jobs: [...jobs],
    left: 0,
    devices: [device()],
    scheduler: {
      policy: 'fifo',
      policyVersion: '1',
      heuristic: 'first-fit',
      epsilon: null,
      goals: DEFAULT_GOALS,
      decisions: 0,
      fallbacks: 0,
      agreement: null,
      lastFallback: null,
      mode: 'auto',
      thinkS: 30,
      suggestion: null,
      suggested: { accepted: 0, overruled: 0, lapsed: 0 },
      drainedSinceMs: null,
      giveWay: { preempt: true, pause: false, maxPreemptions: 5, minSpellS: 300 },
      learner: {
        state: 'off',
        backend: null,
        trainSteps: 0,
        replaySize: 0,
        replayCapacity: 0,
        loss: null,
        limits: DEFAULT_LEARNING_LIMITS,
        yields: false,
        trouble: null,
      },
      currentEpisode: null,
      promotion: { frozen: false, judging: null, last: null },
      durations: { runs: 0, within: null },
    },
    host: null,
  };
}
