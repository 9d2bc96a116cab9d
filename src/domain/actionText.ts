import type { Action } from './decision.ts';
import type { Device } from './device.ts';

/** An action in words: `start #12 on GPU 0, 1`, `wait`. */
export function actionText(action: Action, devices: readonly Pick<Device, 'id' | 'index'>[]): string {
  if (action.kind === 'wait') return 'start nothing more';
  if (action.kind !== 'launch') return `${VERBS[action.kind]} #${action.jobId}`;
  if (action.deviceIds.length === 0) return `start #${action.jobId} on the CPU`;
  const indices = action.deviceIds.map((id) => devices.find((device) => device.id === id)?.index ?? '?');
  return `start #${action.jobId} on GPU ${indices.join(', ')}`;
}

const VERBS = { preempt: 'stop at its checkpoint', pause: 'pause', resume: 'let go on' } as const;
