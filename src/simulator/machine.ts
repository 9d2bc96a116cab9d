import type { Action } from '../domain/decision.ts';
import { DEFAULT_GOALS, type Load } from '../domain/reward.ts';
import { type Rng, seededRng } from '../domain/rng.ts';
import { countBelow } from '../domain/sorted.ts';
import { type DecisionStep, decide, withApplied } from '../scheduler/decide.ts';
import { loadOf } from '../scheduler/load.ts';
import type { Policy } from '../scheduler/policy.ts';
import { reviewInS } from '../scheduler/review.ts';
import {
  DEFAULT_LIMITS,
  idleDevice,
  MOST_PAST_RUNS,
  type PastRun,
  type Snapshot,
  type SnapshotDevice,
  type WaitingJob,
} from '../scheduler/snapshot.ts';
import {
  arrived,
  drawFailure,
  elapse,
  isCrashed,
  isDone,
  type JobState,
  type LiveJob,
  loseWork,
  nextEventInS,
  outcomeOf,
  runningJobOf,
  usedMib,
  waitingJobOf,
} from './liveJob.ts';
import { drawnW } from './power.ts';
import {
  DEFAULT_SHARING,
  type JobOutcome,
  type SimulatedJob,
  type SimulatedWorld,
  SimulationError,
  type Span,
} from './world.ts';

/** What a recorder needs to follow a simulated day. Times are milliseconds from its start. */
export interface SimulationObserver {
  /** The load from now on. */
  advance(load: Load, nowMs: number): void;
  decided(step: DecisionStep, snapshot: Snapshot): void;
  idle(nowMs: number): void;
}

export interface SimulationOptions {
  readonly policy: Policy;
  /** What decides when the policy fails. */
  readonly heuristic: Policy;
  readonly rng: Rng;
  readonly observer?: SimulationObserver;
  /** Is told of every stretch of time in which a job held devices, when it is over. */
  readonly onSpan?: (span: Span) => void;
}

/** CPU-only jobs that may run at once. */
const CPU_SLOTS = 4;
const HOUR_S = 3600;
const DAY_H = 24;
/**
 * Times that the owner may come or go, or the policy look again, while jobs wait, nothing runs and nobody arrives, before
 * that counts as for ever.
 */
const MOST_IDLE_CHANGES = 1000;
/** A job that runs for weeks and loses everything at each crash would never end. */
const MOST_FAILURES = 2;
/** Decisions at one instant, for each job in the system: a policy that goes on longer takes back what it did. */
const MOST_STEPS_PER_JOB = 8;

/**
 * Runs a day of jobs to its end under a policy, through the very decision core that runs live. Discrete events on a
 * virtual clock: arrivals, ends, crashes, growing memory, the owner's coming and going, and the policy's reviews. At
 * one instant all of them first, then decisions until nothing more is to be done.
 *
 * The same world, policy and generator give the same outcome to the last bit on every machine with the same release of
 * V8, whose exp, log and pow do not depend on the processor.
 * @returns in the order in which jobs ended.
 * @throws {SimulationError} when jobs are left that never start, or the policy never stops deciding.
 */
export function simulate(world: SimulatedWorld, options: SimulationOptions): JobOutcome[] {
  return new Simulation(world, options).run();
}

class Simulation {
  private readonly world: SimulatedWorld;
  private readonly options: SimulationOptions;
  private readonly outcomes: JobOutcome[] = [];
  private readonly service: Record<string, number> = {};
  private readonly history: number[];
  private past: readonly PastRun[];
  private pairedS = 0;
  private pairedWorkS = 0;
  private readonly told: boolean;
  private readonly speedBeside: NonNullable<SimulatedWorld['speedBeside']>;
  private readonly shareAtFirst: number;
  private readonly states = new Map<number, JobState>();
  /** Ascending by rank. */
  private waiting: WaitingJob[] = [];
  private live: LiveJob[] = [];
  private readonly onDevice: LiveJob[][];
  private devices: SnapshotDevice[];
  private ownerPresent = false;
  private nextJob = 0;
  private nowS = 0;
  private reviewAtS = Number.POSITIVE_INFINITY;
  private idleChanges = 0;

  constructor(world: SimulatedWorld, options: SimulationOptions) {
    this.world = world;
    this.options = options;
    this.history = [...(world.history ?? [])];
    this.past = world.past ?? [];
    this.told = options.policy.clairvoyant === true;
    this.speedBeside = world.speedBeside ?? DEFAULT_SHARING;
    this.shareAtFirst = world.growth?.share ?? 1;
    this.devices = world.devicesMib.map(deviceOf);
    this.onDevice = world.devicesMib.map(() => []);
    this.checkSizes();
    this.ownerMayChange();
  }

