import type { Veto } from './decision.ts';
import type { DeviceRules, Reservation, Yield } from './deviceRules.ts';
import { xidText } from './xid.ts';

/** A cap must be held for so long before jobs that run have to give way: a reading alone is no reason. */
const OVER_FOR_MS = 30_000;
/** Below the cap by so much it is over: else jobs would stop and go with every degree. */
const COOLED_C = 5;
const POWER_SHARE = 0.95;
/** What the owner started by hand is gone for so long before jobs come back. */
const HAND_MS = 30_000;

/** What is known of a device at one moment. */
export interface GuardFacts {
  /** Monotonic. */
  readonly monotonicMs: number;
  readonly nowMs: number;
  readonly temperatureC: number | null;
  readonly powerW: number | null;
  /** Since when nobody has touched the desk's keyboard or mouse; null: nobody sits there, or nobody knows. */
  readonly deskIdleMs: number | null;
  /** What the owner runs on it by hand: `python train.py`; null: nothing that works. */
  readonly byHand: string | null;
  readonly reservations: readonly Reservation[];
  /** The code of an Xid message after which it cannot be relied on; null: none. */
  readonly fault: number | null;
}

/** What must be remembered from one look to the next. Times are monotonic. */
export interface GuardMemory {
  readonly hotSinceMs: number | null;
  readonly powerSinceMs: number | null;
  readonly handAtMs: number | null;
}

export const NOTHING_REMEMBERED: GuardMemory = { hotSinceMs: null, powerSinceMs: null, handAtMs: null };

/** What jobs on the device must do, and why. */
export interface Demand {
  readonly kind: Exclude<Yield, 'off'>;
  /** `GPU 0 is at 91 °C, its cap is 85 °C`. */
  readonly reason: string;
  /** Whose jobs need not; null: everybody's must. */
  readonly exceptUser: string | null;
  readonly throttlePercent: number;
}

export interface Verdict {
  /** Why nothing new is started on it; null: things may. */
  readonly closed: Veto | null;
  readonly ownerPresent: boolean;
  readonly demands: readonly Demand[];
  readonly memory: GuardMemory;
}

/**
 * What the owner's rules mean for a device now.
 * @param index the device's, for people.
 */
export function guard(
  index: number,
  rules: DeviceRules,
  facts: GuardFacts,
  { hotSinceMs, powerSinceMs, handAtMs }: GuardMemory,
): Verdict {
  const { monotonicMs, temperatureC, powerW } = facts;
  const { maxTemperatureC, maxPowerW, overCap, throttlePercent } = rules;
  const hot = over(
    { value: temperatureC, cap: maxTemperatureC, calm: (maxTemperatureC ?? 0) - COOLED_C },
    hotSinceMs,
    monotonicMs,
  );
  const strong = over(
    { value: powerW, cap: maxPowerW, calm: (maxPowerW ?? 0) * POWER_SHARE },
    powerSinceMs,
    monotonicMs,
  );
  const hand = facts.byHand === null ? handAtMs : monotonicMs;
  const memory: GuardMemory = { hotSinceMs: hot, powerSinceMs: strong, handAtMs: hand };

  const closed: Veto[] = [];
  if (facts.fault !== null) {
    const remedy = `reset it (nvidia-smi --gpu-reset -i ${index}) or restart the machine, then \`stint device ${index} --reopen\``;
    closed.push({ rule: 'fault', reason: `GPU ${index} reported ${xidText(facts.fault)}; ${remedy}` });
  }
  const demands: Demand[] = [];
  const demand = (kind: Yield, reason: string, exceptUser: string | null = null): void => {
    if (kind !== 'off') demands.push({ kind, reason, exceptUser, throttlePercent });
  };
  const capped = (rule: 'temperature' | 'power', sinceMs: number | null, reason: string): void => {
    if (sinceMs === null) return;
    closed.push({ rule, reason });
    if (monotonicMs - sinceMs >= OVER_FOR_MS) demand(overCap, reason);
  };
  // Of the cap alone: a reason that changed with every degree would be told again with every degree.
  capped('temperature', hot, `GPU ${index} is too hot: its cap is ${maxTemperatureC} °C`);
  capped('power', strong, `GPU ${index} draws too much power: its cap is ${maxPowerW} W`);

  const present = rules.presence === 'off' ? null : presence(rules, facts, hand);
  if (present !== null) demand(rules.presence, `the owner of GPU ${index} ${present}`);
  for (const { fromMs, toMs, user, others } of facts.reservations) {
    if (fromMs <= facts.nowMs && facts.nowMs < toMs)
      demand(others, `GPU ${index} is reserved for ${user}`, user);
  }
  return { closed: closed[0] ?? null, ownerPresent: present !== null, demands, memory };
}

interface Cap {
  readonly value: number | null;
  readonly cap: number | null;
  /** Below this it is over. */
  readonly calm: number;
}

/** Since when it is over the cap; null: it is not. What is not measured stays as it was. */
function over({ value, cap, calm }: Cap, sinceMs: number | null, nowMs: number): number | null {
  if (cap === null) return null;
  if (value === null) return sinceMs;
  if (sinceMs === null) return value >= cap ? nowMs : null;
  return value < calm ? null : sinceMs;
}

function presence(
  rules: DeviceRules,
  { deskIdleMs, byHand, monotonicMs }: GuardFacts,
  handAtMs: number | null,
): string | null {
  if (byHand !== null) return `runs ${byHand} on it`;
  if (handAtMs !== null && monotonicMs - handAtMs < HAND_MS) return 'ran something on it a moment ago';
  return deskIdleMs !== null && deskIdleMs < rules.idleMin * 60_000 ? 'sits at the desk' : null;
}

/** The strongest of the demands that concern this user; null: none does. Of throttles the slowest. */
export function strongest(demands: readonly Demand[], user: string): Demand | null {
  let found: Demand | null = null;
  for (const demand of demands) {
    if (demand.exceptUser === user) continue;
    if (found === null || rank(demand) < rank(found)) found = demand;
  }
  return found;
}

const rank = ({ kind, throttlePercent }: Demand): number => (kind === 'pause' ? 0 : throttlePercent);
