import type { Job } from '../../domain/job.ts';
import type { PauseBy, ThrottleBy } from '../../domain/rungSchemas.ts';

/**
 * What runs jobs: this machine, or another queue. What a person does to a job goes to whoever has it; each answers with the
 * job as it is recorded then, and throws a {@link ConflictError} where it cannot be done, with nothing recorded.
 */
export interface JobExecutor {
  /** @param together names all that are cancelled in one go. */
  cancel(jobId: number, together?: number): Job | Promise<Job>;
  hold(jobId: number): Job | Promise<Job>;
  release(jobId: number): Job | Promise<Job>;
  pause(jobId: number, wanted?: { by?: PauseBy | undefined; freeVram?: boolean }): Job | Promise<Job>;
  resume(jobId: number): Job | Promise<Job>;
  /** It leaves what it runs on to others, and waits again. */
  preempt(jobId: number): Job | Promise<Job>;
  /** @param share null: it runs as it can. */
  throttle(jobId: number, share: number | null, by?: ThrottleBy | undefined): Job | Promise<Job>;
}
