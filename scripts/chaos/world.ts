import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, connect } from '../../src/cli/connect.ts';
import type { JobView } from '../../src/contract/messages.ts';
import { isTerminal, JOB_STATUSES, type JobSpecInput } from '../../src/domain/job.ts';
import { type Rng, randomInt } from '../../src/domain/rng.ts';

/** A job whose end is known beforehand, unless something happens to it that takes the knowledge away. */
export interface Expected {
  readonly name: string;
  /** Its exit code if nothing ends it. */
  readonly exitCode: number;
  /** Whether the engine answered the submission. */
  acknowledged: boolean;
  id: number | null;
  /** Its supervisor or its processes were killed, or somebody cancelled it: it may end in another way. */
  disturbed: boolean;
}

const START_MS = 60_000;
const OVER_MS = 120_000;

/** One data directory with an engine that comes and goes, jobs whose ends are known, and where they left their marks. */
export class World {
  readonly rng: Rng;
  readonly root: string;
  home: string;
  readonly marks: string;
  readonly clockFile: string;
  readonly jobs: Expected[] = [];
  /** Set in every process that comes from here, so that none is overlooked. */
  readonly tag: string;
  devices = 'virtual:4x8192';
  env: Readonly<Record<string, string>> = {};
  /** Put before the engine's command, as `unshare` is. */
  wrapper: readonly string[] = [];
  /** Times that the engine ended though nobody ended it. */
  crashes = 0;
  private engine: ChildProcess | null = null;
  private connection: Connection | null = null;
  private stderr = '';
  private next = 0;

  constructor(rng: Rng) {
    this.rng = rng;
    this.root = mkdtempSync(join(tmpdir(), 'stint-chaos-'));
    this.home = join(this.root, 'home');
    this.marks = join(this.root, 'marks');
    this.clockFile = join(this.root, 'clock');
    this.tag = this.root;
    mkdirSync(this.marks);
    mkdirSync(this.home);
  }

  get pid(): number {
    return this.engine!.pid!;
  }

  get client(): Connection['client'] {
    if (this.connection === null) throw new Error('no engine runs');
    return this.connection.client;
  }

  get running(): boolean {
    return this.engine !== null && this.engine.exitCode === null && this.engine.signalCode === null;
  }

