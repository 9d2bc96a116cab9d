import { randomBytes } from 'node:crypto';
import { ConflictError, FieldError, NotFoundError } from '../../domain/errors.ts';
import {
  type ExecutorCheck,
  type ExecutorConfig,
  type ExecutorView,
  parseChoice,
} from '../../domain/executor.ts';
import { type Finding, ok } from '../../domain/finding.ts';
import { isTerminal, type Job } from '../../domain/job.ts';
import type { ExecutorStore } from '../store/executorStore.ts';
import type { SettingStore } from '../store/settingStore.ts';
import type { JobExecutor } from './jobExecutor.ts';
import { SlurmExecutor, type SlurmExecutorOptions } from './slurm/slurmExecutor.ts';

export interface ExecutorsOptions extends Omit<SlurmExecutorOptions, 'config' | 'createdAtMs' | 'places'> {
  readonly here: JobExecutor;
  readonly store: ExecutorStore;
  readonly settings: SettingStore;
  readonly home: string;
  readonly runPath: (jobId: number, attempt: number) => string;
}

/** Whoever runs jobs: this machine, and the other queues that the owner has named. */
export class Executors {
  readonly #options: ExecutorsOptions;
  readonly #elsewhere = new Map<string, SlurmExecutor>();
  readonly #unlisten: () => void;
  readonly #homeId: string;

  constructor(options: ExecutorsOptions) {
    this.#options = options;
    this.#homeId = homeIdOf(options.settings);
    for (const { config, createdAtMs } of options.store.list()) this.#take(config, createdAtMs);
    this.#unlisten = options.ledger.onEvent(({ actor }, job) => {
      // What is over may be what others wait for; what an executor did itself is no news to it.
      const over = isTerminal(job.status);
      if (!over && (job.executor === null || actor === 'engine' || actor === 'process')) return;
      for (const [name, executor] of this.#elsewhere) {
        if (over ? executor.view.waiting > 0 : parseChoice(job.executor!).name === name) executor.request();
      }
    });
  }

  /** Takes up what was handed over before. Call once, when everything else is there. */
  start(): void {
    for (const executor of this.#elsewhere.values()) executor.request();
  }

  async stop(): Promise<void> {
    this.#unlisten();
    await Promise.all([...this.#elsewhere.values()].map((executor) => executor.stop()));
  }

  /** Whoever has a job. @throws {NotFoundError} @throws {ConflictError} if its executor was removed. */
  of(jobId: number): JobExecutor {
    const { executor } = this.#options.ledger.get(jobId);
    if (executor === null) return this.#options.here;
    const { name } = parseChoice(executor);
    const found = this.#elsewhere.get(name);
    if (found !== undefined) return found;
    throw new ConflictError(`job ${jobId} was for ${name}, which was removed`, 'add that executor again');
  }

  whyWaiting(job: Job): string {
    const { name } = parseChoice(job.executor!);
    return this.#elsewhere.get(name)?.whyWaiting(job) ?? `there is no executor ${name}`;
  }

  /** @throws {FieldError} for a name that no executor has. */
  checkChoice(choice: string): void {
    const { name } = parseChoice(choice);
    if (this.#elsewhere.has(name)) return;
    const known = [...this.#elsewhere.keys()].join(', ');
    throw new FieldError(
      'executor',
      choice,
      known === '' ? 'there is none: add it with `stint executor add slurm`' : `choose from ${known}`,
    );
  }

  list(): ExecutorView[] {
    return [...this.#elsewhere.values()].map(({ view }) => view);
  }

  /** How each is doing, without asking it anew. */
  findings(): Finding[] {
    return this.list().map(({ name, state, trouble, version }) => {
      const about = `executor ${name}`;
      if (state === 'trouble') {
        const remedy = `stint executor test ${name} says what it lacks; its jobs stay as they are recorded`;
        return { about, severity: 'warning', found: trouble ?? 'it does not answer', remedy };
      }
      if (state === 'ok') return ok(about, `answers${version === null ? '' : `, version ${version}`}`);
      const remedy = `stint executor test ${name} tries it`;
      return { about, severity: 'note', found: 'has no jobs of ours, and is not asked', remedy };
    });
  }

  /** @throws {FieldError} if the name is taken. */
  add(config: ExecutorConfig): ExecutorView {
    const { store, clock } = this.#options;
    const createdAtMs = clock.nowMs();
    if (!store.add(config, createdAtMs))
      throw new FieldError(
        'name',
        config.name,
        'there is an executor of that name: remove it first, or choose another',
      );
    return this.#take(config, createdAtMs).view;
  }

  /** @throws {NotFoundError} */
  get(name: string): SlurmExecutor {
    const found = this.#elsewhere.get(name);
    if (found === undefined)
      throw new NotFoundError('executor', name, 'stint executor ls shows those that there are');
    return found;
  }

  test(name: string): Promise<ExecutorCheck[]> {
    return this.get(name).check();
  }

  /** @throws {ConflictError} while it has jobs that are not over. */
  async remove(name: string): Promise<void> {
    const executor = this.get(name);
    const { waiting, pending, running } = executor.view;
    const jobs = waiting + pending + running;
    if (jobs > 0) {
      throw new ConflictError(
        `${name} has ${jobs === 1 ? 'a job that is' : `${jobs} jobs that are`} not over`,
        'cancel them or wait for them first',
      );
    }
    this.#options.store.remove(name);
    this.#elsewhere.delete(name);
    await executor.stop();
  }

  #take(config: ExecutorConfig, createdAtMs: number): SlurmExecutor {
    const { runPath, home } = this.#options;
    const places = { runPath, home, homeId: this.#homeId };
    const executor = new SlurmExecutor({ ...this.#options, config, createdAtMs, places });
    this.#elsewhere.set(config.name, executor);
    return executor;
  }
}

/** Tells the submissions of this data directory from those of others of the same user. */
function homeIdOf(settings: SettingStore): string {
  const known = settings.get('homeId');
  if (known !== null) return known;
  const made = randomBytes(6).toString('hex');
  settings.set('homeId', made);
  return made;
}
