import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { lstat, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { ConflictError, FieldError, messageOf } from '../../domain/errors.ts';
import { isTerminal, type Job, type JobSpec } from '../../domain/job.ts';
import { bytesText } from '../../domain/logGap.ts';
import { diskFloorMib, type MachineRules } from '../../domain/machineRules.ts';
import { diskOf } from '../keeping/surveyHome.ts';
import { makeDirectory } from '../makeDirectory.ts';
import type { Clock, Log } from '../ports.ts';
import { type CopiedFile, copyTree, listTree, MOST_BYTES, MOST_FILES } from './copyTree.ts';
import { GitError, workTreeOf } from './git.ts';

const COPY_TIMEOUT_MS = 120_000;
const INTERVAL_MS = 3_600_000;
const DAY_MS = 86_400_000;
const BYTES_PER_MIB = 1024 * 1024;
/** A copy that is being made, or that no job came of. */
const UNFINISHED = 'new-';

export interface SnapshotsOptions {
  /** Where copies lie, a folder a submission. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly rules: () => MachineRules;
  /** The jobs of a submission; none: there is no such. */
  readonly jobsOf: (submissionId: number) => readonly Job[];
  readonly clock: Clock;
  readonly log: Log;
}

/** A copy that no job has yet. */
export interface Taken {
  /** Makes it the copy of this submission. Call it before the job is there for good, so that none is without its copy. */
  keepAs(submissionId: number): void;
  /** Nothing came of the submission. */
  drop(): void;
}

/**
 * Copies of the code that jobs run from, so that what is edited later changes nothing for them. In the folder of a copy:
 * `tree`, the copy; `files`, what was copied; `root`, where from, which is removed first when the copy is.
 */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  readonly #making = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  readonly #ended = new AbortController();
  #sweeping: Promise<unknown>;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
    this.#sweeping = this.#sweepGuarded();
    this.#timer = setInterval(() => {
      this.#sweeping = this.#sweeping.then(() => this.#sweepGuarded());
    }, INTERVAL_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#ended.abort();
    await this.#sweeping;
  }

  /**
   * Copies the code that a submission runs: the git work tree that its directory is in, what git ignores as links, or
   * else the directory as a whole.
   * @throws {FieldError} if it is too much, or the command would run the original. @throws {ConflictError} if there is no room.
   */
  async take({ cwd, command }: Pick<JobSpec, 'cwd' | 'command'>): Promise<Taken> {
    const { dir, env, rules } = this.#options;
    const signal = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(COPY_TIMEOUT_MS)]);
    const workTree = await workTreeOf(cwd);
    const root = workTree ?? cwd;
    const listing = await listTree(root, workTree !== null, env, signal).catch((error) => {
      const why = error instanceof GitError ? error.message : messageOf(error);
      throw new FieldError('snapshot', root, `it cannot be copied (${why}): submit without it`);
    });
    if (listing === null) {
      const most = `${MOST_FILES} files or ${bytesText(MOST_BYTES)}`;
      const remedy = 'have git ignore what is no code, which is linked then, or submit without it';
      throw new FieldError('snapshot', root, `that is more than ${most}: ${remedy}`);
    }
    const names = new Set(listing.files.map(({ path }) => join(root, path)));
    const original = command.find((argument) => argument.startsWith('/') && names.has(resolve(argument)));
    if (original !== undefined) {
      const remedy = 'it would be run where it is and not from the copy: give it relative to the directory';
      throw new FieldError('command', original, remedy);
    }
    makeDirectory(dir, 0o700);
    const { free, total } = diskOf(dir);
    const floor = diskFloorMib(rules(), total / BYTES_PER_MIB) * BYTES_PER_MIB;
    if (free - listing.bytes < floor) {
      throw new ConflictError(
        `a copy of ${root} takes ${bytesText(listing.bytes)}, and less than ${bytesText(floor)} would stay free`,
        'make room (`stint cleanup`), or submit without a snapshot',
      );
    }
    const name = `${UNFINISHED}${randomUUID()}`;
    let at = join(dir, name);
    this.#making.add(name);
    try {
      const files = await copyTree(root, join(at, 'tree'), listing);
      await writeFile(join(at, 'files'), JSON.stringify(files));
      writeFileSync(join(at, 'root'), root);
    } catch (error) {
      this.#making.delete(name);
      rmSync(at, { recursive: true, force: true });
      throw error;
    }
    return {
      keepAs: (submissionId) => {
        const kept = this.#folder(submissionId);
        // Of a submission that was given this number and never came to be.
        rmSync(kept, { recursive: true, force: true });
        renameSync(at, kept);
        at = kept;
        this.#making.delete(name);
      },
      drop: () => {
        this.#making.delete(name);
        rmSync(at, { recursive: true, force: true });
      },
    };
  }

  /** Where the job runs. @throws {ConflictError} if its copy is not kept any more. */
  directoryOf(job: Job): string {
    if (!job.snapshot) return job.cwd;
    const folder = this.#folder(submissionOf(job));
    let root: string;
    try {
      root = readFileSync(join(folder, 'root'), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new ConflictError(`the copy that job ${job.id} ran from is not kept any more`, 'submit it again');
    }
    return join(folder, 'tree', relative(root, job.cwd));
  }

  /** The copy that the job runs from; null: it runs where it was submitted, or its copy is not kept any more. */
  pathOf(job: Job): string | null {
    const tree = join(this.#folder(submissionOf(job)), 'tree');
    return job.snapshot && existsSync(tree) ? tree : null;
  }

  /** Removes the copies whose jobs ended before; what jobs wrote there stays. @returns the submissions concerned. */
  async clean(endedBeforeMs: number, dryRun: boolean): Promise<number[]> {
    const cleaned: number[] = [];
    for (const name of this.#names()) {
      if (this.#ended.signal.aborted) break;
      const id = /^[1-9]\d*$/.test(name) ? Number(name) : null;
      const jobs = id === null ? [] : this.#options.jobsOf(id);
      if (this.#making.has(name)) continue;
      const needed = jobs.some(
        (job) => job.snapshot && !(isTerminal(job.status) && (job.finishedAtMs ?? 0) < endedBeforeMs),
      );
      if (needed) continue;
      const folder = join(this.#options.dir, name);
      if (jobs.length > 0 && !existsSync(join(folder, 'files'))) continue;
      if (id !== null && jobs.length > 0) cleaned.push(id);
      if (dryRun) continue;
      if (jobs.length === 0) {
        // Its number may be given to another submission while it is removed.
        const aside = join(this.#options.dir, `${UNFINISHED}${randomUUID()}`);
        renameSync(folder, aside);
        await rm(aside, { recursive: true, force: true });
      } else {
        // From here on no attempt begins in it.
        rmSync(join(folder, 'root'), { force: true });
        await removeCopied(folder);
      }
    }
    return cleaned;
  }

  async #sweepGuarded(): Promise<void> {
    const { clock, log, rules } = this.#options;
    try {
      await this.clean(clock.nowMs() - rules().snapshotDays * DAY_MS, false);
    } catch (error) {
      log.warn('copies that no job needs could not be removed; it is tried again', {
        error: messageOf(error),
      });
    }
  }

  #names(): string[] {
    return existsSync(this.#options.dir) ? readdirSync(this.#options.dir) : [];
  }

  #folder(submissionId: number): string {
    return join(this.#options.dir, String(submissionId));
  }
}

/** Removes what is as it was copied; what a job made or changed there is its own. */
async function removeCopied(folder: string): Promise<void> {
  const tree = join(folder, 'tree');
  const files = JSON.parse(await readFile(join(folder, 'files'), 'utf8')) as CopiedFile[];
  for (const { path, size, mtimeMs } of files) {
    const stat = await lstat(join(tree, path)).catch(() => null);
    if (stat?.size === size && stat.mtimeMs === mtimeMs) await rm(join(tree, path));
  }
  await removeEmpty(tree);
  await rm(join(folder, 'files'));
  await removeEmpty(folder);
}

/** @returns whether the folder is gone. */
async function removeEmpty(folder: string): Promise<boolean> {
  let empty = true;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory() || !(await removeEmpty(join(folder, entry.name)))) empty = false;
  }
  if (empty) await rmdir(folder).catch(() => undefined);
  return empty;
}

const submissionOf = ({ id, array }: Job): number => array?.id ?? id;
