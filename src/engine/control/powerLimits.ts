import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ConflictError, messageOf } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import type { Log } from '../ports.ts';
import type { SettingStore } from '../store/settingStore.ts';

const run = promisify(execFile);
const DEADLINE_MS = 15_000;
const KEY = 'power-limits';
const FIELDS = 'power.limit,power.default_limit,power.min_limit';

export interface PowerLimitsOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly settings: SettingStore;
  readonly log: Log;
}

/** What a GPU's limit was before, W, and whose it was lowered for. */
interface Lowered {
  readonly jobId: number;
  readonly beforeW: number;
}

/**
 * Lowers the power limits of GPUs through nvidia-smi, and puts them back. What they were is written down before, so that
 * an engine that is killed leaves no GPU slow for good; a driver that is loaded again has forgotten them anyway.
 */
export class PowerLimits {
  readonly #options: PowerLimitsOptions;

  constructor(options: PowerLimitsOptions) {
    this.#options = options;
  }

  /** Why no limit can be set here, and what would help; null: it probably can. */
  async trouble(): Promise<string | null> {
    if (process.getuid?.() !== 0)
      return 'power limits need root: start Stint as root, or throttle in another way';
    try {
      await this.#ask([`--query-gpu=${FIELDS}`, '--format=csv,noheader,nounits']);
      return null;
    } catch (error) {
      return `nvidia-smi does not answer (${wordsOf(error)})`;
    }
  }

  /** @param share of the limit that each GPU has by default. @throws {Error} with nvidia-smi's words. */
  async lower(job: Job, share: number): Promise<void> {
    for (const id of job.devices) {
      const text = await this.#ask([`--query-gpu=${FIELDS}`, '--format=csv,noheader,nounits', '-i', id]);
      const [limitW, defaultW, leastW] = text.split(',').map(Number);
      if (![limitW, defaultW, leastW].every(Number.isFinite)) throw new Error(`GPU ${id} has no power limit`);
      const before = this.#lowered()[id]?.beforeW ?? limitW!;
      this.#keep({ ...this.#lowered(), [id]: { jobId: job.id, beforeW: before } });
      const wantedW = Math.min(before, Math.max(Math.ceil(leastW!), Math.round(share * defaultW!)));
      await this.#ask(['-i', id, '-pl', String(wantedW)]);
    }
  }

  /** Puts back what was lowered for jobs of which this is true; one that cannot be put back is tried again later. */
  async restore(isOf: (jobId: number) => boolean): Promise<void> {
    for (const [id, { jobId, beforeW }] of Object.entries(this.#lowered())) {
      if (!isOf(jobId)) continue;
      try {
        await this.#ask(['-i', id, '-pl', String(beforeW)]);
        const { [id]: _put, ...rest } = this.#lowered();
        this.#keep(rest);
      } catch (error) {
        this.#options.log.warn(`the power limit of ${id} could not be put back to ${beforeW} W`, {
          error: wordsOf(error),
        });
      }
    }
  }

  #lowered(): Readonly<Record<string, Lowered>> {
    return JSON.parse(this.#options.settings.get(KEY) ?? '{}') as Record<string, Lowered>;
  }

  #keep(lowered: Readonly<Record<string, Lowered>>): void {
    this.#options.settings.set(KEY, JSON.stringify(lowered));
  }

  async #ask(args: readonly string[]): Promise<string> {
    const { env } = this.#options;
    return (await run(env.STINT_NVIDIA_SMI || 'nvidia-smi', args, { env, timeout: DEADLINE_MS })).stdout;
  }
}

/** nvidia-smi says what is wrong on its standard output. */
function wordsOf(error: unknown): string {
  const { stdout, stderr } = error as { stdout?: string; stderr?: string };
  return `${stdout ?? ''}\n${stderr ?? ''}`.trim().split('\n').at(-1) || messageOf(error);
}

/** @throws {ConflictError} unless the job has GPUs of NVIDIA's, and nobody else's job is on them. */
export function checkPowerIsIts(
  job: Job,
  devices: readonly { id: string; index: number; kind: string; holders: readonly { jobId: number }[] }[],
): void {
  const its = devices.filter(({ id }) => job.devices.includes(id));
  const refused = (why: string): ConflictError =>
    new ConflictError(
      `the power of job ${job.id}'s GPUs cannot be limited: ${why}`,
      'throttle it in another way',
    );
  if (its.length === 0) throw refused('it has none');
  const other = its.find(({ kind }) => kind !== 'nvidia');
  if (other !== undefined) throw refused(`GPU ${other.index} is ${other.kind}`);
  const shared = its.find(({ holders }) => holders.some(({ jobId }) => jobId !== job.id));
  if (shared !== undefined)
    throw refused(`others share GPU ${shared.index}, and would be slowed down with it`);
}
