import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { isLive } from '../../src/domain/job.ts';
import { randomInt } from '../../src/domain/rng.ts';
import { identityOf, isAlive } from '../../src/engine/jobs/processes.ts';
import { buildNvmlStandIn } from '../../test/stand-ins/nvml/buildNvmlStandIn.ts';
import { submit, submitSome } from './work.ts';
import type { World } from './world.ts';

/** What a round can come to, beside being verified. */
export interface Outcome {
  /** Refused to start, which was right: nothing more can be looked at. */
  readonly refused?: true;
  /** Something that the check of the data directory cannot know. */
  readonly wrong?: string;
  /** What was to happen did not come about, and says nothing of Stint: no round. */
  readonly unarranged?: string;
  /** Cut back to an earlier moment. */
  readonly forgetful?: true;
}

export interface Fault {
  readonly name: string;
  /** How it is done, for the table. */
  readonly how: string;
  /** Why it cannot be done here; null: it can. */
  readonly unavailable: () => string | null;
  run(world: World): Promise<Outcome>;
}

const isRoot = process.getuid?.() === 0;
const needsRoot = (): string | null =>
  isRoot && process.platform === 'linux' ? null : 'needs root on Linux';
const always = (): null => null;

/** Submits, lets run and kills the engine, one to three times. */
async function killedAtRandom(world: World): Promise<Outcome> {
  for (let times = 1 + randomInt(world.rng, 3); times > 0; times--) {
    await world.start();
    const submitting = world.bustle(3 + randomInt(world.rng, 4));
    await world.aWhile(700);
    await world.kill();
    await submitting;
  }
  await world.start();
  return {};
}

/** Lets the engine die by itself at its Nth moment of a kind. */
const diesAt =
  (what: string, most: number) =>
  async (world: World): Promise<Outcome> => {
    for (let times = 0; times < 2; times++) {
      await world.start([what, 1 + randomInt(world.rng, most)]);
      await world.bustle(6);
      await world.until(() => !world.running, 3000);
      await world.kill();
    }
    await world.start();
    return {};
  };

async function supervisorKilled(world: World): Promise<Outcome> {
  await world.start();
  await world.bustle(6);
  for (let times = 0; times < 3; times++) {
    await world.aWhile(300);
    const live = (await world.list()).filter((job) => job.status === 'running' && job.process !== null);
    const job = live[randomInt(world.rng, Math.max(1, live.length))];
    if (job === undefined) continue;
    for (const one of world.jobs) if (one.name === job.name) one.disturbed = true;
    try {
      process.kill(job.process!.pid, 'SIGKILL');
    } catch {
      // It was over by then.
    }
  }
  if (world.rng.next() < 0.5) {
    await world.kill();
    await world.start();
  }
  return {};
}

const LEARNER = /learning\/worker/;

async function learnerKilled(world: World): Promise<Outcome> {
  await world.start();
  const learners = () => world.processes().filter(({ command }) => LEARNER.test(command));
  for (let times = 0; times < 2; times++) {
    for (let i = 0; i < 12 && learners().length === 0; i++) await world.bustle(4);
    if (!(await world.until(() => learners().length > 0, 30_000)))
      return { wrong: 'no learner ever started' };
    await world.aWhile(500);
    world.killAll(LEARNER);
    await world.bustle(3);
  }
  return {};
}

async function telemetryKilled(world: World): Promise<Outcome> {
  const nvml = buildNvmlStandIn();
  try {
    nvml.set('count 2');
    world.env = nvml.env;
    world.devices = 'nvml';
    await world.start();
    for (let times = 0; times < 2; times++) {
      const submitting = world.bustle(4);
      await world.aWhile(400);
      if (world.killAll(/nvmlChild/) === 0 && times === 0) return { wrong: 'there is no telemetry process' };
      await submitting;
    }
    const readable = async () =>
      (await world.patiently((client) => client.devices.list())).every(({ health }) => health === 'ok');
    if (!(await world.until(readable, 60_000))) return { wrong: 'devices stayed unreadable' };
    await world.untilOver();
    return {};
  } finally {
    nvml.dispose();
  }
}

