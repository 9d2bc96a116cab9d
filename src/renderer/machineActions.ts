import type { Device } from '../domain/device.ts';
import type { DeviceRules } from '../domain/deviceRules.ts';
import type { ForeignRemedy } from '../domain/foreignRemedy.ts';
import type { PolicyName } from '../domain/policyNames.ts';
import { client } from './connection.ts';
import { store } from './store/store.ts';
import { say, sayTrouble } from './toasts.tsx';

/** Puts another policy in charge. */
export async function setPolicy(policy: PolicyName): Promise<void> {
  try {
    const scheduler = await client().scheduler.setPolicy({ policy });
    store.update((state) => (state.machine ? { ...state, machine: { ...state.machine, scheduler } } : state));
    say(`${scheduler.policy} decides from now on`);
  } catch (error) {
    sayTrouble('the policy was not changed', error);
  }
}

/** Starts nothing from now on, or again what waits. */
export async function setDrain(on: boolean): Promise<void> {
  try {
    const scheduler = await client().scheduler.drain({ on });
    store.update((state) => (state.machine ? { ...state, machine: { ...state.machine, scheduler } } : state));
    say(on ? 'what runs goes on, and nothing is started' : 'jobs are started again');
  } catch (error) {
    sayTrouble(on ? 'jobs are still started' : 'still nothing is started', error);
  }
}

/** Does what a waiting job's reason proposes about others' processes. */
export async function applyRemedy(remedy: ForeignRemedy): Promise<void> {
  const device = store.get().machine?.devices.find(({ index }) => index === remedy.index);
  if (device === undefined) return;
  if (remedy.kind === 'share') await setDeviceRules(device, { foreign: 'share' });
  else await ignoreProcess(device, remedy.pid, true);
}

/** Changes what the owner wants of a device. */
export async function setDeviceRules(device: Device, rules: Partial<DeviceRules>): Promise<void> {
  try {
    withDevice(await client().devices.setRules({ id: device.id, rules }));
  } catch (error) {
    sayTrouble(`the rules of GPU ${device.index} were not changed`, error);
  }
}

/** Lets jobs onto a device in spite of somebody else's process there, or minds it again. */
export async function ignoreProcess(device: Device, pid: number, on: boolean): Promise<void> {
  try {
    withDevice(await client().devices.ignore({ id: device.id, pid, on }));
  } catch (error) {
    sayTrouble(`process ${pid} is ${on ? 'still minded' : 'not minded again'}`, error);
  }
}

function withDevice(device: Device): void {
  store.update((state) =>
    state.machine === null
      ? state
      : {
          ...state,
          machine: {
            ...state.machine,
            devices: state.machine.devices.map((one) => (one.id === device.id ? device : one)),
          },
        },
  );
}
