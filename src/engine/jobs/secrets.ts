import {
  conceal,
  hasSecrets,
  occurrences,
  type Recorded,
  revealed,
  soughtFor,
} from '../../domain/concealment.ts';
import { ConflictError } from '../../domain/errors.ts';
import { isTerminal, type Job } from '../../domain/job.ts';
import type { JobEvent, JobEventKind } from '../../domain/lifecycle.ts';
import { type OwnNames, ownNames, replaceSpans, SECRET, withoutSecrets } from '../../domain/secrets.ts';
import type { SecretVault } from './secretVault.ts';

/** Events that say what a job wrote, or what went wrong with it. */
const QUOTING: ReadonlySet<JobEventKind> = new Set([
  'exited',
  'launch-failed',
  'lost',
  'progressed',
  'misplaced',
  'launch-abandoned',
  'handed-back',
  'requeued',
  'ended',
]);
const DAY_MS = 86_400_000;

export interface SecretsOptions {
  readonly vault: SecretVault;
  /** What the owner calls secret, and for how long secrets of jobs that are over are kept. */
  readonly rules: () => { readonly secretNames: readonly string[]; readonly secretDays: number };
}

/**
 * Keeps secrets of jobs out of every record: what is stored, shown, logged or sent has marks in their place, and only what
 * starts a job puts them back.
 */
export class Secrets {
  readonly vault: SecretVault;
  readonly #rules: SecretsOptions['rules'];
  #names: { readonly from: readonly string[]; readonly own: OwnNames } = { from: [], own: null };

  constructor({ vault, rules }: SecretsOptions) {
    this.vault = vault;
    this.#rules = rules;
  }

  /** What the owner calls secret. */
  own(): OwnNames {
    const { secretNames } = this.#rules();
    if (this.#names.from !== secretNames) this.#names = { from: secretNames, own: ownNames(secretNames) };
    return this.#names.own;
  }

  /** See `domain/concealment`. @throws {FieldError} */
  conceal<R extends Recorded>(jobs: readonly R[], strict = true): ReturnType<typeof conceal<R>> {
    return conceal(jobs, this.own(), strict);
  }

  /** What the marks of a job stand for; null: that is not kept, or it has none. */
  valuesOf({ id, array }: Pick<Job, 'id' | 'array'>): readonly string[] | null {
    return this.vault.read(id) ?? (array === null ? null : this.vault.read(array.id));
  }

  /** The job as it is to run. @throws {ConflictError} if its secrets were forgotten. */
  reveal(job: Job): Job {
    const values = this.valuesOf(job);
    const made = values === null ? job : revealed(job, values);
    if (!hasSecrets(made)) return made;
    throw new ConflictError(
      `the secrets of job ${job.id} are not kept any more`,
      'submit it again with the secrets themselves',
    );
  }

  /** An event as it may be recorded: what a job wrote may contain its secrets. */
  told(job: Job, event: JobEvent): JobEvent {
    return QUOTING.has(event.kind) ? this.cleanedFor(job, event) : event;
  }

  /** The same with secrets left out of every text in it: the job's own, and what looks like one. */
  cleanedFor<T>(job: Job, value: T): T {
    const sought = hasSecrets(job) ? soughtFor(this.valuesOf(job) ?? []) : null;
    return this.#cleaned(value, sought) as T;
  }

  /** Forgets what no job can need: secrets of jobs that ended long ago, or never came to be. */
  prune(jobsOf: (id: number) => readonly Job[], nowMs: number): void {
    const keptMs = this.#rules().secretDays * DAY_MS;
    for (const id of this.vault.ids()) {
      const needed = jobsOf(id).some(
        (job) => hasSecrets(job) && (!isTerminal(job.status) || (job.finishedAtMs ?? nowMs) + keptMs > nowMs),
      );
      if (!needed) this.vault.forget(id);
    }
  }

  #cleaned(value: unknown, sought: RegExp | null): unknown {
    if (typeof value === 'string') {
      const text = replaceSpans(value, occurrences(value, sought), () => SECRET);
      return withoutSecrets(text, this.own());
    }
    if (Array.isArray(value)) return value.map((one) => this.#cleaned(one, sought));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.#cleaned(one, sought)]));
  }
}
