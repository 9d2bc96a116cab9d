import { UnavailableError } from '../../domain/errors.ts';

/**
 * A probe that cannot be started. `absent`: there is nothing of its kind on this machine, as opposed to
 * something that is there and does not answer.
 */
export class ProbeError extends UnavailableError {
  readonly absent: boolean;
  /** The message without its remedy. */
  readonly problem: string;

  constructor(problem: string, remedy: string, absent: boolean) {
    super(problem, remedy);
    this.absent = absent;
    this.problem = problem;
  }
}
