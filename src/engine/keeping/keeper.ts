import { renameSync, rmdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConflictError, messageOf } from '../../domain/errors.ts';
import { isTerminal, type Job } from '../../domain/job.ts';
import { type Cleaned, KEPT, type Kept, type Space } from '../../domain/keeping.ts';
import { diskFloorMib, type MachineRules } from '../../domain/machineRules.ts';
import type { Snapshots } from '../code/snapshots.ts';
import type { homePaths } from '../home.ts';
import type { Ledger } from '../jobs/ledger.ts';
import type { Clock, Log } from '../ports.ts';
import type { LogGapStore } from '../store/logGapStore.ts';
import { bytesOf, diskOf, entriesOf, type JobFolder, jobFolders, statOf } from './surveyHome.ts';

const BYTES_PER_MIB = 1024 * 1024;
const MOST_LARGEST = 10;
const INTERVAL_MS = 600_000;

export interface KeeperOptions {
  readonly home: string;
  readonly paths: ReturnType<typeof homePaths>;
  readonly ledger: Ledger;
  readonly gaps: LogGapStore;
  readonly snapshots: Pick<Snapshots, 'clean'>;
  readonly rules: () => MachineRules;
  readonly capWorks: () => boolean | null;
  readonly clock: Clock;
  readonly log: Log;
  /** How often the cap of all logs together is looked to. */
  readonly intervalMs?: number;
}

/** What is to be removed. */
export interface Wanted {
  /** Of jobs that are over since then. */
  readonly endedBeforeMs: number;
  readonly logs: boolean;
  readonly checkpoints: boolean;
  readonly snapshots: boolean;
  readonly orphans: boolean;
  readonly dryRun: boolean;
}

