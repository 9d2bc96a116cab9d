import type { Device } from '../../domain/device.ts';
import type { DeviceRules, Reservation } from '../../domain/deviceRules.ts';
import { ConflictError, FieldError, NotFoundError } from '../../domain/errors.ts';
import type { MachineRules } from '../../domain/machineRules.ts';
import type { DeviceRegistry } from '../devices/deviceRegistry.ts';
import type { Clock } from '../ports.ts';
import type { RuleStore } from '../store/ruleStore.ts';

/** Reservations are made for this time at most: what lasts longer is a rule. */
const LONGEST_MS = 31 * 24 * 3600 * 1000;

/** What is given of rules to change; what is undefined stays. */
type Change<T> = { readonly [K in keyof T]?: T[K] | undefined };

export interface OwnerOptions {
  readonly rules: RuleStore;
  readonly registry: DeviceRegistry;
  readonly clock: Clock;
  /** Called after each change. */
  readonly onChange: () => void;
}

/** Takes the owner's wishes: checks them against the machine, keeps them, and lets them take effect. */
export class Owner {
  private readonly options: OwnerOptions;

  constructor(options: OwnerOptions) {
    this.options = options;
  }

  /** @throws {NotFoundError} */
  setRules(deviceId: string, change: Change<DeviceRules>): Device {
    const { rules } = this.options;
    this.device(deviceId);
    rules.setRules(deviceId, { ...rules.rulesOf(deviceId), ...given(change) });
    return this.changed(deviceId);
  }

  /** @throws {NotFoundError} @throws {ConflictError} if no such process is on the device. */
  ignore(deviceId: string, pid: number, on: boolean): Device {
    const { rules, registry } = this.options;
    const { index, foreign } = this.device(deviceId);
    const process = registry.processOn(deviceId, pid);
    if (process === null || !foreign.some((one) => one.pid === pid)) {
      const there = foreign.map((one) => one.pid).join(', ');
      throw new ConflictError(
        `process ${pid} is not one of somebody else's on GPU ${index}`,
        there === '' ? 'nobody else is on it' : `choose from ${there}`,
      );
    }
    rules.ignore({ deviceId, ...process.identity, command: process.command }, on);
    return this.changed(deviceId);
  }

  /**
   * Takes note of what the driver reported of it, and lets jobs start there again.
   * @throws {NotFoundError} @throws {ConflictError} where nothing of the kind keeps it closed.
   */
  reopen(deviceId: string): Device {
    const { faults } = this.options.registry;
    const { index } = this.device(deviceId);
    if (faults.closing(deviceId) === null)
      throw new ConflictError(
        `GPU ${index} is not closed because of a fault`,
        `stint device ${index} shows what keeps jobs from it`,
      );
    faults.clear(deviceId);
    return this.changed(deviceId);
  }

  /** @throws {NotFoundError} @throws {FieldError} for a time that has been, ends before it begins, or is taken. */
  reserve(wanted: Omit<Reservation, 'id'>): Reservation {
    const { rules, clock, onChange } = this.options;
    const { deviceId, fromMs, toMs } = wanted;
    this.device(deviceId);
    const nowMs = clock.nowMs();
    if (toMs <= fromMs) throw new FieldError('toMs', toMs, 'give a moment after its beginning');
    if (toMs <= nowMs) throw new FieldError('toMs', toMs, 'give a moment to come');
    if (toMs - fromMs > LONGEST_MS) throw new FieldError('toMs', toMs, 'give at most 31 days');
    const taken = rules
      .reservations()
      .find((one) => one.deviceId === deviceId && one.fromMs < toMs && fromMs < one.toMs);
    if (taken !== undefined) {
      throw new ConflictError(
        `that device is reserved for ${taken.user} in that time (reservation ${taken.id})`,
        `choose another time, or remove it: stint unreserve ${taken.id}`,
      );
    }
    const made = rules.reserve(wanted, nowMs);
    onChange();
    return made;
  }

  reservations(): Reservation[] {
    const nowMs = this.options.clock.nowMs();
    return this.options.rules.reservations().filter(({ toMs }) => toMs > nowMs);
  }

  /** @throws {NotFoundError} */
  unreserve(id: number): { id: number } {
    if (!this.options.rules.unreserve(id)) {
      throw new NotFoundError('reservation', id, 'stint reservations shows those that there are');
    }
    this.options.onChange();
    return { id };
  }

  machine(): MachineRules {
    return this.options.rules.machine();
  }

  setMachine(change: Change<MachineRules>): MachineRules {
    const { rules, onChange } = this.options;
    rules.setMachine({ ...rules.machine(), ...given(change) });
    onChange();
    return rules.machine();
  }

  private device(deviceId: string): Device {
    const device = this.options.registry.get(deviceId);
    if (device === null)
      throw new NotFoundError('device', deviceId, 'stint devices shows those that there are');
    return device;
  }

  private changed(deviceId: string): Device {
    this.options.onChange();
    return this.device(deviceId);
  }
}

function given<T extends object>(change: Change<T>): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}
