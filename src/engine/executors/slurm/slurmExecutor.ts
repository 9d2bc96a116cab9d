import { ConflictError, messageOf, UnavailableError } from '../../../domain/errors.ts';
import {
  type ExecutorCheck,
  type ExecutorConfig,
  type ExecutorOrder,
  type ExecutorView,
  parseChoice,
} from '../../../domain/executor.ts';
import { isTerminal, type Job } from '../../../domain/job.ts';
import { mayHappen } from '../../../domain/lifecycle.ts';
import type { Mode } from '../../../domain/mode.ts';
import { localTime } from '../../scheduling/localTime.ts';
import type { JobExecutor } from '../jobExecutor.ts';
import { type SlurmCommand, SlurmCommands, SlurmError } from './commands.ts';
import type { SlurmContext } from './context.ts';
import { HandOver } from './handOver.ts';
import { Mirror } from './mirror.ts';
import { NiceOrder } from './niceOrder.ts';
import { readFacts, readQueue, type SlurmFacts } from './queue.ts';

/** After the first failure it is tried again so soon, then twice as late each time. */
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

export interface SlurmExecutorOptions
  extends Omit<SlurmContext, 'commands' | 'config' | 'facts' | 'reasons' | 'isStopped'> {
  readonly config: ExecutorConfig;
  readonly createdAtMs: number;
  /** Whose jobs they are there. */
  readonly user: string;
  /** Reasons of waiting jobs may have changed. */
  readonly onReasons: () => void;
  /** Jobs in the order in which the policy would have them go. */
  readonly order: (jobs: readonly Job[]) => Job[];
  /** Who acts. */
  readonly mode: () => Mode;
}

/**
 * One Slurm: jobs are handed over to it once, followed there, and recorded as if they ran here. While it cannot be reached
 * everything stays as it is recorded, and it is tried again, ever more rarely up to once a minute.
 */
export class SlurmExecutor implements JobExecutor {
  readonly #options: SlurmExecutorOptions;
  readonly #context: SlurmContext;
  readonly #commands: SlurmCommands;
  readonly #mirror: Mirror;
  readonly #handOver: HandOver;
  readonly #nice: NiceOrder;
  #config: ExecutorConfig;
  #facts: SlurmFacts | null = null;
  #trouble: string | null = null;
  #failures = 0;
  #nextTryAtMs: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #turn: Promise<void> | null = null;
  #again = false;
  #stopped = false;