/**
 * Says what takes space in the data directory, and removes what jobs that are over have left. What happened to them, their
 * metrics and what their code was stay: these are small, and are the history.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #timer: NodeJS.Timeout;
  #cleaning = false;
  #stopped = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#capAll(), options.intervalMs ?? INTERVAL_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  async usage(): Promise<Space> {
    const { home, paths, rules, ledger, capWorks } = this.#options;
    const tally = new Tally();
    const largest: { jobId: number; name: string; bytes: number }[] = [];
    for await (const folder of jobFolders(paths.runs)) {
      const job = this.#jobOf(folder);
      if (job === null) tally.add('orphans', await bytesOf(folder.path));
      else {
        const logs = sum(folder.attempts);
        if (logs > 0) tally.add('logs', logs);
        if (folder.checkpointBytes > 0) tally.add('checkpoints', folder.checkpointBytes);
        for (const { bytes } of folder.strange) tally.add('orphans', bytes);
        largest.push({ jobId: job.id, name: job.name, bytes: logs + folder.checkpointBytes });
        largest.sort((a, b) => b.bytes - a.bytes).splice(MOST_LARGEST);
      }
    }
    for (const { name } of await entriesOf(home)) {
      const path = join(home, name);
      if (path === paths.runs) continue;
      if (path === paths.snapshots) {
        for (const copy of await entriesOf(path))
          tally.add('snapshots', await bytesOf(join(path, copy.name)));
        continue;
      }
      tally.add(path.startsWith(paths.database) ? 'database' : 'rest', await bytesOf(path));
    }
    const { free, total } = diskOf(home);
    const floorBytes = Math.round(diskFloorMib(rules(), total / BYTES_PER_MIB) * BYTES_PER_MIB);
    return {
      parts: tally.parts(KEPT),
      largest: largest.filter(({ jobId }) => ledger.read.get(jobId) !== null),
      freeBytes: free,
      totalBytes: total,
      floorBytes,
      capWorks: capWorks(),
    };
  }

  /** @throws {ConflictError} while it is cleaning already. */
  async clean(wanted: Wanted): Promise<Cleaned> {
    return this.#alone(async () => {
      const tally = new Tally();
      for await (const folder of jobFolders(this.#options.paths.runs)) {
        if (this.#stopped) break;
        await this.#cleanFolder(folder, wanted, tally);
      }
      if (wanted.snapshots) await this.#cleanSnapshots(wanted, tally);
      const parts = tally.parts(KEPT.filter((what) => tally.has(what)));
      return { dryRun: wanted.dryRun, parts, bytes: sum(parts) };
    });
  }

  async #cleanSnapshots({ endedBeforeMs, dryRun }: Wanted, tally: Tally): Promise<void> {
    const { snapshots, paths } = this.#options;
    const takes = (id: number): Promise<number> => bytesOf(join(paths.snapshots, String(id)));
    const before = new Map<number, number>();
    for (const id of await snapshots.clean(endedBeforeMs, true)) before.set(id, await takes(id));
    if (!dryRun) await snapshots.clean(endedBeforeMs, false);
    for (const [id, bytes] of before) tally.add('snapshots', bytes - (dryRun ? 0 : await takes(id)));
  }

  async #cleanFolder(folder: JobFolder, wanted: Wanted, tally: Tally): Promise<void> {
    const job = this.#jobOf(folder);
    if (job === null) {
      if (!wanted.orphans) return;
      tally.add('orphans', await bytesOf(folder.path));
      if (!wanted.dryRun) await rm(folder.path, { recursive: true, force: true });
      return;
    }
    if (wanted.orphans) {
      for (const { path, bytes } of folder.strange) {
        tally.add('orphans', bytes);
        if (!wanted.dryRun) await rm(path, { recursive: true, force: true });
      }
    }
    if (!isTerminal(job.status) || (job.finishedAtMs ?? Number.MAX_VALUE) >= wanted.endedBeforeMs) return;
    if (wanted.logs) {
      const bytes = wanted.dryRun ? await this.#removable(job, folder) : await this.#removeLogs(job, folder);
      if (bytes > 0) tally.add('logs', bytes);
    }
    if (wanted.checkpoints && folder.checkpointBytes > 0) {
      const gone = wanted.dryRun || (await this.#removeCheckpoint(job, folder));
      if (gone) tally.add('checkpoints', folder.checkpointBytes);
    }
    if (!wanted.dryRun) this.#removeEmpty(job, folder);
  }

  async #removable(job: Job, folder: JobFolder): Promise<number> {
    let bytes = 0;
    for (const one of folder.attempts) if ((await this.#logOf(job, one.path)) !== null) bytes += one.bytes;
    return bytes;
  }

  /** How long a log is that may go; null: it lies where its owner wants it, and only there. */
  async #logOf(job: Job, attemptPath: string): Promise<number | null> {
    const stat = await statOf(join(attemptPath, 'output.log'));
    if (stat === null) return 0;
    // Where the owner's own place has it under another name it stays there; where that is but a link to here, it would go.
    return job.outputPath !== null && stat.nlink === 1 ? null : stat.size;
  }

  /** Recorded first, so that nobody takes a log that is gone for one that is empty. */
  async #removeLogs(job: Job, folder: JobFolder): Promise<number> {
    const { ledger, gaps } = this.#options;
    let freed = 0;
    for (const { attempt, path, bytes } of folder.attempts) {
      const size = await this.#logOf(job, path);
      if (size === null) continue;
      // A person may have put it back into the queue meanwhile; its earlier attempts are over all the same.
      if (!isTerminal(ledger.get(job.id).status) && ledger.get(job.id).attempt === attempt) continue;
      const to = Math.max(size, gaps.of(job.id, attempt)?.to ?? 0);
      if (to > 0) gaps.set(job.id, attempt, { from: 0, to, why: 'cleanup' });
      await rm(path, { recursive: true, force: true });
      freed += bytes;
    }
    return freed;
  }

  /** Out of the way at once, so that an attempt that begins meanwhile finds all of it or nothing. */
  async #removeCheckpoint(job: Job, { path }: JobFolder): Promise<boolean> {
    if (!isTerminal(this.#options.ledger.get(job.id).status)) return false;
    const aside = join(path, 'checkpoint.removed');
    await rm(aside, { recursive: true, force: true });
    if (!isTerminal(this.#options.ledger.get(job.id).status)) return false;
    renameSync(join(path, 'checkpoint'), aside);
    await rm(aside, { recursive: true, force: true });
    return true;
  }

  #removeEmpty(job: Job, { path }: JobFolder): void {
    if (!isTerminal(this.#options.ledger.get(job.id).status)) return;
    for (const folder of [join(path, 'checkpoint'), path]) {
      try {
        rmdirSync(folder);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
      }
    }
  }

  /** Removes the logs of jobs that ended first while all of them take more than the owner allows. */
  async #capAll(): Promise<void> {
    const { rules, paths, log } = this.#options;
    const { logTotalMib } = rules();
    if (logTotalMib === null || this.#cleaning || this.#stopped) return;
    try {
      await this.#alone(async () => {
        let total = 0;
        const over: { job: Job; folder: JobFolder }[] = [];
        for await (const folder of jobFolders(paths.runs)) {
          const job = this.#jobOf(folder);
          if (job === null) continue;
          total += sum(folder.attempts);
          if (isTerminal(job.status) && (job.outputPath === null || rules().capOutput))
            over.push({ job, folder });
        }
        over.sort((a, b) => (a.job.finishedAtMs ?? 0) - (b.job.finishedAtMs ?? 0));
        for (const { job, folder } of over) {
          if (total <= logTotalMib * BYTES_PER_MIB || this.#stopped) return;
          total -= await this.#removeLogs(job, folder);
          this.#removeEmpty(job, folder);
        }
      });
    } catch (error) {
      log.warn('the logs could not be kept within their cap; it is tried again', { error: messageOf(error) });
    }
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#cleaning) throw new ConflictError('it is being cleaned already', 'wait for that to end');
    this.#cleaning = true;
    try {
      return await work();
    } finally {
      this.#cleaning = false;
    }
  }

  /** Looked up when it is needed: it may have been submitted since the folder was. */
  #jobOf({ name }: JobFolder): Job | null {
    return /^[1-9]\d{0,14}$/.test(name) ? (this.#options.ledger.read.get(Number(name))?.job ?? null) : null;
  }
}

class Tally {
  readonly #parts = new Map<Kept, { bytes: number; count: number }>();

  add(what: Kept, bytes: number): void {
    const { bytes: before, count } = this.#parts.get(what) ?? { bytes: 0, count: 0 };
    this.#parts.set(what, { bytes: before + bytes, count: count + 1 });
  }

  has(what: Kept): boolean {
    return this.#parts.has(what);
  }

  parts(of: readonly Kept[]): { what: Kept; bytes: number; count: number }[] {
    return of.map((what) => ({ what, ...(this.#parts.get(what) ?? { bytes: 0, count: 0 }) }));
  }
}

const sum = (parts: readonly { readonly bytes: number }[]): number =>
  parts.reduce((all, { bytes }) => all + bytes, 0);
