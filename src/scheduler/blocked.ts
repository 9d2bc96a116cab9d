import type { Veto } from '../domain/decision.ts';
import { withRemedy } from '../domain/foreignRemedy.ts';
import { formatMib } from '../domain/units.ts';
import { type DeviceState, type Fit, fitOn, freeMib, type Machine, type Need } from './machine.ts';
import type { ForeignHold, ShieldLimits } from './snapshot.ts';

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
  left -= count('owner');
  if (left < need.gpus) return [ownerSitsAt(those('owner'), need)];
  left -= count('closed');
  if (left < need.gpus) return [closedBy(those('closed'), need)];
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

/** Devices are kept for a job that has waited too long, or has a deadline to meet. */
export function startsLaterThan(
  { jobId, urgent }: { readonly jobId: number; readonly urgent: boolean },
  kept: readonly DeviceState[],
): Veto {
  return urgent
    ? veto('deadline', `#${jobId} has a deadline to meet: ${gpuNames(kept)} kept for it`)
    : veto('starvation', `#${jobId} has waited longest: ${gpuNames(kept)} kept for it`);
}

/** Devices are kept for somebody by the owner. @param reason why the first of them is. */
export function reservedFor(kept: readonly DeviceState[], reason: string): Veto {
  return veto('reservation', `${gpuNames(kept)}: ${reason}`);
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

function ownerSitsAt(states: readonly DeviceState[], need: Need): Veto {
  const kept = `${gpuNames(states)} ${states.length === 1 ? 'is' : 'are'} kept free for its owner, who is present`;
  return veto('owner-present', need.gpus === 1 ? kept : `needs ${gpus(need.gpus)}, but ${kept}`);
}

function closedBy(states: readonly DeviceState[], need: Need): Veto {
  const [first] = states as [DeviceState];
  const { rule, reason } = first.device.closed as Veto;
  return veto(rule, need.gpus === 1 ? reason : `needs ${gpus(need.gpus)}, but ${reason}`);
}

function foreignHolds(states: readonly DeviceState[], need: Need): Veto {
  const held = (state: DeviceState): number => state.device.foreignMib ?? 0;
  const least = states.reduce((a, b) => (held(b) < held(a) ? b : a));
  const { foreign, index } = least.device;
  const rule = foreign?.avoid ? 'foreign' : 'memory';
  const holds = foreign
    ? heldBy(foreign, index, need)
    : `GPU ${index} holds ${formatMib(held(least))} of others' processes`;
  return veto(rule, need.gpus === 1 ? holds : `needs ${gpus(need.gpus)}, but ${holds}`);
}

/** `11.2 GiB of GPU 1 is held by alice's python, idle for 2 days`. */
function heldBy({ who, pid, memoryMib, idle, avoid }: ForeignHold, index: number, need: Need): string {
  const amount = memoryMib === null ? `GPU ${index}` : `${formatMib(memoryMib)} of GPU ${index}`;
  const held = `${amount} is held by ${who}${idle === null ? '' : `, idle for ${idle}`}`;
  if (avoid) return withRemedy(held, { kind: 'share', index });
  // What declared its need does not fit beside it, whoever minds whom.
  return need.vramMib === null ? withRemedy(held, { kind: 'ignore', index, pid }) : held;
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
