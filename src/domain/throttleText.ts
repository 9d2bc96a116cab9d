import type { Job } from './job.ts';

/** `, held at 40 % of its speed`, to follow a status; empty where nothing holds it. */
export const throttleText = ({ throttle }: Pick<Job, 'throttle'>): string =>
  throttle === null ? '' : `, held at ${Math.round(throttle.share * 100)} % of its speed`;