  constructor(options: SlurmExecutorOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#commands = new SlurmCommands(() => this.#config, options.env);
    this.#context = {
      ...options,
      commands: this.#commands,
      config: () => this.#config,
      facts: () => this.#facts,
      reasons: new Map(),
      isStopped: () => this.#stopped,
    };
    this.#mirror = new Mirror(this.#context);
    this.#handOver = new HandOver(this.#context, (jobId) => this.#mirror.taken(jobId));
    this.#nice = new NiceOrder(this.#context, options.order);
  }

  get name(): string {
    return this.#config.name;
  }

  get view(): ExecutorView {
    const jobs = this.#jobs();
    const pending = jobs.filter(({ remote, startedAtMs }) => remote !== null && startedAtMs === null).length;
    const running = jobs.filter(({ startedAtMs }) => startedAtMs !== null).length;
    return {
      ...this.#config,
      createdAtMs: this.#options.createdAtMs,
      state: this.#trouble !== null ? 'trouble' : jobs.length === 0 ? 'idle' : 'ok',
      trouble: this.#trouble,
      nextTryAtMs: this.#trouble === null ? null : this.#nextTryAtMs,
      version: this.#facts?.version ?? null,
      cluster: this.#facts?.cluster ?? null,
      waiting: jobs.length - pending - running,
      pending,
      running,
    };
  }

  /** Looks soon: something changed here. Not sooner than it is due in an outage. */
  request(): void {
    if (this.#stopped) return;
    if (this.#turn !== null) {
      this.#again = true;
      return;
    }
    if (this.#trouble !== null && this.#timer !== null) return;
    this.#schedule(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#commands.stop();
    await this.#turn;
  }

  /** Why one of its jobs waits. */
  whyWaiting(job: Job): string {
    const { name } = this;
    if (this.#trouble !== null) return `${name} cannot be reached: ${this.#trouble}`;
    const known = this.#context.reasons.get(job.id);
    if (known !== undefined) return known;
    if (job.remote === null) return `it is handed over to ${name} next`;
    return job.remote.id === null ? `being handed over to ${name}` : `${name}, job ${job.remote.id}: pending`;
  }

  /** Tries what it needs of Slurm, and leaves nothing there. */
  async check(): Promise<ExecutorCheck[]> {
    const checks: ExecutorCheck[] = [];
    const attempt = async (what: string, act: () => Promise<string>): Promise<boolean> => {
      try {
        checks.push({ what, ok: true, detail: await act() });
        return true;
      } catch (error) {
        checks.push({ what, ok: false, detail: messageOf(error) });
        return false;
      }
    };
    const reached = await attempt('controller', async () => {
      this.#facts = await readFacts(this.#commands);
      return `Slurm ${this.#facts.version} of ${this.#facts.cluster} answers`;
    });
    if (!reached) return checks;
    await attempt('queue', async () => {
      const rows = await readQueue(this.#commands, this.#options.user);
      return `${rows.length} jobs of ${this.#options.user} are remembered there`;
    });
    await attempt('submission', async () => {
      const { partition, account, qos, options } = this.#config;
      const chosen = [
        ...(partition === null ? [] : [`--partition=${partition}`]),
        ...(account === null ? [] : [`--account=${account}`]),
        ...(qos === null ? [] : [`--qos=${qos}`]),
        ...options,
      ];
      await this.#commands.run(
        'sbatch',
        ['--test-only', '--output=/dev/null', ...chosen],
        '#!/bin/sh\ntrue\n',
      );
      return 'it would take a job';
    });
    await attempt('accounting', async () => {
      try {
        await this.#commands.run('sacct', ['-n', '-X', '-o', 'JobID', '-S', 'now-1minutes']);
        return 'it keeps accounts: ends are known however late they are asked for';
      } catch {
        const age = this.#facts!.minJobAgeS;
        return `it keeps none: ends are told by the jobs' own files, and by Slurm for ${age} s`;
      }
    });
    return checks;
  }

  /** How the policy would order what is pending there. @param apply true: it is done. */
  async order(apply: boolean): Promise<ExecutorOrder> {
    if (!apply) return this.#nice.proposed(this.#jobs());
    try {
      return await this.#nice.apply(this.#jobs());
    } catch (error) {
      if (!(error instanceof SlurmError)) throw error;
      throw new ConflictError(
        `${this.name} takes no order: ${error.message}`,
        'some of it may be done: look again',
      );
    }
  }

  cancel(jobId: number): Job {
    const { ledger } = this.#options;
    const job = ledger.get(jobId);
    if (job.status === 'stopping')
      throw new ConflictError(`job ${jobId} is already stopping`, 'wait for it to end');
    if (isTerminal(job.status))
      throw new ConflictError(`job ${jobId} is already over (${job.status})`, 'there is nothing to cancel');
    if (job.remote === null) {
      const reason = `cancelled before ${job.attempt === 0 ? 'it started' : 'another attempt'}`;
      return ledger.append(jobId, { kind: 'withdrawn', reason }, 'person');
    }
    const stopping = ledger.append(
      jobId,
      { kind: 'stopping', outcome: 'cancelled', reason: 'cancelled' },
      'person',
    );
    void this.#mirror.end(stopping).then(() => this.request());
    return stopping;
  }

  hold(jobId: number): Promise<Job> | Job {
    // As the user that it is: what an administrator holds, he alone releases.
    return this.#waiting(jobId, 'held', ['uhold']);
  }

  release(jobId: number): Promise<Job> | Job {
    return this.#waiting(jobId, 'released', ['release']);
  }

  async pause(jobId: number, wanted: { by?: string | undefined; freeVram?: boolean } = {}): Promise<Job> {
    const job = this.#options.ledger.get(jobId);
    if (wanted.freeVram || (wanted.by !== undefined && wanted.by !== 'auto')) {
      throw new ConflictError(
        `job ${jobId} is in ${this.name}, which pauses by suspending`,
        'leave that out, or preempt it: then it waits there again',
      );
    }
    const event = {
      kind: 'paused' as const,
      method: 'slurm',
      holdsVram: job.gpus > 0,
      by: 'person' as const,
    };
    return this.#act(jobId, 'paused', ['suspend'], event);
  }

  resume(jobId: number): Promise<Job> {
    return this.#act(jobId, 'resumed', ['resume'], { kind: 'resumed' });
  }

  /** It goes back to the end of Slurm's queue, and starts from the beginning, or its own checkpoint. */
  async preempt(jobId: number): Promise<Job> {
    const { ledger } = this.#options;
    const job = ledger.get(jobId);
    if (!mayHappen(job.status, 'requeued') || job.status === 'stopping')
      throw new ConflictError(`job ${jobId} is ${job.status}`, 'only a job that runs can be preempted');
    if (!job.restartable) {
      throw new ConflictError(
        `job ${jobId} does not say that it can be stopped and go on from a checkpoint`,
        'pause it, or submit such jobs with --restartable',
      );
    }
    await this.#tell(job, 'scontrol', ['requeue']);
    this.request();
    return ledger.get(jobId);
  }

  throttle(jobId: number): never {
    this.#options.ledger.get(jobId);
    throw new ConflictError(
      `job ${jobId} is in ${this.name}, which throttles nothing`,
      'pause it, or give such jobs less with --slurm',
    );
  }

  /** What waits: here, where it was not handed over yet, else there. */
  #waiting(jobId: number, kind: 'held' | 'released', verb: string[]): Promise<Job> | Job {
    const { ledger } = this.#options;
    const job = ledger.get(jobId);
    if (job.remote === null) return ledger.append(jobId, { kind }, 'person');
    return this.#act(jobId, kind, verb, { kind });
  }

  /** Does it there, and records it once that is done: an engine that dies in between sees it there. */
  async #act(
    jobId: number,
    kind: 'held' | 'released' | 'paused' | 'resumed',
    verb: string[],
    event: Parameters<SlurmContext['ledger']['append']>[1],
  ): Promise<Job> {
    const { ledger } = this.#options;
    const before = ledger.get(jobId);
    // Refused in the words of every other job.
    if (!mayHappen(before.status, kind)) return ledger.append(jobId, event, 'person');
    await this.#tell(before, 'scontrol', verb);
    this.#mirror.touched(jobId);
    const job = ledger.get(jobId);
    return mayHappen(job.status, kind) ? ledger.append(jobId, event, 'person') : job;
  }

  /** @throws {ConflictError} with what Slurm says against it. @throws {UnavailableError} when it cannot be reached. */
  async #tell(job: Job, command: SlurmCommand, verb: readonly string[]): Promise<void> {
    const id = job.remote?.id;
    if (id == null)
      throw new ConflictError(`job ${job.id} is being handed over to ${this.name}`, 'try again in a moment');
    try {
      await this.#commands.run(command, [...verb, id]);
    } catch (error) {
      const text = `${this.name} did not ${verb[0] === 'uhold' ? 'hold' : verb[0]} job ${job.id}: ${messageOf(error)}`;
      if (error instanceof SlurmError && error.outcome === 'refused')
        throw new ConflictError(text, 'it is left as it was; ask who runs that Slurm whether you may');
      throw new UnavailableError(
        text,
        `try again when \`stint executor test ${this.name}\` says that it answers`,
      );
    }
  }

  #jobs(): Job[] {
    return this.#options.ledger
      .inOrder()
      .filter(({ executor }) => executor !== null && parseChoice(executor).name === this.name);
  }

  #schedule(inMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#again = false;
      this.#turn = this.#look().finally(() => {
        this.#turn = null;
        this.#next();
      });
    }, inMs);
  }

  #next(): void {
    if (this.#stopped) return;
    this.#options.onReasons();
    if (this.#trouble !== null)
      return this.#schedule(Math.max(0, this.#nextTryAtMs! - this.#options.clock.nowMs()));
    if (this.#again) return this.#schedule(0);
    // With nothing to look after, the next submission wakes it.
    if (this.#jobs().length > 0) this.#schedule(this.#config.pollS * 1000);
  }

  async #look(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      const jobs = this.#jobs();
      if (jobs.length === 0) return this.#well();
      this.#facts ??= await readFacts(this.#commands);
      const handed = jobs.filter(({ remote }) => remote !== null);
      if (handed.length > 0) {
        const askedAtMs = clock.monotonicMs();
        const rows = await readQueue(this.#commands, this.#options.user);
        if (this.#stopped) return;
        await this.#mirror.reconcile(handed, rows, askedAtMs);
      }
      if (this.#stopped) return;
      const waiting = this.#jobs().filter(({ remote, status }) => remote === null && status === 'queued');
      const acts = this.#options.mode() === 'auto';
      // Where all go at once, their order tells nobody anything.
      const chosen = acts && this.#config.atMostPending !== null ? this.#options.order(waiting) : waiting;
      const more = await this.#handOver.run(chosen, this.#room());
      if (acts && !this.#stopped) await this.#keepOrder();
      this.#again ||= more;
      this.#well();
    } catch (error) {
      if (this.#stopped) return;
      if (!(error instanceof SlurmError))
        log.error(`${this.name} could not be looked at; it is tried again`, { error: messageOf(error) });
      this.#failed(messageOf(error));
    }
  }

  /** What Slurm refuses, such as to one who may not, keeps nothing else from going on. */
  async #keepOrder(): Promise<void> {
    try {
      await this.#nice.keep(this.#jobs());
    } catch (error) {
      if (!(error instanceof SlurmError) || error.outcome !== 'refused') throw error;
      this.#options.log.warn(`${this.name} takes no order`, { error: error.message });
    }
  }

  #room(): number {
    const { atMostPending } = this.#config;
    if (atMostPending === null) return Number.POSITIVE_INFINITY;
    const pending = this.#jobs().filter(({ remote, startedAtMs }) => remote !== null && startedAtMs === null);
    return Math.max(0, atMostPending - pending.length);
  }

  #well(): void {
    if (this.#trouble !== null) this.#options.log.info(`${this.name} answers again`);
    this.#trouble = null;
    this.#failures = 0;
    this.#nextTryAtMs = null;
  }

  #failed(trouble: string): void {
    const { clock, log } = this.#options;
    const inMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
    // Another version may answer next.
    this.#facts = null;
    this.#nextTryAtMs = clock.nowMs() + inMs;
    if (this.#trouble !== trouble) log.warn(`${this.name} cannot be reached; it is tried again`, { trouble });
    this.#trouble = `${trouble}; it is tried again at ${localTime(this.#nextTryAtMs)}`;
  }
}
