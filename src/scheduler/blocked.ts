import type { Veto } from '../domain/decision.ts';
import { formatMib } from '../domain/units.ts';
import { type DeviceState, type Fit, fitOn, freeMib, type Machine, type Need } from './machine.ts';
import type { ShieldLimits } from './snapshot.ts';

/**
 * Why a job cannot start now, for people: what is in the way for longest comes first, so what would not change
 * even if all our own jobs ended, then memory beside other jobs, then taken devices. At least one veto.
 * The sentences name no times, so that they change only when the machine does.
 */
export function blockedBecause(machine: Machine, need: Need, limits: ShieldLimits): Veto[] {
  if (need.gpus === 0) {
    const { cpuSlots } = machine;
    const says =
      cpuSlots === 0 ? 'no jobs without a GPU are allowed' : `all ${cpuSlots} CPU-only slots are taken`;
    return [veto('capacity', cpuSlots === 1 ? 'the only CPU-only slot is taken' : says)];
  }
  const { states } = machine;
  if (states.length < need.gpus) {
    const has = states.length === 0 ? 'none' : String(states.length);
    return [veto('capacity', `needs ${gpus(need.gpus)}, this machine has ${has}`)];
  }
  const fits = states.map((state) => fitOn(state, need, limits));
  const count = (fit: Fit): number => fits.reduce((sum, other) => sum + (other === fit ? 1 : 0), 0);
  const those = (fit: Fit): DeviceState[] => states.filter((_, i) => fits[i] === fit);
  let left = states.length - count('small');
  if (left < need.gpus) return [tooSmall(states, need, left)];
  left -= count('health');
  if (left < need.gpus) return [unreadable(those('health'), need)];
  left -= count('foreign');
  if (left < need.gpus) return [foreignHolds(those('foreign'), need)];
  const vetoes: Veto[] = [];
  if (count('memory') > 0) vetoes.push(shortOfMemory(those('memory'), need, limits));
  if (count('held') > 0 || vetoes.length === 0) {
    const free = count('alone') + count('shared');
    const says = free === 0 ? 'none is free' : `${free} ${free === 1 ? 'is' : 'are'} free`;
    vetoes.push(veto('capacity', `needs ${gpus(need.gpus)}, ${says}`));
  }
  return vetoes;
}

/** Devices are kept for a job that has waited too long. */
export function startsLaterThan(jobId: number, kept: readonly DeviceState[]): Veto {
  return veto('starvation', `#${jobId} has waited longest: ${gpuNames(kept)} kept for it`);
}

/** `GPU 1`, `GPUs 0, 1 and 3`. */
export function gpuNames(states: readonly DeviceState[]): string {
  const names = states.map((state) => String(state.device.index));
  if (names.length === 1) return `GPU ${names[0]}`;
  return `GPUs ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function tooSmall(states: readonly DeviceState[], need: Need, enough: number): Veto {
  const largest = Math.max(...states.map((state) => state.device.memoryTotalMib));
  const has =
    enough === 0
      ? `the largest GPU has ${formatMib(largest)}`
      : `${enough === 1 ? 'only one GPU has' : `only ${enough} GPUs have`} that much`;
  return veto('memory', `GPU memory: needs ${amount(need)}, ${has}`);
}

function unreadable(states: readonly DeviceState[], need: Need): Veto {
  const cannot = `${gpuNames(states)} cannot be read`;
  return veto('device-health', need.gpus === 1 ? cannot : `needs ${gpus(need.gpus)}, but ${cannot}`);
}

function foreignHolds(states: readonly DeviceState[], need: Need): Veto {
  const held = (state: DeviceState): number => state.device.foreignMib ?? 0;
  const least = states.reduce((a, b) => (held(b) < held(a) ? b : a));
  const holds = `GPU ${least.device.index} holds ${formatMib(held(least))} of others' processes`;
  return veto('memory', need.gpus === 1 ? holds : `needs ${gpus(need.gpus)}, but ${holds}`);
}

function shortOfMemory(states: readonly DeviceState[], need: Need, limits: ShieldLimits): Veto {
  const most = states.reduce((a, b) => (freeMib(b, limits) > freeMib(a, limits) ? b : a));
  const free = formatMib(freeMib(most, limits));
  return veto(
    'memory',
    `GPU memory: needs ${amount(need)}, most free is ${free} on GPU ${most.device.index}`,
  );
}

const gpus = (count: number): string => (count === 1 ? 'a GPU' : `${count} GPUs`);
const amount = (need: Need): string =>
  `${formatMib(need.vramMib ?? 0)}${need.gpus > 1 ? ` on each of ${need.gpus} GPUs` : ''}`;
const veto = (rule: Veto['rule'], reason: string): Veto => ({ rule, reason });
