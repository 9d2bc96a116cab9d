import { commandKey } from '../../domain/commandKey.ts';
import type { Device } from '../../domain/device.ts';
import { messageOf } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import { isLive, isTerminal } from '../../domain/job.ts';
import {
  afterOutOfMemoryMib,
  isSettled,
  type MemoryKnowledge,
  reservationMib,
} from '../../domain/memoryNeed.ts';
import { remember } from '../../domain/remember.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { Clock, Log } from '../ports.ts';
import type { Peak, SharingStore } from '../store/sharingStore.ts';

/** Growth by less is not worth a write. */
const STEP_MIB = 16;
/** Kinds whose peaks are kept in memory: as many as a decision looks at, several times over. */
const MOST_KINDS = 2000;
/** Most commands were never measured. */
const NO_PEAKS: ReadonlyMap<string, Peak> = new Map();

export interface MemoryModelOptions {
  readonly ledger: Ledger;
  readonly store: SharingStore;
  /** Memory of the largest GPU, MiB. */
  readonly mostMib: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Jobs of the same work, by the command. */
export function kindOf({ command, gpus }: Pick<Job, 'command' | 'gpus'>): string {
  const known = KINDS.get(command);
  if (known?.gpus === gpus) return known.kind;
  const kind = commandKey(command, gpus);
  KINDS.set(command, { gpus, kind });
  return kind;
}

/** A job's command is the same array for as long as it is in memory, and it is asked for at every decision. */
const KINDS = new WeakMap<readonly string[], { readonly gpus: number; readonly kind: string }>();

/**
 * Learns how much GPU memory commands take: the peak of each run is kept as it grows, so that no crash loses it, and one
 * that ran out of memory raises what its command is given.
 */
export class MemoryModel {
  private readonly options: MemoryModelOptions;
  private readonly peaks = new Map<string, ReadonlyMap<string, Peak>>();
  private readonly unsubscribe: () => void;

  constructor(options: MemoryModelOptions) {
    this.options = options;
    options.store.prune(options.clock.nowMs());
    this.unsubscribe = options.ledger.onEvent((entry, _job, before) => {
      const { event } = entry;
      if (event.kind === 'exited' && event.diagnosis?.code === 'gpu-memory' && before !== null)
        this.ranOut(before);
    });
  }

  stop(): void {
    this.unsubscribe();
  }

  /** What is set aside for a job on each of its GPUs, MiB; null: it needs them to itself. */
  reservationMib(job: Job): number | null {
    return job.gpus === 0 ? job.vramMib : reservationMib(this.knowledgeOf(job), this.options.mostMib());
  }

  /** What is known of a job's memory. */
  knowledgeOf(job: Job): MemoryKnowledge {
    const run = runOf(job);
    let learnedMib: number | null = null;
    let own: Peak | null = null;
    for (const [name, peak] of this.peaksOf(kindOf(job))) {
      if (name === run && isLive(job.status)) own = peak;
      else learnedMib = Math.max(learnedMib ?? 0, peak.peakMib);
    }
    const nowMs = this.options.clock.nowMs();
    return {
      declaredMib: job.vramMib,
      learnedMib,
      observedMib: own?.peakMib ?? null,
      settled:
        own !== null &&
        job.startedAtMs !== null &&
        job.status === 'running' &&
        isSettled(nowMs - job.startedAtMs, nowMs - own.grewAtMs),
    };
  }

  /** What a job that ran out of memory should be given, MiB; null: nobody knows. */
  suggestedMib(job: Job): number | null {
    return afterOutOfMemoryMib(this.knowledgeOf(job), this.options.mostMib());
  }

  /** Takes note of what jobs use now. */
  observe(devices: readonly Device[]): void {
    const used = new Map<number, number>();
    for (const { holders } of devices) {
      for (const { jobId, usedMib } of holders) {
        if (usedMib !== null && usedMib > 0) used.set(jobId, Math.max(used.get(jobId) ?? 0, usedMib));
      }
    }
    for (const [jobId, mib] of used) {
      const job = this.options.ledger.get(jobId);
      if (isTerminal(job.status)) continue;
      const before = this.peaksOf(kindOf(job)).get(runOf(job));
      if (before !== undefined && mib < before.peakMib + STEP_MIB) continue;
      this.keep(job, { peakMib: mib, grewAtMs: this.options.clock.nowMs(), outOfMemory: false });
    }
  }

  private ranOut(job: Job): void {
    const peakMib = this.suggestedMib(job);
    if (peakMib !== null)
      this.keep(job, { peakMib, grewAtMs: this.options.clock.nowMs(), outOfMemory: true });
  }

  private keep(job: Job, peak: Peak): void {
    const kind = kindOf(job);
    try {
      this.options.store.setPeak(kind, runOf(job), peak);
      // The store keeps a few of its latest runs: these are read when they are asked for.
      this.peaks.delete(kind);
    } catch (error) {
      // Known until the engine ends; the next growth is written again.
      remember(this.peaks, kind, new Map(this.peaksOf(kind)).set(runOf(job), peak), MOST_KINDS);
      this.options.log.warn('what a job takes of its GPU could not be kept', { error: messageOf(error) });
    }
  }

  private peaksOf(kind: string): ReadonlyMap<string, Peak> {
    const known = this.peaks.get(kind);
    if (known !== undefined) return known;
    const peaks = this.options.store.peaks(kind);
    return remember(this.peaks, kind, peaks.size === 0 ? NO_PEAKS : peaks, MOST_KINDS);
  }
}

const runOf = (job: Pick<Job, 'id' | 'attempt'>): string => `${job.id}/${job.attempt}`;
