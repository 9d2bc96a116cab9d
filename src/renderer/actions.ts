import { modals } from '@mantine/modals';
import { notifications } from '@mantine/notifications';
import type { JobView } from '../contract/messages.ts';
import type { Device } from '../domain/device.ts';
import type { DeviceRules } from '../domain/deviceRules.ts';
import type { ForeignRemedy } from '../domain/foreignRemedy.ts';
import { isTerminal, type JobStatus, PRIORITY_LIMIT } from '../domain/job.ts';
import type { PolicyName } from '../domain/policyNames.ts';
import { client } from './connection.ts';
import { withAnswer, withMove } from './store/state.ts';
import { store } from './store/store.ts';
import { cancelQuestion, listJobs } from './text/cancelQuestion.ts';
import { troubleText } from './text/troubleText.ts';
import { visibleText } from './text/visibleText.ts';

/** What a person can do to a job from its row. */
export type JobAction = 'pause' | 'resume' | 'hold' | 'release' | 'retry' | 'cancel';

const POSSIBLE: Readonly<Record<JobAction, readonly JobStatus[]>> = {
  pause: ['running'],
  resume: ['paused'],
  hold: ['queued'],
  release: ['held'],
  retry: ['succeeded', 'failed', 'cancelled', 'timed-out', 'lost'],
  cancel: ['queued', 'held', 'starting', 'running', 'paused'],
};
const DONE: Readonly<Record<JobAction, string>> = {
  pause: 'paused',
  resume: 'resumed',
  hold: 'held back',
  release: 'released',
  retry: 'put back into the queue',
  cancel: 'cancelled',
};

/** True if `action` can be done to a job that is `status`. */
export const isPossible = (action: JobAction, status: JobStatus): boolean =>
  POSSIBLE[action].includes(status);

/** True while the place of the job in the queue means something. */
export const isMovable = (status: JobStatus): boolean => status === 'queued' || status === 'held';

/** Does `action` to those of `jobs` for which it is possible; asks first before it ends what runs. */
export function act(action: JobAction, jobs: readonly JobView[]): void {
  const those = jobs.filter((job) => isPossible(action, job.status));
  if (those.length === 0) {
    if (jobs.length > 0)
      say(
        `nothing to ${action}: ${listJobs(jobs)} ${jobs.length === 1 ? `is ${jobs[0]!.status}` : 'are in another state'}`,
      );
    return;
  }
  const question = action === 'cancel' ? cancelQuestion(those) : null;
  if (question === null) {
    void perform(action, those);
    return;
  }
  modals.openConfirmModal({
    title: question.title,
    children: question.text,
    labels: { confirm: question.confirm, cancel: question.refuse },
    confirmProps: { color: 'alarm' },
    onConfirm: () => void perform(action, those),
  });
}

async function perform(action: JobAction, jobs: readonly JobView[]): Promise<void> {
  const done: JobView[] = [];
  for (const job of jobs) {
    try {
      const answer = await client().jobs[action]({ id: job.id });
      store.update((state) => withAnswer(state, answer));
      done.push(job);
    } catch (error) {
      sayTrouble(`#${job.id} was not ${DONE[action]}`, error);
    }
  }
  if (done.length > 0) say(`${DONE[action]} ${listJobs(done)}`);
}

/** Priorities that were asked for and not answered yet, by job. */
const asked = new Map<number, number>();

/** Sets a job's priority; answers false when the engine refused. */
export async function prioritise(job: JobView, priority: number): Promise<boolean> {
  if (priority === (asked.get(job.id) ?? job.priority) || isTerminal(job.status)) return true;
  asked.set(job.id, priority);
  try {
    const answer = await client().jobs.prioritise({ id: job.id, priority });
    store.update((state) => withAnswer(state, answer));
    return true;
  } catch (error) {
    sayTrouble(`the priority of #${job.id} stays ${job.priority}`, error);
    return false;
  } finally {
    if (asked.get(job.id) === priority) asked.delete(job.id);
  }
}

/** Changes a job's priority by `by`, within the limits; presses that come before an answer add up. */
export function raise(job: JobView, by: number): void {
  const wanted = (asked.get(job.id) ?? job.priority) + by;
  void prioritise(job, Math.max(-PRIORITY_LIMIT, Math.min(PRIORITY_LIMIT, wanted)));
}

/** Puts a waiting job directly before another (null: last). Shown at once, put back if the engine refuses. */
export async function move(job: JobView, beforeId: number | null): Promise<void> {
  store.update((state) => withMove(state, job.id, beforeId));
  try {
    const answer = await client().jobs.move({ id: job.id, beforeId });
    store.update((state) => withAnswer(state, answer));
  } catch (error) {
    store.update((state) => withAnswer(state, job));
    sayTrouble(`#${job.id} was not moved`, error);
  }
}

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

/** Puts a job that is over back into the queue, with its GPUs to itself or with more memory. */
export async function retryWith(jobId: number, change: { alone?: true; vramMib?: number }): Promise<void> {
  try {
    const answer = await client().jobs.retry({ id: jobId, ...change });
    store.update((state) => withAnswer(state, answer));
    say(`#${jobId} is ${DONE.retry}`);
  } catch (error) {
    sayTrouble(`#${jobId} was not ${DONE.retry}`, error);
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

/** A short confirmation. */
export function say(message: string): void {
  notifications.show({ message, withBorder: true, autoClose: 4000, withCloseButton: false });
}

/** Something did not work: what, and what the engine says about it. */
export function sayTrouble(what: string, error: unknown): void {
  notifications.show({
    title: what,
    message: visibleText(troubleText(error)),
    color: 'alarm',
    withBorder: true,
    autoClose: 10_000,
    closeButtonProps: { 'aria-label': 'Close this message' },
  });
}
