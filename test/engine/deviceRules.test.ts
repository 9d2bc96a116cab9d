import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/engine/ports.ts';
import { buildNvmlStandIn } from '../stand-ins/nvml/buildNvmlStandIn.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

const SLEEP = ['sleep', '300'];

let home: string;
let stint: TestEngine;
beforeEach(() => {
  home = temporaryHome();
});
afterEach(async () => {
  const { jobs } = await stint.client.jobs.list({ statuses: ['starting', 'running', 'paused', 'queued'] });
  for (const { id } of jobs) await stint.client.jobs.cancel({ id });
  for (const { id } of jobs) await stint.untilOver(id);
  await stint.engine.stop();
  removeHome(home);
});

const deviceId = async (index: number): Promise<string> =>
  (await stint.client.devices.list()).find((device) => device.index === index)!.id;
const untilReason = (id: number, pattern: RegExp) =>
  eventually(
    () => stint.client.jobs.get({ id }),
    (job) => pattern.test(job.waitingReason ?? ''),
    `job ${id} to wait because of ${pattern}`,
  );

describe('on GPUs', () => {
  const standIn = buildNvmlStandIn();
  let stranger: ChildProcess;
  let skewMs = 0;
  const clock: Clock = {
    nowMs: () => systemClock.nowMs(),
    monotonicMs: () => systemClock.monotonicMs() + skewMs,
  };
  beforeAll(() => {
    Object.assign(process.env, standIn.env);
  });
  afterAll(() => {
    for (const name of Object.keys(standIn.env)) delete process.env[name];
    standIn.dispose();
  });
  beforeEach(() => {
    stranger = spawn('sleep', ['302'], { stdio: 'ignore' });
  });
  afterEach(async () => {
    const gone = once(stranger, 'exit');
    stranger.kill('SIGKILL');
    await gone;
  });

  it('name who holds what, keep jobs away from it or not as the owner says, and remember it', async () => {
    standIn.set('total 24576', '0.used 12000', `0.compute ${stranger.pid} 11469`);
    stint = await startEngine({ home, devices: 'nvml', clock });
    const id = await deviceId(0);
    const whole = await stint.submit(SLEEP);
    const who = `11.2 GiB of GPU 0 is held by ${userInfo().username}'s sleep`;
    const waits = await untilReason(whole.id, new RegExp(`^${who}`));
    expect(waits.waitingReason).toContain(`(stint device 0 --ignore ${stranger.pid})`);
    await stint.client.devices.setRules({ id, rules: { foreign: 'avoid' } });
    const small = await stint.submit(SLEEP, { vramMib: 1000 });
    await untilReason(small.id, /stint device 0 --foreign share/);

    await expect(stint.client.devices.ignore({ id, pid: process.pid })).rejects.toThrow(
      `choose from ${stranger.pid}`,
    );
    const ignored = await stint.client.devices.ignore({ id, pid: stranger.pid! });
    expect(ignored.foreign).toMatchObject([{ pid: stranger.pid, ignored: true, jobId: null }]);
    await stint.until(whole.id, 'running');

    await stint.engine.stop();
    stint = await startEngine({ home, devices: 'nvml', clock });
    const [device] = await eventually(
      () => stint.client.devices.list(),
      ([one]) => one!.foreign[0]?.ignored === true,
      'the process to be known again',
    );
    expect(device!.rules.foreign).toBe('avoid');
    const minded = await stint.client.devices.ignore({ id, pid: stranger.pid!, on: false });
    expect(minded.foreign).toMatchObject([{ ignored: false }]);
  });

  it('pause what runs when it stays too hot, start nothing there, and let it go on once it is cool', async () => {
    standIn.set('0.temperature 60');
    stint = await startEngine({ home, devices: 'nvml', clock });
    const id = await deviceId(0);
    await stint.client.devices.setRules({ id, rules: { maxTemperatureC: 80 } });
    const runs = await stint.submit(SLEEP, { vramMib: 1000 });
    await stint.until(runs.id, 'running');
    standIn.set('0.temperature 91');
    await eventually(
      () => stint.client.devices.list(),
      ([one]) => one!.closed?.rule === 'temperature',
      'the device to be closed',
    );
    const waits = await stint.submit(SLEEP, { vramMib: 1000 });
    await untilReason(waits.id, /GPU 0 is too hot: its cap is 80 °C/);
    expect((await stint.client.jobs.get({ id: runs.id })).status).toBe('running');
    skewMs += 31_000;
    await stint.until(runs.id, 'paused');
    standIn.set('0.temperature 70');
    await stint.until(runs.id, 'running');
    await stint.until(waits.id, 'running');
  });
});