  run(): JobOutcome[] {
    const { jobs } = this.world;
    while (this.nextJob < jobs.length || this.live.length > 0 || this.waiting.length > 0) {
      this.passTime();
      const changed = [this.ownerMayChange(), this.endJobs(), this.growJobs(), this.arrive()].some(Boolean);
      if (!changed && this.nowS < this.reviewAtS) continue;
      this.epoch();
    }
    return this.outcomes;
  }

  /** Jobs that no empty machine of this kind could run. */
  private checkSizes(): void {
    const { jobs, devicesMib } = this.world;
    for (const job of jobs) {
      const needMib = Math.max(job.vramMib ?? 0, job.peakMib ?? 0);
      const enough = devicesMib.filter((mib) => mib >= needMib).length;
      if (enough >= (job.minGpus ?? job.gpus)) continue;
      const asks = `job ${job.id} asks for ${job.gpus} devices of ${needMib} MiB`;
      throw new SimulationError(`${asks}, and this machine has ${enough} such`);
    }
  }

  private passTime(): void {
    let eventS = this.world.jobs[this.nextJob]?.submittedAtS ?? Number.POSITIVE_INFINITY;
    const arrives = eventS < Number.POSITIVE_INFINITY;
    let due = Number.POSITIVE_INFINITY;
    for (const live of this.live) due = Math.min(due, nextEventInS(live));
    eventS = Math.min(eventS, this.nowS + due);
    if (this.waiting.length > 0) eventS = Math.min(eventS, this.reviewAtS);
    eventS = Math.min(eventS, this.ownerChangesAtS());
    if (arrives || due < Number.POSITIVE_INFINITY) this.idleChanges = 0;
    else if (eventS === Number.POSITIVE_INFINITY || ++this.idleChanges > MOST_IDLE_CHANGES) {
      const left = [...this.waiting.map(({ id }) => id), ...this.live.map(({ state }) => state.job.id)];
      throw new SimulationError(`jobs ${left.join(', ')} never start, or never go on`);
    }
    const dtS = Math.max(0, eventS - this.nowS);
    this.drawPower(dtS);
    for (const live of this.live) {
      elapse(live, dtS);
      if (live.paused) continue;
      if (live.pairSpeed !== null) {
        this.pairedS += dtS;
        this.pairedWorkS += dtS * live.pairSpeed;
      }
      const { user } = live.state.job;
      this.service[user] = (this.service[user] ?? 0) + dtS * live.devices.length;
    }
    this.nowS = Math.max(this.nowS, eventS);
  }

  /** Charges those who compute on each device with what it draws, in equal parts. */
  private drawPower(dtS: number): void {
    for (const residents of this.onDevice) {
      let use = 0;
      let count = 0;
      for (const { paused, pace, state } of residents) {
        if (paused) continue;
        use += (state.job.gpuUtil ?? 1) * pace;
        count++;
      }
      if (count === 0) continue;
      const shareJ = (drawnW(use) * dtS) / count;
      for (const { paused, state } of residents) if (!paused) state.energyJ += shareJ;
    }
  }

  private arrive(): boolean {
    const { jobs } = this.world;
    const before = this.nextJob;
    while ((jobs[this.nextJob]?.submittedAtS ?? Number.POSITIVE_INFINITY) <= this.nowS) {
      const job = jobs[this.nextJob++] as SimulatedJob;
      const state = arrived(job);
      this.states.set(job.id, state);
      this.enqueue(state);
    }
    return this.nextJob > before;
  }

  /** Ends what is through, and what crashed. */
  private endJobs(): boolean {
    const before = this.live.length;
    for (const live of this.live.filter((job) => !job.paused && (isDone(job) || isCrashed(job)))) {
      this.leave(live);
      const { state } = live;
      if (isDone(live)) {
        this.outcomes.push(outcomeOf(state, this.nowS));
        this.states.delete(state.job.id);
        this.remember(state);
      } else {
        state.failures++;
        this.runAgain(state);
      }
    }
    return this.live.length < before;
  }

  /** Who has come to its peak memory may find too little of it. */
  private growJobs(): boolean {
    let died = false;
    for (const live of [...this.live]) {
      if (!live.grew) continue;
      live.grew = false;
      if (!this.overfull(live)) continue;
      this.dieOfMemory(live);
      died = true;
    }
    return died;
  }

  private overfull(live: LiveJob): boolean {
    return live.devices.some((index) => {
      let usedNow = this.devices[index]!.foreignMib ?? 0;
      for (const other of this.onDevice[index]!) usedNow += usedMib(other, this.shareAtFirst);
      return usedNow > this.devices[index]!.memoryTotalMib;
    });
  }

