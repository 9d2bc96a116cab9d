import type { Policy, PolicyChoice, PolicyInput } from '../policy.ts';
import type { Snapshot, SnapshotDevice, WaitingJob } from '../snapshot.ts';
import { chosen } from './fifo.ts';

export interface TetrisConfig {
  /** Weight of the remaining work against alignment. */
  readonly work: number;
}

export const TETRIS: TetrisConfig = { work: 1 };

/**
 * Multi-resource packing with the shortest remaining work (Grandl et al., "Multi-resource packing for cluster
 * schedulers", Tetris, SIGCOMM 2014): of all launches the one whose demand aligns best with what is free (the dot
 * product of both), less the job's remaining work, each in units of its mean over what may start now, as section 3.3
 * weighs them. Large demands go where much is free, and short jobs go first. Never preempts, never waits while something
 * may start.
 *
 * Ours: a device has three resources, its computing slot, its memory, and its utilisation; what is unknown counts as all
 * of it. A placement's alignment is the sum over its devices. Remaining work is the predicted median × GPUs; whose is
 * unknown counts as the mean. Of an elastic job only placements of its first size are compared, because alignment would
 * always prefer the larger.
 */
export function tetrisWith(config: TetrisConfig): Policy {
  return { name: 'tetris', version: '1', choose: (input) => choose(input, config) };
}

export const tetris: Policy = tetrisWith(TETRIS);

function choose({ snapshot, candidates }: PolicyInput, config: TetrisConfig): PolicyChoice {
  const free = freeOf(snapshot);
  const alignments: number[] = [];
  const works: number[] = [];
  let alignmentSum = 0;
  let workSum = 0;
  let launches = 0;
  let predicted = 0;
  let at = -1;
  let size = 0;
  for (let i = 0; i < candidates.length; i++) {
    const action = candidates[i]!;
    if (action.kind !== 'launch') break;
    const { jobId, deviceIds } = action;
    if (snapshot.waiting[at]?.id !== jobId) {
      at = snapshot.waiting.findIndex(({ id }, place) => place > at && id === jobId);
      size = deviceIds.length;
    }
    const job = snapshot.waiting[at]!;
    const alignment = deviceIds.length === size ? alignmentOf(job, deviceIds, free) : Number.NaN;
    const work = job.remaining === null ? Number.NaN : job.remaining.p50S * Math.max(1, job.gpus);
    alignments.push(alignment);
    works.push(work);
    if (Number.isNaN(alignment)) continue;
    launches++;
    alignmentSum += alignment;
    if (Number.isNaN(work)) continue;
    predicted++;
    workSum += work;
  }
  const meanAlignment = alignmentSum / launches;
  const meanWork = workSum / predicted;
  let best = candidates.length - 1;
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < alignments.length; i++) {
    if (Number.isNaN(alignments[i])) continue;
    const aligned = meanAlignment > 0 ? alignments[i]! / meanAlignment : 0;
    const long = meanWork > 0 && !Number.isNaN(works[i]) ? works[i]! / meanWork : 1;
    const score = aligned - config.work * long;
    if (score <= highest) continue;
    best = i;
    highest = score;
  }
  return chosen(best);
}

/** What a device has left, each as a share of it. */
interface Free {
  readonly totalMib: number;
  slot: number;
  memory: number;
  utilisation: number;
}

function freeOf({ devices, running }: Snapshot): Map<string, Free> {
  const free = new Map(devices.map((device) => [device.id, emptied(device)]));
  for (const { deviceIds, vramMib, gpuUtil, pausedBy } of running) {
    for (const id of deviceIds) {
      const device = free.get(id);
      if (device === undefined) continue;
      device.memory = Math.max(0, device.memory - (vramMib ?? device.totalMib) / device.totalMib);
      if (pausedBy !== null) continue;
      device.slot = 0;
      device.utilisation = Math.max(0, device.utilisation - (gpuUtil ?? 1));
    }
  }
  return free;
}

function emptied({ memoryTotalMib, foreignMib }: SnapshotDevice): Free {
  const memory = Math.max(0, 1 - (foreignMib ?? memoryTotalMib) / memoryTotalMib);
  return { totalMib: memoryTotalMib, slot: 1, memory, utilisation: 1 };
}

function alignmentOf(job: WaitingJob, deviceIds: readonly string[], free: ReadonlyMap<string, Free>): number {
  let sum = 0;
  for (const id of deviceIds) {
    const { totalMib, slot, memory, utilisation } = free.get(id)!;
    sum += slot + ((job.vramMib ?? totalMib) / totalMib) * memory + (job.gpuUtil ?? 1) * utilisation;
  }
  return sum;
}
