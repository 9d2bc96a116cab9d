import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ConflictError, messageOf } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import { jobProcesses } from '../jobs/processes.ts';
import { makeDirectory } from '../makeDirectory.ts';

const run = promisify(execFile);
/** systemd answers at once, or not at all. */
const BUS_DEADLINE_MS = 5000;
const MOVE_ROUNDS = 20;
/** Of `cpu.max`, microseconds; the kernel takes no quota below the second. */
const PERIOD_US = 100_000;
const LEAST_QUOTA_US = 1000;
const SYSTEMD = 'org.freedesktop.systemd1';
const MANAGER = [SYSTEMD, '/org/freedesktop/systemd1', `${SYSTEMD}.Manager`] as const;

export interface CgroupsOptions {
  /** The data directory: groups of two engines must not meet. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the hierarchy of version 2 is mounted, and our own group in it; as the kernel says when left out. */
  readonly place?: CgroupPlace | null;
}

export interface CgroupPlace {
  readonly mount: string;
  /** Absolute path of the directory. */
  readonly own: string;
}

/**
 * Control groups (version 2) of jobs, made when they are first needed: in a scope of systemd's user manager where that
 * answers, else below our own group where we may write there. The processes of a job are moved into its group, all but
 * its supervisor, and stay there; the group is found again from them, so that nothing needs to be remembered.
 */
export class Cgroups {
  readonly #options: CgroupsOptions;
  readonly #prefix: string;
  readonly #place: CgroupPlace | null;

  constructor(options: CgroupsOptions) {
    this.#options = options;
    this.#prefix = `stint-${createHash('sha256').update(options.home).digest('hex').slice(0, 8)}-`;
    this.#place = options.place === undefined ? placeOf() : options.place;
  }