  /**
   * Starts the engine. @param dieAt as host.ts takes it; the engine then dies by itself.
   * @returns null, or why it refused to start.
   */
  async start(dieAt?: readonly [string, number], home = this.home): Promise<string | null> {
    const host = join(import.meta.dirname, 'host.ts');
    const command = [
      ...this.wrapper,
      process.execPath,
      host,
      home,
      this.devices,
      this.clockFile,
      ...(dieAt ? [dieAt[0], String(dieAt[1])] : []),
    ];
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        // Compiled once, and not in every round.
        NODE_COMPILE_CACHE: join(tmpdir(), 'stint-chaos-compiled'),
        ...this.env,
        STINT_CHAOS: this.tag,
      },
    });
    this.engine = child;
    this.stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-4000);
    });
    const ended = once(child, 'exit');
    const ready = await Promise.race([
      once(child.stdout, 'data').then(() => true),
      ended.then(() => false),
      sleep(START_MS, undefined, { ref: false }).then(() => null),
    ]);
    if (ready === null)
      throw new Error(`the engine was not ready within ${START_MS / 1000} s: ${this.stderr}`);
    if (!ready) {
      if (child.exitCode === 9) return this.stderr;
      if (dieAt === undefined) this.crashes++;
      return this.stderr || 'it died';
    }
    try {
      this.connection = await connect(home);
    } catch (error) {
      if (dieAt === undefined) throw error;
    }
    return null;
  }

  /** Kills the engine at once and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.engine;
    if (child === null) return;
    if (this.running) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    this.disconnect();
  }

  async stop(): Promise<void> {
    const child = this.engine;
    if (child === null || !this.running) return;
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await once(child, 'exit');
    clearTimeout(late);
    this.disconnect();
  }

  private disconnect(): void {
    this.connection?.close();
    this.connection = null;
    this.engine = null;
  }

  /** Submits a job that leaves a mark when it starts, runs for so long, and ends with its code. */
  async submit(
    { runS, exitCode = 0 }: { runS: number; exitCode?: number },
    more: Partial<JobSpecInput> = {},
  ): Promise<Expected> {
    const name = `job-${++this.next}`;
    const job: Expected = { name, exitCode, acknowledged: false, id: null, disturbed: false };
    this.jobs.push(job);
    const script = `echo "$STINT_ATTEMPT" >> '${join(this.marks, name)}'; echo out; sleep ${runS}; exit ${exitCode}`;
    try {
      const { id } = await this.patiently((client) =>
        client.jobs.submit({ command: ['sh', '-c', script], cwd: '/', user: 'chaos', name, ...more }),
      );
      job.acknowledged = true;
      job.id = id;
    } catch {
      // The engine went away, or cannot write: then nothing was promised.
    }
    return job;
  }

  /** A handful of jobs of all kinds. */
  async submitSome(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const runS = Math.round(100 * (0.05 + 0.8 * this.rng.next() ** 2)) / 100;
      const exitCode = this.rng.next() < 0.4 ? 1 + randomInt(this.rng, 100) : 0;
      const gpus = this.rng.next() < 0.2 ? 0 : 1 + randomInt(this.rng, 2);
      const more: Partial<JobSpecInput> = { gpus, vramMib: this.rng.next() < 0.5 ? 1024 : null };
      if (this.rng.next() < 0.15) Object.assign(more, { retries: 1, retryDelayS: 0.1 });
      await this.submit({ runS, exitCode }, more);
    }
  }

  /** Asks the engine; does not wait for an answer of one that is gone. */
  async patiently<T>(ask: (client: Connection['client']) => Promise<T>): Promise<T> {
    if (this.connection === null) throw new Error('no engine runs');
    return this.connection.during(ask);
  }

  async list(): Promise<JobView[]> {
    return (await this.patiently((client) => client.jobs.list({ limit: 10_000 }))).jobs;
  }

  /** Waits until everything is over. @returns whether that was so in time. */
  async untilOver(): Promise<boolean> {
    const endMs = performance.now() + OVER_MS;
    const statuses = JOB_STATUSES.filter((status) => !isTerminal(status));
    for (;;) {
      const { total } = await this.patiently((client) => client.jobs.list({ statuses, limit: 1 }));
      if (total === 0) return true;
      if (performance.now() > endMs) return false;
      await sleep(50);
    }
  }

  /** Waits until `holds`, at most so long. */
  async until(holds: () => boolean | Promise<boolean>, mostMs = 20_000): Promise<boolean> {
    const endMs = performance.now() + mostMs;
    while (!(await holds())) {
      if (performance.now() > endMs) return false;
      await sleep(20);
    }
    return true;
  }

  /** Up to a moment at random. */
  async aWhile(mostMs: number): Promise<void> {
    await sleep(this.rng.next() * mostMs);
  }

  /** Where every copy of a job said that it had started: the numbers of the attempts. */
  marksOf(name: string): string[] {
    const path = join(this.marks, name);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  }

  /** Processes that came from here, by their command lines. */
  processes(): { pid: number; command: string }[] {
    const found: { pid: number; command: string }[] = [];
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      try {
        if (!readFileSync(`/proc/${name}/environ`, 'latin1').includes(`STINT_CHAOS=${this.tag}\0`)) continue;
        if (/^State:\s+Z/m.test(readFileSync(`/proc/${name}/status`, 'latin1'))) continue;
        const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
        found.push({ pid: Number(name), command });
      } catch {
        // It ended while we looked.
      }
    }
    return found;
  }

  /** Kills every process from here whose command line matches, the engine and its helpers included. */
  killAll(which = /./): number {
    const victims = this.processes().filter(({ command }) => which.test(command));
    for (const { pid } of victims) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone already.
      }
    }
    return victims.length;
  }

  write(name: string, text: string): string {
    const path = join(this.root, name);
    writeFileSync(path, text);
    return path;
  }

  /** Goes on with a copy of the data directory as it lies there. */
  continueOnCopy(): void {
    const copy = join(this.root, 'copy');
    cpSync(this.home, copy, { recursive: true });
    this.home = copy;
  }

  async dispose(): Promise<void> {
    await this.kill();
    this.killAll();
    await this.until(() => this.processes().length === 0, 5000);
    if (existsSync(join(this.root, 'mounted'))) {
      execFileSync('umount', ['-l', readFileSync(join(this.root, 'mounted'), 'utf8')]);
    }
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}
