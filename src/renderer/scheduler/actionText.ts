import type { Action } from '../../domain/decision.ts';
import type { Device } from '../../domain/device.ts';

/** An action in words: `start #12 on GPU 0, 1`, `wait`. */
export function actionText(action: Action, devices: readonly Pick<Device, 'id' | 'index'>[]): string {
  if (action.kind === 'wait') return 'start nothing more';
  if (action.kind !== 'launch') return `${VERBS[action.kind]} #${action.jobId}`;
  if (action.deviceIds.length === 0) return `start #${action.jobId} on the CPU`;
  const indices = action.deviceIds.map((id) => devices.find((device) => device.id === id)?.index ?? '?');
  return `start #${action.jobId} on GPU ${indices.join(', ')}`;
}

const VERBS = { preempt: 'stop at its checkpoint', pause: 'pause', resume: 'let go on' } as const;

/** True if both do the same. */
export function isSameAction(a: Action, b: Action): boolean {
  if (a.kind === 'wait' || b.kind === 'wait') return a.kind === b.kind;
  if (a.kind !== 'launch' || b.kind !== 'launch') return a.kind === b.kind && a.jobId === b.jobId;
  return (
    a.jobId === b.jobId &&
    a.deviceIds.length === b.deviceIds.length &&
    a.deviceIds.every((id) => b.deviceIds.includes(id))
  );
}