describe('on any device', () => {
  let idleMs: number | null = null;
  const desk = { idleMs: async () => idleMs };
  const start = async () => {
    stint = await startEngine({ home, desk, policy: 'first-fit' });
  };

  it('give way to the owner at the desk, and go on after, across a restart of the engine', async () => {
    idleMs = 3_600_000;
    await start();
    const id = await deviceId(0);
    await stint.client.devices.setRules({ id, rules: { presence: 'pause' } });
    const there = await stint.submit(SLEEP);
    const elsewhere = await stint.submit(SLEEP);
    await stint.until(there.id, 'running');
    await stint.until(elsewhere.id, 'running');
    idleMs = 0;
    await stint.until(there.id, 'paused');
    expect((await stint.client.jobs.get({ id: elsewhere.id })).status).toBe('running');
    const events = await stint.client.jobs.events({ id: there.id });
    expect(events.findLast(({ event }) => event.kind === 'paused')?.actor).toBe('engine');
    expect((await stint.client.devices.list())[0]!.yields).toMatchObject({ kind: 'pause' });
    await stint.engine.stop();
    idleMs = null;
    await start();
    await stint.until(there.id, 'running');
  });

  it('are slowed down instead where the owner says so, beside what a person throttled', async () => {
    idleMs = 3_600_000;
    await start();
    for (const id of [await deviceId(0), await deviceId(1)]) {
      await stint.client.devices.setRules({ id, rules: { presence: 'throttle', throttlePercent: 40 } });
    }
    const job = await stint.submit(SLEEP, { vramMib: 100 });
    const mine = await stint.submit(SLEEP, { vramMib: 100 });
    for (const one of [job, mine]) await stint.until(one.id, 'running');
    await stint.client.jobs.throttle({ id: mine.id, share: 0.2 });
    const untilThrottled = (share: number | null) =>
      eventually(
        () => stint.client.jobs.get({ id: job.id }),
        ({ throttle }) => (throttle?.share ?? null) === share,
        `its share to be ${share}`,
      );
    idleMs = 0;
    expect((await untilThrottled(0.4)).throttle?.by).toBe('guard');
    await stint.engine.stop();
    await start();
    await untilThrottled(0.4);
    idleMs = 3_600_000;
    expect(await untilThrottled(null)).toMatchObject({ status: 'running' });
    const { throttle } = await stint.client.jobs.get({ id: mine.id });
    expect(throttle).toMatchObject({ share: 0.2, by: 'person' });
  });

  it('what a person lets go on in spite of it goes on, and what a person paused stays paused', async () => {
    idleMs = null;
    await start();
    const id = await deviceId(0);
    const job = await stint.submit(SLEEP, { vramMib: 100 });
    const locked = await stint.submit(SLEEP, { vramMib: 100 });
    await stint.until(locked.id, 'running');
    const device = (await stint.client.jobs.get({ id: locked.id })).devices[0]!;
    await stint.until(job.id, 'running');
    await stint.client.jobs.pause({ id: locked.id });
    for (const one of new Set([id, device])) {
      await stint.client.devices.reserve({
        id: one,
        fromMs: Date.now(),
        toMs: Date.now() + 3_600_000,
        user: 'ada',
      });
    }
    await stint.until(job.id, 'paused');
    await stint.client.jobs.resume({ id: job.id });
    const waiting = await stint.submit(SLEEP, { vramMib: 100 });
    const allowed = await stint.submit(SLEEP, { vramMib: 100, user: 'ada' });
    await stint.until(allowed.id, 'running');
    expect((await stint.client.jobs.get({ id: job.id })).status).toBe('running');
    for (const { id: reservation } of await stint.client.devices.reservations()) {
      await stint.client.devices.unreserve({ id: reservation });
    }
    await stint.until(waiting.id, 'running');
    expect((await stint.client.jobs.get({ id: locked.id })).status).toBe('paused');
  });

  it('quiet hours and a nearly full disk start nothing, and say so', async () => {
    await start();
    const minute = (ms: number) => new Date(ms).toTimeString().slice(0, 5);
    const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
    const runs = await stint.submit(SLEEP, { vramMib: 100 });
    await stint.until(runs.id, 'running');
    const quiet = {
      days: [...days],
      from: minute(Date.now() - 3_600_000),
      to: minute(Date.now() + 3_600_000),
      exceptPriority: 10,
      running: 'pause' as const,
      throttlePercent: 30,
    };
    await stint.client.settings.set({ rules: { quietHours: [quiet] } });
    const waits = await stint.submit(SLEEP, { vramMib: 100 });
    await untilReason(waits.id, /^quiet hours until \d\d:\d\d, except for priority 10 and above$/);
    await stint.until(runs.id, 'paused');
    const urgent = await stint.submit(SLEEP, { vramMib: 100, priority: 10 });
    await stint.until(urgent.id, 'running');
    await stint.client.settings.set({ rules: { quietHours: [], diskFloorMib: 2 ** 50 } });
    await untilReason(waits.id, /^the disk of .* is nearly full/);
    await stint.until(runs.id, 'running');
    expect(await stint.client.settings.set({ rules: { diskFloorMib: null } })).toMatchObject({
      quietHours: [],
      diskFloorMib: null,
    });
    await stint.until(waits.id, 'running');
  });

  it('refuses reservations that make no sense, by their field', async () => {
    await start();
    const id = await deviceId(0);
    const nowMs = Date.now();
    const wanted = { id, fromMs: nowMs, toMs: nowMs + 1000_000, user: 'ada' };
    const refusal = (change: object) => stint.client.devices.reserve({ ...wanted, ...change });
    await expect(refusal({ toMs: nowMs - 1 })).rejects.toThrow('toMs');
    await expect(refusal({ toMs: nowMs + 40 * 86_400_000 })).rejects.toThrow('31 days');
    await expect(refusal({ id: 'GPU-of-nobody' })).rejects.toThrow('no device');
    await refusal({});
    await expect(refusal({ user: 'ben' })).rejects.toThrow('stint unreserve 1');
    await expect(stint.client.devices.unreserve({ id: 99 })).rejects.toThrow('no reservation 99');
    expect(await stint.client.devices.reservations()).toMatchObject([
      { id: 1, user: 'ada', others: 'pause' },
    ]);
  });
});
