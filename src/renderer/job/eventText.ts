import type { Actor, JobEvent } from '../../domain/lifecycle.ts';

/** Who did it, in a word for a row. */
export const ACTORS: Readonly<Record<Actor, string>> = {
  person: 'a person',
  scheduler: 'the scheduler',
  process: 'the job',
  engine: 'the engine',
};

/** An event in words. @param gpuOf a device's name on the board. */
export function eventText(event: JobEvent, gpuOf: (deviceId: string) => string): string {
  switch (event.kind) {
    case 'submitted':
      return event.spec.hold ? 'submitted, held back' : 'submitted';
    case 'held':
      return 'held back';
    case 'released':
      return 'released';
    case 'prioritised':
      return `priority set to ${event.priority}`;
    case 'moved':
      return 'moved in the queue';
    case 'launching':
      return `given ${event.devices.length === 0 ? 'the CPU' : event.devices.map(gpuOf).join(', ')}, attempt ${event.attempt}`;
    case 'launch-abandoned':
      return `not started after all: ${event.reason}`;
    case 'started':
      return `started as pid ${event.process.pid}`;
    case 'progressed':
      return `${event.progress.label}, ${Math.floor(event.progress.fraction * 100)} %`;
    case 'paused':
      return `paused (${event.method}), VRAM ${event.holdsVram ? 'stays held' : 'is free'}`;
    case 'resumed':
      return 'resumed';
    case 'vram':
      return event.held ? 'its VRAM is held again' : 'its VRAM is free';
    case 'throttled':
      return event.throttle === null
        ? 'runs at full speed again'
        : `held at ${Math.round(event.throttle.share * 100)} % of its speed`;
    case 'preempting':
      return `told to write its checkpoint and end: ${event.reason}`;
    case 'stopping':
      return `told to end: ${event.reason}`;
    case 'exited':
      return `ended with exit code ${event.exitCode}${event.cause === null ? '' : `: ${event.cause}`}`;
    case 'withdrawn':
      return `withdrawn: ${event.reason}`;
    case 'undone':
      return 'its withdrawal was taken back';
    case 'launch-failed':
      return `could not start: ${event.reason}`;
    case 'lost':
      return `lost: ${event.reason}`;
    case 'misplaced':
      return `misplaced: ${event.reason}`;
    case 'retried':
      return 'put back into the queue for another attempt';
  }
}
