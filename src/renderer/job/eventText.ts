import type { LoggedEvent } from '../../contract/messages.ts';
import type { Actor, JobEvent } from '../../domain/lifecycle.ts';
import { engineText } from '../i18n/engineText.ts';
import { t } from '../i18n/t.ts';

const DEPUTIES = { agent: t('agent'), token: t('token') } as const;

const ACTORS: Readonly<Record<Actor, string>> = {
  person: t('a person'),
  scheduler: t('the scheduler'),
  process: t('the job'),
  engine: t('the engine'),
};

/** Who did it, in a word or two for a row. */
export const actorOf = ({ actor, by }: LoggedEvent): string =>
  by === null ? ACTORS[actor] : `${DEPUTIES[by.kind]} ${by.name}`;

/** An event in words. @param gpuOf a device's name on the board. */
export function eventText(event: JobEvent, gpuOf: (deviceId: string) => string): string {
  switch (event.kind) {
    case 'submitted':
      return event.spec.hold ? t('submitted, held back') : t('submitted');
    case 'held':
      return t('held back');
    case 'released':
      return t('released');
    case 'prioritised':
      return t('priority set to {{priority}}', { priority: event.priority });
    case 'moved':
      return event.back ? t('put back where it was in the queue') : t('moved in the queue');
    case 'pinned':
      return event.devices === null
        ? t('may start anywhere')
        : t('kept to {{gpus}}', { gpus: event.devices.map(gpuOf).join(', ') });
    case 'launching':
      return t('given {{a}}, attempt {{attempt}}', {
        a: event.devices.length === 0 ? t('the CPU') : event.devices.map(gpuOf).join(', '),
        attempt: event.attempt,
      });
    case 'launch-abandoned':
      return t('not started after all: {{reason}}', { reason: engineText(event.reason) });
    case 'started':
      return t('started as pid {{pid}}', { pid: event.process.pid });
    case 'progressed':
      return `${event.progress.label}, ${Math.floor(event.progress.fraction * 100)} %`;
    case 'paused':
      return t('paused ({{method}}), VRAM {{a}}', {
        method: event.method,
        a: event.holdsVram ? t('stays held') : t('is free'),
      });
    case 'resumed':
      return t('resumed');
    case 'vram':
      return event.held ? t('its VRAM is held again') : t('its VRAM is free');
    case 'throttled':
      return event.throttle === null
        ? t('runs at full speed again')
        : t('held at {{a}} % of its speed', { a: Math.round(event.throttle.share * 100) });
    case 'preempting':
      return t('told to write its checkpoint and end: {{reason}}', { reason: engineText(event.reason) });
    case 'stopping':
      return t('told to end: {{reason}}', { reason: engineText(event.reason) });
    case 'exited':
      return t('ended with exit code {{exitCode}}{{a}}', {
        exitCode: event.exitCode,
        a: event.cause === null ? '' : `: ${engineText(event.cause)}`,
      });
    case 'withdrawn':
      return t('withdrawn: {{reason}}', { reason: engineText(event.reason) });
    case 'undone':
      return t('its withdrawal was taken back');
    case 'launch-failed':
      return t('could not start: {{reason}}', { reason: engineText(event.reason) });
    case 'lost':
      return t('lost: {{reason}}', { reason: engineText(event.reason) });
    case 'handed':
      return t('handed over, attempt {{attempt}}', { attempt: event.attempt });
    case 'taken':
      return t('taken there as job {{id}}', { id: event.remoteId });
    case 'handed-back':
      return t('handed back: {{reason}}', { reason: engineText(event.reason) });
    case 'began':
      return t('began on {{nodes}}', { nodes: event.nodes.join(', ') });
    case 'requeued':
      return t('put back into the queue there: {{reason}}', { reason: engineText(event.reason) });
    case 'ended':
      return t('ended there: {{outcome}}{{a}}', {
        outcome: event.outcome,
        a: event.cause === null ? '' : `: ${engineText(event.cause)}`,
      });
    case 'misplaced':
      return t('misplaced: {{reason}}', { reason: engineText(event.reason) });
    case 'retried':
      return t('put back into the queue for another attempt');
  }
}
