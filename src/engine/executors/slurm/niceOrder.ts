import { ConflictError } from '../../../domain/errors.ts';
import type { ExecutorOrder } from '../../../domain/executor.ts';
import type { Job } from '../../../domain/job.ts';
import type { SlurmContext } from './context.ts';

/** Changes in one go, and how often there may be any: each is a command of Slurm's. */
const MOST_AT_ONCE = 50;
const EVERY_MS = 30_000;

/** Orders what is pending in Slurm by `nice`, from 0 for the first to what the owner allows for the last. */
export class NiceOrder {
  readonly #context: SlurmContext;
  readonly #order: (jobs: readonly Job[]) => Job[];
  readonly #given = new Map<number, number>();
  #nextAtMs = 0;

  constructor(context: SlurmContext, order: (jobs: readonly Job[]) => Job[]) {
    this.#context = context;
    this.#order = order;
  }

  /** @param jobs of ours that are there. */
  proposed(jobs: readonly Job[]): ExecutorOrder {
    const pending = jobs.filter(
      ({ remote, status, startedAtMs }) => remote?.id != null && status === 'queued' && startedAtMs === null,
    );
    const ordered = this.#order(pending);
    const { niceSpread } = this.#context.config();
    const step = ordered.length < 2 ? 0 : niceSpread / (ordered.length - 1);
    const wanted = ordered.map(({ id }, at) => ({
      jobId: id,
      nice: Math.round(at * step),
      given: this.#given.get(id) ?? null,
    }));
    for (const id of this.#given.keys())
      if (!wanted.some(({ jobId }) => jobId === id)) this.#given.delete(id);
    return { applied: wanted.every(({ nice, given }) => nice === (given ?? 0)), jobs: wanted };
  }

  /** Now and then, where the policy acts by itself. @throws {SlurmError} in an outage. */
  async keep(jobs: readonly Job[]): Promise<void> {
    const { clock, config } = this.#context;
    if (config().niceSpread === 0 || clock.monotonicMs() < this.#nextAtMs) return;
    this.#nextAtMs = clock.monotonicMs() + EVERY_MS;
    await this.apply(jobs);
  }

  /** @throws {ConflictError} where the owner allows none. @throws {SlurmError} */
  async apply(jobs: readonly Job[]): Promise<ExecutorOrder> {
    const { commands, ledger, config, isStopped } = this.#context;
    if (config().niceSpread === 0) {
      const { name } = config();
      throw new ConflictError(`${name} is to be ordered by nobody`, 'add it with --nice N for that');
    }
    const changes = this.proposed(jobs).jobs.filter(({ nice, given }) => nice !== (given ?? 0));
    for (const { jobId, nice } of changes.slice(0, MOST_AT_ONCE)) {
      const { remote, status } = ledger.get(jobId);
      if (isStopped() || remote?.id == null || status !== 'queued') continue;
      await commands.run('scontrol', ['update', `JobId=${remote.id}`, `Nice=${nice}`]);
      this.#given.set(jobId, nice);
    }
    return this.proposed(jobs);
  }
}