  /** Why no job can be frozen here, and what would help; null: it can. */
  async freezeTrouble(): Promise<string | null> {
    if (this.#place === null) return NO_CGROUPS;
    if (this.#ownBase() !== null || (await this.#bus()) !== null) return null;
    return (
      `${this.#place.own} may not be written, and no systemd user manager answers; log in to a session with one, or ` +
      'start Stint with `systemd-run --user --scope -p Delegate=yes`'
    );
  }

  /** Why no job's processor time can be limited here, and what would help; null: it can. */
  async cpuTrouble(): Promise<string | null> {
    const trouble = await this.freezeTrouble();
    if (trouble !== null || this.#place === null) return trouble;
    const bus = await this.#bus();
    if (bus !== null) {
      const answer = await this.#ask(bus, ['get-property', ...MANAGER, 'ControlGroup']);
      const group = /"(.*)"/.exec(answer ?? '')?.[1];
      const has =
        group !== undefined && wordsIn(join(this.#place.mount, group), 'cgroup.controllers').has('cpu');
      return has ? null : `systemd does not delegate processor time to you; ${DELEGATE}`;
    }
    const { own, mount } = this.#place;
    if (!wordsIn(own, 'cgroup.controllers').has('cpu')) {
      return `the cpu controller is not in cgroup v2 at ${own} (it may belong to version 1, or not be delegated)`;
    }
    if (wordsIn(own, 'cgroup.subtree_control').has('cpu') || own === mount) return null;
    return `${own} has processes of its own, so that its cpu controller cannot be handed on; let systemd make the groups`;
  }

  /**
   * Limits the processor time of a job's group, and what it gets where others want it too.
   * @param share of all processors that this process may use; null: no limit. @returns false: it has no such group.
   */
  limitCpu(job: Job, share: number | null): boolean {
    const group = this.groupOf(job);
    if (group === null) return false;
    if (!existsSync(join(group, 'cpu.max'))) {
      if (share === null) return false;
      writeFileSync(join(dirname(group), 'cgroup.subtree_control'), '+cpu');
    }
    writeCpuLimit(group, share);
    return true;
  }

  /**
   * Moves the processes of a job into a group of its own.
   * @returns its directory. @throws {ConflictError} where that cannot be done.
   */
  async gather(job: Job): Promise<string> {
    const there = this.groupOf(job);
    if (there !== null) return there;
    const trouble = await this.freezeTrouble();
    if (trouble !== null)
      throw new ConflictError(`job ${job.id} cannot get a control group: ${trouble}`, OTHER);
    try {
      const base = (await this.#scopeFor(job)) ?? this.#ownBase();
      if (base === null) throw new Error('the scope that systemd made cannot be found');
      const group = join(base, this.#nameOf(job));
      makeDirectory(group);
      this.#move(job, group);
      return group;
    } catch (error) {
      throw new ConflictError(
        `job ${job.id} could not be moved into a control group (${messageOf(error)})`,
        OTHER,
      );
    }
  }

  /** The directory of a job's group; null: it has none. @param pids its processes. */
  groupOf(job: Job, pids: readonly number[] = processesOf(job)): string | null {
    if (this.#place === null) return null;
    for (const pid of pids) {
      const path = pathOf(pid);
      if (path !== null && basename(path) === this.#nameOf(job)) return join(this.#place.mount, path);
    }
    return null;
  }

  /** Has all of a job's group stand still or go on, at once. False: it has no group. */
  freeze(job: Job, on: boolean, pids?: readonly number[]): boolean {
    const group = this.groupOf(job, pids);
    if (group === null) return false;
    try {
      if (on) this.#move(job, group);
      writeFileSync(join(group, 'cgroup.freeze'), on ? '1' : '0');
      return true;
    } catch (error) {
      // Its last process ended meanwhile.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  /** Removes groups of jobs that are over; one in which something is left stays. */
  sweep(): void {
    const base = this.#ownBase();
    if (base === null) return;
    for (const name of readdirSync(base)) {
      if (!name.startsWith(this.#prefix)) continue;
      try {
        rmdirSync(join(base, name));
      } catch {
        // Something lives there.
      }
    }
  }

  #nameOf({ id, attempt }: Pick<Job, 'id' | 'attempt'>): string {
    return `${this.#prefix}${id}-${attempt}`;
  }

  /** Again until no process is outside: a tree forks while it is moved. */
  #move(job: Job, group: string): void {
    for (let round = 0; round < MOVE_ROUNDS; round++) {
      const outside = processesOf(job).filter((pid) => {
        const path = pathOf(pid);
        return path !== null && join(this.#place!.mount, path) !== group;
      });
      if (outside.length === 0) return;
      for (const pid of outside) {
        try {
          writeFileSync(join(group, 'cgroup.procs'), String(pid));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
        }
      }
    }
  }

  /** Our own group, where we may make groups below it. */
  #ownBase(): string | null {
    if (this.#place === null) return null;
    const probe = join(this.#place.own, `${this.#prefix}probe-${process.pid}`);
    try {
      mkdirSync(probe);
      rmdirSync(probe);
      return this.#place.own;
    } catch {
      return null;
    }
  }

  /** Which of systemd's managers answers us: root's is the system's. */
  async #bus(): Promise<'--user' | '--system' | null> {
    const bus = process.getuid?.() === 0 ? '--system' : '--user';
    const answers = await this.#ask(bus, ['get-property', ...MANAGER, 'Version']);
    return answers === null ? null : bus;
  }

  /** A scope of systemd's with the job's processes in it; null where no manager answers. */
  async #scopeFor(job: Job): Promise<string | null> {
    const bus = await this.#bus();
    if (bus === null) return null;
    const pids = processesOf(job);
    const scope = `${this.#nameOf(job)}.scope`;
    // StartTransientUnit(name, mode, properties, auxiliary units), org.freedesktop.systemd1(5).
    const properties = ['2', 'PIDs', 'au', String(pids.length), ...pids.map(String), 'Delegate', 'b', 'true'];
    const call = [
      'call',
      ...MANAGER,
      'StartTransientUnit',
      'ssa(sv)a(sa(sv))',
      scope,
      'fail',
      ...properties,
      '0',
    ];
    if ((await this.#ask(bus, call)) === null) return null;
    const deadlineMs = performance.now() + BUS_DEADLINE_MS;
    while (performance.now() < deadlineMs) {
      for (const pid of pids) {
        const path = pathOf(pid);
        if (path !== null && basename(path) === scope) return join(this.#place!.mount, path);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return null;
  }

  async #ask(bus: string, args: readonly string[]): Promise<string | null> {
    const { env } = this.#options;
    try {
      const { stdout } = await run(env.STINT_BUSCTL ?? 'busctl', [bus, ...args], {
        timeout: BUS_DEADLINE_MS,
        env,
      });
      return stdout;
    } catch {
      return null;
    }
  }
}

/** As cgroup v2 wants it (`cpu.max`, `cpu.weight`). @param share as {@link Cgroups.limitCpu}. */
export function writeCpuLimit(group: string, share: number | null): void {
  const quota =
    share === null ? 'max' : Math.max(LEAST_QUOTA_US, Math.round(share * availableParallelism() * PERIOD_US));
  writeFileSync(join(group, 'cpu.max'), `${quota} ${PERIOD_US}`);
  writeFileSync(
    join(group, 'cpu.weight'),
    String(share === null ? 100 : Math.max(1, Math.round(100 * share))),
  );
}

function wordsIn(directory: string, file: string): ReadonlySet<string> {
  try {
    return new Set(readFileSync(join(directory, file), 'utf8').trim().split(' '));
  } catch {
    return new Set();
  }
}

const DELEGATE = 'see Delegate=cpu for user@.service in systemd.resource-control(5)';
const NO_CGROUPS =
  'there are no control groups of version 2 here; they need Linux with the cgroup2 file system mounted';
const OTHER = 'pause it by signals, or throttle it by duty-cycle; `stint rungs` says what works here';

const processesOf = (job: Job): number[] => (job.process === null ? [] : jobProcesses(job.process));

/** A process's group of version 2, from the root of the hierarchy; null: it has none, or is gone. */
function pathOf(pid: number | 'self'): string | null {
  try {
    return /^0::(\/.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? null;
  } catch {
    return null;
  }
}

/** cgroups(7), proc_pid_mountinfo(5); null: there is no hierarchy of version 2. */
function placeOf(): CgroupPlace | null {
  const path = pathOf('self');
  if (path === null) return null;
  try {
    const line = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .find((one) => one.includes(' - cgroup2 '));
    const mount = line?.split(' ')[4];
    return mount === undefined ? null : { mount, own: join(mount, path) };
  } catch {
    return null;
  }
}
