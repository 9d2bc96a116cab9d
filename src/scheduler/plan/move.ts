import { drainedFit } from '../machine.ts';
import { DEFAULT_LIMITS, type RunningJob } from '../snapshot.ts';
import type { Planned } from './act.ts';
import type { Entrant } from './entrants.ts';
import { mayUse } from './places.ts';
import { pairSpeed, type Setting } from './setting.ts';

/**
 * Who should be stopped to go on elsewhere, since devices are idle that nobody else is planned for: a job beside others, on the
 * owner's device while they are there, or an elastic one that has fewer devices than it could use. Only where that saves
 * far more time than the stop costs, by what is believed of the rest of its run.
 * @returns the index of the candidate that stops it; −1: it pays for nobody.
 */
export function bestMove(planned: Planned, config: Setting): number {
  const idle: string[] = [];
  for (const [id, place] of planned.places) {
    const free = place.planned.length === 0 && place.residents === 0 && !planned.computing.has(id);
    if (place.open && free) idle.push(id);
  }
  if (idle.length === 0) return -1;
  let best = -1;
  let most = 0;
  for (const entrant of planned.entrants) {
    const { job, kind, option } = entrant;
    if (kind !== 'preempt' || !('deviceIds' in job) || job.deviceIds.length === 0) continue;
    // The rest of what it may be stopped is for those who need its place.
    if (job.preemptions >= config.moveMost) continue;
    const netS = savedS(entrant, job, idle, planned, config);
    if (netS > most) {
      most = netS;
      best = option;
    }
  }
  return best;
}

/** Seconds that a move saves the job and who sits beside it, less a multiple of what it costs. */
function savedS(
  { belief }: Entrant,
  job: RunningJob,
  idle: readonly string[],
  { places, computing, byId }: Planned,
  config: Setting,
): number {
  let here = 1;
  let relief = 0;
  let room = 0;
  for (const id of job.deviceIds) {
    let speed = places.get(id)?.device.ownerPresent ? config.ownerSpeed : 1;
    for (const other of computing.get(id) ?? []) {
      if (other === job) continue;
      const pair = pairSpeed(job, other, config);
      speed *= pair;
      relief += (1 - pair) * Math.min(1, byId.get(other.id)!.belief.remainingS / belief.remainingS);
    }
    if (speed === 1) room++;
    here = Math.min(here, speed);
  }
  for (const id of idle) {
    const { device } = places.get(id)!;
    if (!mayUse(job, device, config.nowMs)) continue;
    if (drainedFit(device, job, DEFAULT_LIMITS) === 'alone') room++;
  }
  const size = Math.min(job.maxGpus, room);
  if (size < Math.max(job.minGpus, Math.min(job.gpus, job.deviceIds.length))) return Number.NEGATIVE_INFINITY;
  // Where energy counts, what more devices add counts less than what they draw.
  const scale = (devices: number): number =>
    (devices / Math.max(1, job.gpus)) ** (config.elasticExponent - config.thrift);
  const now = here * scale(job.deviceIds.length);
  const then = scale(size);
  const leftS = belief.remainingS;
  const costS = (job.stopCostS ?? 900) / then + config.moveStartS;
  return leftS / now - leftS / then + (relief * leftS) / now - config.moveFactor * costS;
}