  /** It tells how much it needed, and runs again. */
  private dieOfMemory(live: LiveJob): void {
    const { state } = live;
    this.leave(live);
    state.oomDeaths++;
    if (state.vramMib !== null) state.vramMib = Math.max(state.vramMib, state.job.peakMib ?? 0);
    this.runAgain(state);
  }

  private runAgain(state: JobState): void {
    loseWork(state);
    state.waitingSinceS = this.nowS;
    this.enqueue(state);
  }

  private enqueue(state: JobState): void {
    const job = waitingJobOf(state, this.told);
    let at = this.waiting.length;
    while (at > 0 && this.waiting[at - 1]!.rank > job.rank) at--;
    this.waiting.splice(at, 0, job);
  }

  private remember({ job, attainedGpuS }: JobState): void {
    this.history.splice(countBelow(this.history, attainedGpuS), 0, attainedGpuS);
    if (job.gpus === 0) return;
    const { id, command = null, user, gpus } = job;
    const run = {
      id,
      command,
      user,
      gpus,
      submittedAtMs: 1000 * job.submittedAtS,
      ranS: attainedGpuS / gpus,
    };
    this.past = [...this.past.slice(1 - MOST_PAST_RUNS), run];
  }

  private epoch(): void {
    const { policy, heuristic, rng, observer } = this.options;
    let snapshot = this.snapshot();
    this.tellLoad(snapshot);
    if (this.waiting.length === 0 && this.live.length === 0) {
      for (const user of Object.keys(this.service)) delete this.service[user];
      observer?.idle(snapshot.nowMs);
      policy.idle?.();
      return;
    }
    const limits = this.world.limits ?? DEFAULT_LIMITS;
    let stepsLeft = MOST_STEPS_PER_JOB * (snapshot.waiting.length + snapshot.running.length);
    while (
      snapshot.waiting.length > 0 ||
      (policy.preempts === true && this.live.some((job) => job.paused)) ||
      (policy.moves === true && this.live.length > 0)
    ) {
      const step = decide({ snapshot, policy, heuristic, rng, limits, history: this.history });
      observer?.decided(step, snapshot);
      if (step.chosen.kind === 'wait') break;
      if (stepsLeft-- === 0)
        throw new SimulationError(`${policy.name} never stops deciding at ${this.nowS} s`);
      snapshot = this.apply(step.chosen) ? withApplied(snapshot, step.chosen) : this.snapshot();
      this.tellLoad(snapshot);
    }
    const restS =
      this.waiting.length > 0 ? reviewInS(policy, snapshot, limits, this.history) : Number.POSITIVE_INFINITY;
    this.reviewAtS = this.nowS + Math.max(1, restS);
  }

  private tellLoad(snapshot: Snapshot): void {
    const { observer, policy } = this.options;
    if (observer === undefined && policy.advance === undefined) return;
    const load = loadOf(snapshot);
    observer?.advance(load, snapshot.nowMs);
    policy.advance?.(load, snapshot.nowMs);
  }

  /** @returns false when more has changed than the action says. */
  private apply(action: Exclude<Action, { kind: 'wait' }>): boolean {
    if (action.kind === 'launch') return this.launch(action.jobId, action.deviceIds);
    const live = this.live.find(({ state }) => state.job.id === action.jobId)!;
    const { state } = live;
    if (action.kind === 'preempt') {
      this.leave(live);
      state.preemptions++;
      this.runAgain(state);
      // What is left of it now depends on its checkpoint.
      return false;
    }
    this.tellSpan(live);
    live.paused = action.kind === 'pause';
    if (live.paused) state.pauses++;
    this.setSpeeds(live.devices);
    return true;
  }

  private launch(jobId: number, deviceIds: readonly string[]): boolean {
    const state = this.states.get(jobId)!;
    this.waiting = this.waiting.filter(({ id }) => id !== jobId);
    const devices = deviceIds.map((id) => this.devices.findIndex((device) => device.id === id));
    const { world } = this;
    const { job } = state;
    const again = state.starts > 0 ? (job.restartS ?? 0) : 0;
    const rng = seededRng((world.seed ?? 1) * 1_000_003 + job.id * 101 + state.starts);
    const live: LiveJob = {
      state,
      deviceIds,
      devices,
      startedAtS: this.nowS,
      sinceS: this.nowS,
      paused: false,
      overheadS: (world.startS ?? 0) + again,
      growsInS: world.growth?.untilS ?? 0,
      grew: false,
      failsInS:
        state.failures < MOST_FAILURES
          ? drawFailure(rng, world.failuresPerGpuDay ?? 0, devices.length)
          : Number.POSITIVE_INFINITY,
      speed: 1,
      pace: 1,
      pairSpeed: null,
    };
    state.starts++;
    state.startedAtS ??= this.nowS;
    this.live.push(live);
    for (const index of devices) this.onDevice[index]!.push(live);
    this.setSpeeds(devices);
    if (!this.overfull(live)) return true;
    this.dieOfMemory(live);
    return false;
  }

