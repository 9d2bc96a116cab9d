import type { Device } from '../../domain/device.ts';
import type { Job } from '../../domain/job.ts';
import { isGivingWay } from '../../domain/lifecycle.ts';
import type { GoalWeights } from '../../domain/reward.ts';
import { idleDevice, type Snapshot, type WaitingJob } from '../../scheduler/snapshot.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { Clock } from '../ports.ts';
import type { Drain } from './drain.ts';
import type { Durations } from './durations.ts';
import type { Episodes } from './episodes.ts';
import type { Gate } from './gate.ts';
import type { GiveWayLimits } from './giveWayLimits.ts';
import { type ReadyJob, windowOf } from './queueWindow.ts';
import type { ServiceHistory } from './serviceHistory.ts';
import { buildSnapshot, type Guards } from './snapshotBuilder.ts';

export interface SituationOptions {
  readonly ledger: Ledger;
  readonly episodes: Episodes;
  readonly devices: () => readonly Device[];
  readonly goals: () => GoalWeights;
  readonly giveWay: GiveWayLimits;
  readonly cpuSlots: number;
  readonly drain: Drain;
  /** The owner's rules; null while they are not known yet. */
  readonly guards: () => Guards | null;
  /** What is set aside for a job on each of its GPUs, MiB; null: it needs them to itself. */
  readonly reservationMib: (job: Job) => number | null;
  /** Measured speeds of pairs, as snapshots carry them. */
  readonly interference: () => Readonly<Record<string, number>>;
  readonly history: ServiceHistory;
  readonly durations: Durations;
  readonly clock: Clock;
}

/** More than any job declares. */
const ROOM_MIB = 16 * 1024 * 1024;

/** The live machine as the decision core is shown it. */
export class Situation {
  private readonly options: SituationOptions;
  private readonly gate: Gate;

  constructor(options: SituationOptions, gate: Gate) {
    this.options = options;
    this.gate = gate;
  }

  /** As of now. Jobs that are not to start yet are not in it. */
  now(): Snapshot {
    const nowMs = this.options.clock.nowMs();
    return this.of(nowMs, this.ready(nowMs));
  }

  /**
   * The same as if a person had put one queued job before all others and named its devices: the rules about turns do
   * not keep it back then, and all others do.
   * @param deviceIds it is to have all of them and no others; null: any.
   */
  ahead(job: Job, deviceIds: readonly string[] | null): Snapshot & { readonly waiting: [WaitingJob] } {
    const nowMs = this.options.clock.nowMs();
    const readiness = this.gate.of(job, nowMs);
    const sinceMs = readiness.ready ? readiness.sinceMs : nowMs;
    const all = this.of(nowMs, [{ job: { ...job, moved: true }, sinceMs }]);
    const first = all.waiting[0] as WaitingJob;
    if (deviceIds === null) return { ...all, waiting: [first] };
    const gpus = deviceIds.length;
    return {
      ...all,
      devices: all.devices.filter(({ id }) => deviceIds.includes(id)),
      waiting: [{ ...first, gpus, minGpus: gpus, maxGpus: gpus }],
    };
  }

  /** Jobs of another queue, as if there were room for any one of them and nothing else in the world. */
  apart(jobs: readonly Job[]): Snapshot {
    const nowMs = this.options.clock.nowMs();
    const { halts: _here, ...all } = this.of(
      nowMs,
      jobs.map((job) => ({ job, sinceMs: job.readyAtMs })),
    );
    const gpus = Math.max(1, ...jobs.map((job) => job.gpus));
    const devices = Array.from({ length: gpus }, (_, index) => idleDevice(`there-${index}`, index, ROOM_MIB));
    return { ...all, devices, running: [] };
  }

  private ready(nowMs: number): ReadyJob[] {
    const { ledger, drain } = this.options;
    const ready: ReadyJob[] = [];
    const admitted = new Map<number, number>();
    for (const job of drain.sinceMs === null ? ledger.inOrder() : []) {
      if (job.status !== 'queued' || job.executor !== null) continue;
      const readiness = this.gate.of(job, nowMs);
      if (!readiness.ready) continue;
      const room = this.gate.roomInArray(job);
      if (room !== null) {
        // No more than may start are shown to the policy, so that it cannot start more in one go.
        const arrayId = job.array!.id;
        const before = admitted.get(arrayId) ?? 0;
        if (before >= room) continue;
        admitted.set(arrayId, before + 1);
      }
      ready.push({ job, sinceMs: readiness.sinceMs });
    }
    return ready;
  }

  private of(nowMs: number, ready: readonly ReadyJob[]): Snapshot {
    const { ledger, giveWay, goals, cpuSlots, episodes, history, durations } = this.options;
    return buildSnapshot({
      nowMs,
      queue: windowOf(ready, nowMs),
      live: ledger.live(),
      isLeaving: (jobId) => isGivingWay(ledger.stoppingAs(jobId)),
      mayPreempt: giveWay.current.preempt,
      devices: this.options.devices(),
      guards: this.options.guards(),
      reservationMib: this.options.reservationMib,
      interference: this.options.interference(),
      cpuSlots,
      goals: goals(),
      serviceByUser: episodes.serviceByUser,
      past: history.runs,
      remainingOf: (job) => durations.remainingOf(job, nowMs),
    });
  }
}
