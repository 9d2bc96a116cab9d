import type { SchedulerStatus } from '../contract/messages.ts';
import type { Device } from '../domain/device.ts';
import type { DeviceRules } from '../domain/deviceRules.ts';
import type { ForeignRemedy } from '../domain/foreignRemedy.ts';
import type { GiveWay } from '../domain/giveWay.ts';
import type { LearningLimits } from '../domain/learning.ts';
import type { Mode, Suggestion } from '../domain/mode.ts';
import type { PolicyName } from '../domain/policyNames.ts';
import type { GoalWeights } from '../domain/reward.ts';
import { client } from './connection.ts';
import { t } from './i18n/t.ts';
import { store } from './store/store.ts';
import { say, sayTrouble } from './toasts.tsx';

/** Puts another policy in charge. */
export async function setPolicy(policy: PolicyName): Promise<void> {
  try {
    const scheduler = await client().scheduler.setPolicy({ policy });
    showScheduler(scheduler);
    say(t('{{policy}} decides from now on', { policy: scheduler.policy }));
  } catch (error) {
    sayTrouble(t('the policy was not changed'), error);
  }
}

/** Puts a version of the learned policy in charge, whatever the gate said. */
export async function putInCharge(version: string): Promise<void> {
  try {
    showScheduler(await client().scheduler.promote({ version }));
    say(t('{{version}} is in charge', { version }));
  } catch (error) {
    sayTrouble(t('the version was not put in charge'), error);
  }
}

/** Puts the version back in charge that was before. */
export async function rollBack(): Promise<void> {
  try {
    const scheduler = await client().scheduler.rollBack();
    showScheduler(scheduler);
    say(t('{{version}} is in charge', { version: scheduler.policyVersion }));
  } catch (error) {
    sayTrouble(t('the version was not put in charge'), error);
  }
}

/** Has the gate hold a version against the one in charge, which takes minutes. */
export async function judgeVersion(version: string): Promise<void> {
  try {
    showScheduler(await client().scheduler.judge({ version }));
  } catch (error) {
    sayTrouble(t('{{version}} is not judged', { version }), error);
  }
}

/** Whether what is learned is kept from taking charge by itself. */
export async function setFrozen(on: boolean): Promise<void> {
  try {
    showScheduler(await client().scheduler.freeze({ on }));
  } catch (error) {
    sayTrouble(t('that was not changed'), error);
  }
}

/** Changes what learning may take. */
export async function setLearning(change: Partial<LearningLimits>): Promise<void> {
  try {
    showScheduler(await client().scheduler.setLearning(change));
  } catch (error) {
    sayTrouble(t('what learning may take was not changed'), error);
  }
}

/** Says who acts from now on. */
export async function setMode(mode: Mode): Promise<void> {
  try {
    showScheduler(await client().scheduler.setMode({ mode }));
    say(MODE_SET[mode]);
  } catch (error) {
    sayTrouble(t('who acts was not changed'), error);
  }
}

const MODE_SET: Readonly<Record<Mode, string>> = {
  manual: t('nothing starts by itself from now on'),
  advise: t('the policy suggests from now on, and the heuristic acts'),
  auto: t('the policy acts from now on'),
};

/** Has done what is suggested, or what the heuristic would do instead. */
export async function answer(suggestion: Suggestion, accept: boolean): Promise<void> {
  const { scheduler } = client();
  try {
    showScheduler(await (accept ? scheduler.accept : scheduler.overrule)({ id: suggestion.id }));
  } catch (error) {
    sayTrouble(t('nothing was done'), error);
  }
}

function showScheduler(scheduler: SchedulerStatus): void {
  store.update((state) => (state.machine ? { ...state, machine: { ...state.machine, scheduler } } : state));
}

/** Sets what the policy strives for. */
export async function setGoals(goals: Partial<GoalWeights>): Promise<void> {
  try {
    showScheduler(await client().scheduler.setGoals(goals));
  } catch (error) {
    sayTrouble(t('the goals were not changed'), error);
  }
}

/** Starts nothing from now on, or again what waits. */
export async function setDrain(on: boolean): Promise<void> {
  try {
    showScheduler(await client().scheduler.drain({ on }));
    say(on ? t('what runs goes on, and nothing is started') : t('jobs are started again'));
  } catch (error) {
    sayTrouble(on ? t('jobs are still started') : t('still nothing is started'), error);
  }
}

/** Changes what policies may do to running jobs. */
export async function setGiveWay(change: Partial<GiveWay>): Promise<void> {
  try {
    showScheduler(await client().scheduler.setGiveWay(change));
  } catch (error) {
    sayTrouble(t('what policies may do was not changed'), error);
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
    sayTrouble(t('the rules of GPU {{index}} were not changed', { index: device.index }), error);
  }
}

/** Lets jobs onto a device again that a fault had closed. */
export async function reopenDevice(device: Device): Promise<void> {
  try {
    withDevice(await client().devices.reopen({ id: device.id }));
  } catch (error) {
    sayTrouble(t('GPU {{index}} stays closed', { index: device.index }), error);
  }
}

/** Lets jobs onto a device in spite of somebody else's process there, or minds it again. */
export async function ignoreProcess(device: Device, pid: number, on: boolean): Promise<void> {
  try {
    withDevice(await client().devices.ignore({ id: device.id, pid, on }));
  } catch (error) {
    sayTrouble(
      t('process {{pid}} is {{a}}', { pid, a: on ? t('still minded') : t('not minded again') }),
      error,
    );
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
