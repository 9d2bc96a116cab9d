import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
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
import { isTerminal, JOB_STATUSES } from '../../src/domain/job.ts';
import type { Rng } from '../../src/domain/rng.ts';
import { calm, stir } from './stir.ts';
import { type Expected, submitSome } from './work.ts';

const START_MS = 60_000;
const OVER_MS = 120_000;

/** One data directory with an engine that comes and goes, jobs whose ends are known, and where they left their marks. */
export class World {
  readonly rng: Rng;
  readonly root: string;
  home: string;
  readonly marks: string;
  /** A git repository, in which some of the jobs run; `/` where there is no git. */
  readonly code: string;
  readonly clockFile: string;
  readonly jobs: Expected[] = [];
  /** Set in every process that comes from here, so that none is overlooked. */
  readonly tag: string;
  devices = 'virtual:4x8192';
  env: Readonly<Record<string, string>> = {};
  /** Put before the engine's command, as `unshare` is. */
  wrapper: readonly string[] = [];
  /** What went wrong beside the ends of jobs. */
  readonly troubles: string[] = [];
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
    this.code = repositoryIn(this.root);
  }

  get pid(): number {
    return this.engine!.pid!;
  }

  get client(): Connection['client'] {
    return this.connected.client;
  }

  /** @throws {Error} with what the engine said last, where it does not run: a start that it refused, say. */
  private get connected(): Connection {
    if (this.connection === null) throw new Error(`no engine runs: ${this.stderr}`);
    return this.connection;
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

  /** What the engine's own process holds once its garbage is collected. Bytes. */
  async memory(): Promise<NodeJS.MemoryUsage> {
    const { stdout } = this.engine!;
    const said = once(stdout!, 'data', { signal: AbortSignal.timeout(START_MS) });
    this.engine!.kill('SIGUSR2');
    return JSON.parse(String((await said)[0])) as NodeJS.MemoryUsage;
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

  /** Numbers for names. */
  nextNumber(): number {
    return ++this.next;
  }

  /** A handful of jobs of all kinds, and in between what an owner does to them and to the machine. */
  async bustle(count: number): Promise<void> {
    await calm(this);
    for (let left = count; left > 0; left--) {
      await submitSome(this, 1);
      if (this.rng.next() < 0.5) await stir(this);
    }
  }

  /** Asks the engine; does not wait for an answer of one that is gone. */
  async patiently<T>(ask: (client: Connection['client']) => Promise<T>): Promise<T> {
    return this.connected.during(ask);
  }

  async list(): Promise<JobView[]> {
    return (await this.patiently((client) => client.jobs.list({ limit: 10_000 }))).jobs;
  }

  /** Lets everything run, and waits until it is over. @returns whether that was so in time. */
  async untilOver(): Promise<boolean> {
    await calm(this);
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
  marksOf(name: string, kind: '' | '.pre' | '.post' = ''): string[] {
    const path = join(this.marks, `${name}${kind}`);
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

function repositoryIn(root: string): string {
  const path = join(root, 'code');
  mkdirSync(path);
  writeFileSync(join(path, 'train.py'), 'lr = 1\n');
  return spawnSync('git', ['-C', path, 'init', '-q'], { stdio: 'ignore' }).status === 0 ? path : '/';
}