  private leave(live: LiveJob): void {
    this.tellSpan(live);
    this.live.splice(this.live.indexOf(live), 1);
    for (const index of live.devices) this.onDevice[index]!.splice(this.onDevice[index]!.indexOf(live), 1);
    this.setSpeeds(live.devices);
  }

  private tellSpan(live: LiveJob): void {
    const { sinceS } = live;
    live.sinceS = this.nowS;
    if (this.options.onSpan === undefined || sinceS === this.nowS) return;
    const { state, devices, paused } = live;
    this.options.onSpan({ jobId: state.job.id, devices, fromS: sinceS, toS: this.nowS, computes: !paused });
  }

  /** Of every job on these devices, after something changed there. */
  private setSpeeds(devices: readonly number[]): void {
    if (devices.length === 0) return;
    for (const index of devices) for (const live of this.onDevice[index]!) this.setSpeed(live);
  }

  /** As fast as on the slowest of its devices. */
  private setSpeed(live: LiveJob): void {
    live.pairSpeed = null;
    live.speed = 0;
    if (live.paused) return;
    const { owner, scalingExponent = 1 } = this.world;
    const { job } = live.state;
    let slowest = 1;
    for (const index of live.devices) {
      const neighbours: SimulatedJob[] = [];
      for (const other of this.onDevice[index]!) {
        if (other !== live && !other.paused) neighbours.push(other.state.job);
      }
      let speed = neighbours.length === 0 ? 1 : this.speedBeside(job, neighbours);
      if (neighbours.length === 1) live.pairSpeed = Math.min(live.pairSpeed ?? 1, speed);
      if (this.ownerPresent && owner?.device === index) speed *= owner.speed;
      slowest = Math.min(slowest, speed);
    }
    const scale = live.devices.length === job.gpus ? 1 : (live.devices.length / job.gpus) ** scalingExponent;
    live.pace = slowest;
    live.speed = slowest * scale;
  }

  private ownerChangesAtS(): number {
    const { owner } = this.world;
    if (owner === undefined) return Number.POSITIVE_INFINITY;
    const hour = this.hour();
    const next = this.ownerPresent ? owner.toH : owner.fromH;
    return this.nowS + ((next - hour + DAY_H) % DAY_H || DAY_H) * HOUR_S;
  }

  private hour(): number {
    // To the millisecond: the next change must lie ahead.
    const hour = ((this.world.startsAtH ?? 0) + this.nowS / HOUR_S) % DAY_H;
    return Math.round(hour * HOUR_S * 1000) / (HOUR_S * 1000);
  }

  /** @returns whether somebody came or went, and that opens something to decide. */
  private ownerMayChange(): boolean {
    const { owner } = this.world;
    if (owner === undefined) return false;
    const hour = this.hour();
    const present = hour >= owner.fromH && hour < owner.toH;
    if (present === this.ownerPresent) return false;
    this.ownerPresent = present;
    this.devices = this.devices.map((device) =>
      device.index === owner.device
        ? { ...device, ownerPresent: present, foreignMib: present ? owner.foreignMib : 0 }
        : device,
    );
    this.setSpeeds([owner.device]);
    const before = this.live.length;
    for (const live of this.onDevice[owner.device]!.toReversed()) {
      if (this.overfull(live)) this.dieOfMemory(live);
    }
    // Who only starts jobs has nothing to say when somebody sits down, nor when a device is left that is full.
    const opens = this.options.policy.preempts === true || (!present && this.hasRoom(owner.device));
    return opens || this.live.length < before;
  }

  private hasRoom(device: number): boolean {
    const { mostPerDevice } = this.world.limits ?? DEFAULT_LIMITS;
    const residents = this.onDevice[device]!;
    return (
      residents.length < mostPerDevice &&
      residents.every(({ state }) => !state.job.exclusive && state.vramMib !== null)
    );
  }

  private snapshot(): Snapshot {
    return {
      nowMs: 1000 * this.nowS,
      devices: this.devices,
      waiting: this.waiting.slice(),
      running: this.live.map((live) => runningJobOf(live, this.told, this.shareAtFirst)),
      cpuSlots: CPU_SLOTS,
      goals: this.world.goals ?? DEFAULT_GOALS,
      serviceByUser: { ...this.service },
      past: this.past,
      sharing: { pairedS: this.pairedS, workS: this.pairedWorkS },
    };
  }
}

const deviceOf = (memoryTotalMib: number, index: number): SnapshotDevice =>
  idleDevice(`virtual-${index}`, index, memoryTotalMib);