/** A small disk of its own for the data directory. */
function mountSmall(world: World, mib: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m,mode=700`, 'tmpfs', world.home]);
  world.write('mounted', world.home);
}

async function diskFull(world: World): Promise<Outcome> {
  mountSmall(world, 12);
  await world.start();
  await world.bustle(4);
  await world.aWhile(300);
  const ballast = join(world.home, 'ballast');
  const file = openSync(ballast, 'w');
  try {
    for (const piece of [Buffer.alloc(1024 * 1024), Buffer.alloc(512)]) for (;;) writeSync(file, piece);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
  await world.bustle(3);
  await world.aWhile(1500);
  // What its command could not write it may have died of: that is the job's own end.
  for (const job of world.jobs) job.disturbed = true;
  if (world.rng.next() < 0.5) {
    await world.kill();
    // It may be refused with the reason, or run on.
    if ((await world.start()) !== null) await world.kill();
  }
  rmSync(ballast);
  if (!world.running) await world.start();
  const fresh = await submit(world, { runS: 0.1, exitCode: 5 });
  return fresh.acknowledged ? {} : { wrong: 'nothing could be submitted after there was room again' };
}

async function readOnly(world: World): Promise<Outcome> {
  await world.start();
  await world.bustle(5);
  await world.aWhile(300);
  await world.kill();
  const view = join(world.root, 'view');
  mkdirSync(view);
  execFileSync('mount', ['--bind', world.home, view]);
  execFileSync('mount', ['-o', 'remount,bind,ro', view]);
  let refusal: string | null;
  try {
    refusal = await world.start(undefined, view);
    await world.kill();
  } finally {
    execFileSync('umount', ['-l', view]);
  }
  await world.start();
  if (refusal === null) return { wrong: 'an engine started on a data directory that cannot be written' };
  return /writ|read-only/i.test(refusal) ? {} : { wrong: `refused without the reason: ${refusal}` };
}

async function clockJumps(world: World): Promise<Outcome> {
  await world.start();
  for (let times = 0; times < 3; times++) {
    const submitting = world.bustle(3);
    await world.aWhile(300);
    const dayMs = 86_400_000;
    writeFileSync(world.clockFile, String([dayMs, -dayMs, 0][randomInt(world.rng, 3)]));
    await submitting;
    if (world.rng.next() < 0.3) {
      await world.kill();
      await world.start();
    }
  }
  return {};
}

/** Longer than a round takes; it is ended with it. */
const STRANGER_S = 600;

/** Gives the number of a dead supervisor to a stranger. @returns false: the number could not be had. */
function strangerAt(pid: number): boolean {
  const script = join(import.meta.dirname, 'takePid.py');
  return spawnSync('python3', [script, String(pid), String(STRANGER_S)], { stdio: 'ignore' }).status === 0;
}

async function pidReused(world: World): Promise<Outcome> {
  await world.start();
  const job = await submit(world, { runS: 60 });
  job.disturbed = true;
  await submitSome(world, 3);
  await world.until(async () => (await world.list()).find(({ id }) => id === job.id)?.status === 'running');
  await world.until(() => world.marksOf(job.name).length > 0);
  const { process: supervisor } = (await world.list()).find(({ id }) => id === job.id)!;
  for (const one of world.jobs) one.disturbed = true;
  world.killAll();
  await world.kill();
  await world.until(() => !existsSync(`/proc/${supervisor!.pid}`));
  const { pid } = supervisor!;
  // The number stays taken until the last of its group and session is reaped.
  if (!(await world.until(() => strangerAt(pid), 10_000))) return { unarranged: 'the pid was not to be had' };
  const stranger = identityOf(pid)!;
  try {
    await world.start();
    const found = (await world.list()).find(({ id }) => id === job.id)!;
    if (isLive(found.status)) await world.patiently((client) => client.jobs.cancel({ id: found.id }));
    await world.untilOver();
    if (!isAlive(stranger)) return { wrong: 'a stranger was killed' };
    return found.status === 'lost' ? {} : { wrong: `the job was ${found.status}: a stranger was adopted` };
  } finally {
    if (isAlive(stranger)) process.kill(pid, 'SIGKILL');
  }
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** All of its processes see this as the boot id from the next start on. */
function bootAs(world: World, bootId: string): void {
  const file = world.write(`boot-${bootId}`, `${bootId}\n`);
  const script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
  world.wrapper = ['unshare', '--mount', 'sh', '-c', script, 'sh', file, BOOT_ID];
}

async function machineRestarted(world: World): Promise<Outcome> {
  bootAs(world, '11111111-1111-4111-8111-111111111111');
  await world.start();
  const submitting = world.bustle(6);
  await world.aWhile(600);
  await world.kill();
  await submitting;
  for (const job of world.jobs) job.disturbed = true;
  // Everything goes at once, as when the power does.
  world.killAll();
  bootAs(world, '22222222-2222-4222-8222-222222222222');
  await world.start();
  return {};
}

/** Cuts the copy of a database that was being written to, in one of the ways in which a disk does. */
async function torn(world: World): Promise<Outcome> {
  await world.start();
  const submitting = world.bustle(8);
  await world.aWhile(900);
  await world.kill();
  await submitting;
  // Jobs go on without an engine, and end; who stands still goes as all do when the power does that cut the file.
  await world.until(() => world.processes().length === 0, 5000);
  world.killAll();
  for (const job of world.jobs) job.disturbed = true;
  world.continueOnCopy();
  const db = join(world.home, 'stint.db');
  const wal = `${db}-wal`;
  const part = (path: string): number => Math.floor(statSync(path).size * world.rng.next());
  const garble = (path: string, at: number): void => {
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(512, randomInt(world.rng, 256)), 0, 512, at - (at % 512));
    closeSync(file);
  };
  rmSync(`${db}-shm`, { force: true });
  const way = randomInt(world.rng, 4);
  const hasWal = existsSync(wal) && statSync(wal).size > 0;
  if (way === 0 && hasWal) truncateSync(wal, part(wal));
  else if (way === 1 && hasWal) garble(wal, part(wal));
  else if (way === 2) truncateSync(db, part(db));
  else garble(db, part(db));
  const before = readFileSync(db);
  const refusal = await world.start();
  if (refusal === null) return { forgetful: true };
  await world.kill();
  if (!/damaged|another program|cannot be/.test(refusal))
    return { wrong: `refused in other words: ${refusal}` };
  // What is refused is left as it was.
  return before.equals(readFileSync(db)) ? { refused: true } : { wrong: 'what was refused was changed' };
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'engine',
    how: 'SIGKILL at a random instant, up to three times',
    unavailable: always,
    run: killedAtRandom,
  },
  {
    name: 'transaction',
    how: 'SIGKILL inside a transaction, before its commit',
    unavailable: always,
    run: diesAt('commit', 25),
  },
  {
    name: 'before-spawn',
    how: 'SIGKILL after the launch is recorded, before the supervisor is spawned',
    unavailable: always,
    run: diesAt('before-spawn', 4),
  },
  {
    name: 'after-spawn',
    how: 'SIGKILL after the supervisor is spawned, before that is recorded',
    unavailable: always,
    run: diesAt('after-spawn', 4),
  },
  {
    name: 'supervisor',
    how: 'SIGKILL of up to three supervisors',
    unavailable: always,
    run: supervisorKilled,
  },
  { name: 'learner', how: 'SIGKILL of the learner, twice', unavailable: always, run: learnerKilled },
  {
    name: 'telemetry',
    how: 'SIGKILL of the process that reads NVML (a stand-in), twice',
    unavailable: always,
    run: telemetryKilled,
  },
  {
    name: 'disk-full',
    how: 'a tmpfs of 12 MiB, filled to its last byte',
    unavailable: needsRoot,
    run: diskFull,
  },
  {
    name: 'read-only',
    how: 'a start on a read-only bind mount of the data directory',
    unavailable: needsRoot,
    run: readOnly,
  },
  {
    name: 'clock',
    how: "the engine's clock a day ahead, a day behind, and right again",
    unavailable: always,
    run: clockJumps,
  },
  {
    name: 'pid-reuse',
    how: "a stranger gets a dead supervisor's pid (clone3)",
    unavailable: needsRoot,
    run: pidReused,
  },
  {
    name: 'restart',
    how: 'everything killed at once, another boot id (bind mount) afterwards',
    unavailable: needsRoot,
    run: machineRestarted,
  },
  {
    name: 'torn',
    how: 'the database or its WAL cut short, or 512 bytes of it overwritten',
    unavailable: always,
    run: torn,
  },
];
