import type { Throttles } from '../control/throttles.ts';
import type { Runner } from '../jobs/runner.ts';
import type { Yielding } from './warden.ts';

/** What guards do to jobs. */
export function yieldingOf(runner: Runner, throttles: Throttles): Yielding {
  return {
    pause: (jobId) => void runner.pause(jobId, 'guard'),
    resume: (jobId) => void runner.resume(jobId, 'guard'),
    throttle: (jobId, percent) => throttles.setForGuard(jobId, percent === null ? null : percent / 100),
  };
}
