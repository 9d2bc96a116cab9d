import type { Job } from './job.ts';

/** `, held at 40 % of its speed`, to follow a status; empty where nothing holds it. */
export function throttleText({ throttle }: Pick<Job, 'throttle'>): string {
  if (throttle === null) return '';
  const percent = `${Math.round(throttle.share * 100)} %`;
  switch (throttle.method) {
    case 'cpu-quota':
      return `, held at ${percent} of the processors`;
    case 'nice':
      return `, gives way to others on the processors, down to ${percent}`;
    case 'gpu-power':
      return `, its GPUs held at ${percent} of their power`;
    default:
      return `, held at ${percent} of its speed`;
  }
}
