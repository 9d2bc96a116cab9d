import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StintClient, watchForever } from '../../src/contract/client.ts';
import { contract } from '../../src/contract/contract.ts';
import type { JobView, WatchMessage } from '../../src/contract/messages.ts';
import type { JobSpecInput } from '../../src/domain/job.ts';
import { DEFAULT_MACHINE_RULES } from '../../src/domain/machineRules.ts';
import type { PastJob } from '../../src/domain/pastJob.ts';
import { noteCalls, observeStreams } from '../contract/observed.ts';
import { type Served, TRANSPORTS, type Wire } from '../contract/transports.ts';
import { until } from '../headless/until.ts';
import { removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe.each(TRANSPORTS)('the contract over $name', (transport) => {
  const called = new Set<string>();
  let home: string;
  let stint: TestEngine;
  let served: Served;
  let openStreams: () => number;
  let wire: Wire;
  let client: StintClient;

  beforeAll(async () => {
    home = temporaryHome();
    stint = await startEngine({ home });
    const observed = observeStreams(stint.engine.router);
    openStreams = observed.open;
    served = await transport.serve(observed.router, home, silent);
    wire = await served.connect();
    client = noteCalls(wire.client, called);
  });
  afterAll(async () => {
    wire.cut();
    await served.close();
    // Whatever a failed test left: a job must not outlive its directory.
    const live = await stint.client.jobs.list({ statuses: ['starting', 'running', 'paused'] });
    for (const { id } of live.jobs) await stint.client.jobs.cancel({ id });
    for (const { id } of live.jobs) await stint.untilOver(id);
    await stint.engine.stop();
    removeHome(home);
  });

  const submit = (script: string, more: Partial<JobSpecInput> = {}) =>
    client.jobs.submit({ command: ['sh', '-c', script], cwd: tmpdir(), user: 'tester', ...more });

  describe('jobs', () => {
    it('keeps every field of a submission, and fills in the rest', async () => {
      const full = {
        command: ['sh', '-c', 'exit 0', 'ünïcode', ''],
        cwd: tmpdir(),
        name: 'named',
        env: { A: '1', B: 'two = 2' },
        gpus: 0,
        vramMib: 512,
        exclusive: true,
        priority: -3,
        user: 'ada',
        project: 'vision',
        tags: ['baseline', 'v2'],
        hold: true,
        estimateS: 90.5,
      };
      const { hold: _hold, ...kept } = full;
      const job = await client.jobs.submit(full);
      expect(job).toMatchObject({ ...kept, status: 'held', exitCode: null, attempt: 0 });
      expect(await client.jobs.get({ id: job.id })).toEqual(job);
      expect(await client.jobs.preflight({ ...full, command: ['no-such-program'] })).toMatchObject({
        obstacles: [{ field: 'command', certain: true }],
      });

      const least = await client.jobs.submit({ command: ['true'], cwd: '/', user: 'ada', hold: true });
      expect(least).toMatchObject({
        name: 'true',
        gpus: 1,
        vramMib: null,
        priority: 0,
        project: 'default',
        tags: [],
        env: {},
      });
      for (const id of [job.id, least.id]) await client.jobs.cancel({ id });
    });

    it('runs one to its end, and tells its history', async () => {
      const { id } = await submit('echo out; echo err >&2; exit 3');
      const job = await stint.untilOver(id);
      expect(job).toMatchObject({
        status: 'failed',
        exitCode: 3,
        devices: [expect.stringMatching(/^virtual-/)],
      });
      const events = await client.jobs.events({ id });
      expect((await client.jobs.metrics({ id })).series).toEqual([]);
      expect(await client.jobs.code({ id })).toEqual({
        pending: false,
        record: null,
        diff: null,
        snapshot: null,
      });
      expect(events.map(({ event }) => event.kind)).toEqual(['submitted', 'launching', 'started', 'exited']);
      expect(events.every((entry) => entry.jobId === id)).toBe(true);
      const log = await client.logs.read({ id });
      expect(log).toMatchObject({ offset: 0, nextOffset: 8, size: 8, end: true });
      expect(log.text.split('\n').sort()).toEqual(['', 'err', 'out']);
      expect(await client.logs.read({ id, offset: -4, limitBytes: 3 })).toMatchObject({
        offset: 4,
        nextOffset: 7,
      });
    });

    it('pauses, resumes and cancels a running one', async () => {
      const { id } = await submit('echo up; exec sleep 60');
      await stint.until(id, 'running');
      await until(async () => (await client.logs.read({ id })).size > 0, 'the job to say that it is up');
      expect((await client.system.doctor()).map(({ about }) => about)).toContain('database');
      expect((await client.system.rungs()).map(({ rung }) => rung)).toContain('signals');
      expect(await client.jobs.pause({ id })).toMatchObject({ status: 'paused', holdsVram: true });
      expect(await client.jobs.resume({ id })).toMatchObject({ status: 'running', pausedAtMs: null });
      expect((await client.jobs.cancel({ id })).status).toBe('stopping');
      expect(await stint.untilOver(id)).toMatchObject({ status: 'cancelled', exitCode: 143 });
    });

    it('holds, releases, orders and withdraws waiting ones', async () => {
      const [a, b] = [
        await submit('true', { gpus: 2, hold: true }),
        await submit('true', { gpus: 2, hold: true }),
      ];
      expect(await client.jobs.prioritise({ id: b.id, priority: 7 })).toMatchObject({ priority: 7 });
      const moved = await client.jobs.move({ id: b.id, beforeId: a.id });
      expect(moved.moved).toBe(true);
      expect(moved.rank).toBeLessThan(a.rank);
      const last = await client.jobs.move({ id: b.id, beforeId: null });
      expect(last.rank).toBeGreaterThan((await client.jobs.get({ id: a.id })).rank);
      const [gpu] = await client.devices.list();
      const wide = { id: b.id, deviceIds: [gpu!.id] };
      await expect(client.jobs.pin(wide)).rejects.toMatchObject({ data: { field: 'deviceIds' } });
      const both = (await client.devices.list()).map(({ id }) => id);
      expect(await client.jobs.pin({ id: b.id, deviceIds: both })).toMatchObject({ pinnedTo: both });
      expect(await client.jobs.pin({ id: b.id, deviceIds: null })).toMatchObject({ pinnedTo: null });
      expect((await client.jobs.cancel({ id: a.id })).status).toBe('cancelled');
      // Something must be in the way for one to stay queued.
      const blockers = [await submit('sleep 60'), await submit('sleep 60')];
      for (const { id } of blockers) await stint.until(id, 'running');
      const released = await client.jobs.release({ id: b.id });
      expect(released.status).toBe('queued');
      expect((await client.jobs.hold({ id: b.id })).status).toBe('held');
      for (const { id } of [b, ...blockers]) await client.jobs.cancel({ id });
      for (const { id } of blockers) await stint.untilOver(id);
    });

    it('starts nothing while the machine is drained', async () => {
      expect((await client.scheduler.drain({ on: true })).drainedSinceMs).not.toBeNull();
      const { id } = await submit('true');
      await until(
        async () => /drained/.test((await client.jobs.get({ id })).waitingReason ?? ''),
        'the reason to be that it is drained',
      );
      expect((await client.scheduler.drain({ on: false })).drainedSinceMs).toBeNull();
      expect(await stint.untilOver(id)).toMatchObject({ status: 'succeeded' });
    });

    it('holds and releases all that wait', async () => {
      const blockers = [await submit('sleep 60'), await submit('sleep 60')];
      for (const { id } of blockers) await stint.until(id, 'running');
      const ids = [(await submit('true')).id, (await submit('true', { hold: true })).id];
      expect(await client.jobs.holdAll()).toEqual({ ids: [ids[0]] });
      await expect(client.jobs.holdAll()).rejects.toMatchObject({
        code: 'CONFLICT',
        message: 'no job is queued; there is nothing to hold',
      });
      expect(await client.jobs.releaseAll()).toEqual({ ids });
      await client.jobs.cancel({ id: ids[0]! });
      expect(await client.jobs.undo({ id: ids[0]! })).toMatchObject({ status: 'queued', finishedAtMs: null });
      for (const id of [...ids, ...blockers.map((job) => job.id)]) await client.jobs.cancel({ id });
      for (const { id } of blockers) await stint.untilOver(id);
    });

    it('tries again what failed, and tells its attempts with their logs', async () => {
      const { id } = await submit('echo $STINT_ATTEMPT; exit $STINT_ATTEMPT', { retries: 1, retryDelayS: 0 });
      expect(await stint.untilOver(id)).toMatchObject({ status: 'failed', exitCode: 2, attempt: 2 });
      const attempts = await client.jobs.attempts({ id });
      expect(attempts).toMatchObject([
        { attempt: 1, outcome: 'failed', exitCode: 1 },
        { attempt: 2, outcome: 'failed', exitCode: 2 },
      ]);
      expect(await client.logs.read({ id, attempt: 1 })).toMatchObject({ text: '1\n', end: true });
      let text = '';
      for await (const chunk of await client.logs.follow({ id, attempt: 1 })) text += chunk.text;
      expect(text).toBe('1\n');
      expect(await client.jobs.retry({ id })).toMatchObject({ id, status: 'queued', exitCode: null });
      expect(await stint.untilOver(id)).toMatchObject({ status: 'failed', exitCode: 4, attempt: 4 });
    });

    it('change the jobs of an array together', async () => {
      const spec = { command: ['sleep', '60'], cwd: '/tmp', user: 'ada', gpus: 0, hold: true };
      const members = [{ index: 3, values: { lr: '1' } }, { index: 4 }];
      const { id, ids } = await client.arrays.submit({ spec, members, atMost: 1 });
      expect(await client.arrays.prioritise({ id, priority: 3 })).toEqual({ ids });
      const { jobs } = await client.arrays.get({ id });
      expect(jobs.map(({ array, priority }) => [array?.index, array?.values, priority])).toEqual([
        [3, { lr: '1' }, 3],
        [4, {}, 3],
      ]);
      expect(await client.arrays.release({ id })).toEqual({ ids });
      await stint.until(id, 'running');
      expect(await client.arrays.pause({ id })).toEqual({ ids: [id] });
      expect(await client.arrays.resume({ id })).toEqual({ ids: [id] });
      expect(await client.arrays.hold({ id })).toEqual({ ids: [ids[1]] });
      await expect(client.arrays.preempt({ id })).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await client.arrays.cancel({ id })).toEqual({ ids });
      for (const one of ids) await stint.untilOver(one);
      expect(await client.arrays.undo({ id })).toEqual({ ids: [ids[1]] });
      await client.jobs.cancel({ id: ids[1]! });
      expect(await client.arrays.retry({ id })).toEqual({ ids });
      expect(await client.arrays.cancel({ id })).toEqual({ ids });
      for (const one of ids) await stint.untilOver(one);
      await expect(client.arrays.get({ id: id + 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('finds jobs, and lines in their logs', async () => {
      const { id } = await submit('echo one; echo two; echo three', { name: 'needle in the hay' });
      await stint.untilOver(id);
      const found = await client.jobs.search({ text: 'needle', limit: 1 });
      expect(found.jobs.map((job) => job.id)).toEqual([id]);
      const { matches } = await client.logs.search({ id, pattern: '^t' });
      expect(matches.map(({ text }) => text)).toEqual(['two', 'three']);
      expect(await client.logs.locate({ id, line: 2 })).toEqual({ offset: 4 });
    });

    it('lists by status, in pages', async () => {
      const held: number[] = [];
      for (let i = 0; i < 3; i++) held.push((await submit('true', { hold: true })).id);
      const all = await client.jobs.list({ statuses: ['held'] });
      expect({ ids: all.jobs.map(({ id }) => id), total: all.total }).toEqual({ ids: held, total: 3 });
      const page = await client.jobs.list({ statuses: ['held'], limit: 1, offset: 1 });
      expect({ ids: page.jobs.map(({ id }) => id), total: page.total }).toEqual({ ids: [held[1]], total: 3 });
      // Of the queue as much as is asked for; what is behind comes by pages.
      const first = await client.system.overview({ waiting: 2 });
      const waits = first.jobs.filter(({ status }) => status === 'held');
      expect({ ids: waits.map(({ id }) => id), left: first.left }).toEqual({
        ids: held.slice(0, 2),
        left: 1,
      });
      const last = waits.at(-1)!;
      const rest = await client.jobs.search({
        statuses: ['held'],
        after: { part: 'waiting', at: last.rank, id: last.id },
      });
      expect(rest.jobs.map(({ id }) => id)).toEqual(held.slice(2));
      expect((await client.system.overview()).left).toBe(0);
      await expect(client.system.overview({ waiting: 0 })).rejects.toThrow(/at least 1/);
      for (const id of held) await client.jobs.cancel({ id });
      expect((await client.jobs.list({ statuses: ['held'] })).total).toBe(0);
    });
  });

  describe('the machine and the scheduler', () => {
    it('describes themselves', async () => {
      const { id } = await submit('true');
      await stint.untilOver(id);
      const info = await client.system.info();
      expect(info).toMatchObject({ pid: process.pid, home, probe: 'virtual' });
      const overview = await client.system.overview();
      expect(overview.system).toEqual(info);
      expect(overview.devices.map((device) => device.id)).toEqual(['virtual-0', 'virtual-1']);
      expect(overview.jobs.some((job) => job.id === id)).toBe(true);
      expect(overview.left).toBe(0);
      expect(await client.devices.list()).toMatchObject([{ id: 'virtual-0' }, { id: 'virtual-1' }]);
      const stretches = await client.devices.allocations({ sinceMs: 0 });
      expect(stretches.find((stretch) => stretch.jobId === id)).toMatchObject({
        user: 'tester',
        status: 'succeeded',
      });
      await until(async () => {
        const series = await client.devices.samples({ sinceMs: info.startedAtMs });
        return series.length === 2 && series.every(({ readings }) => readings.length > 0);
      }, 'samples of both devices');
    });

    it('says what is known of memory and of pairs', async () => {
      const { id } = await submit('true', { vramMib: 300 });
      expect(await client.jobs.memory({ id })).toEqual({
        declaredMib: 300,
        learnedMib: null,
        observedMib: null,
        settled: false,
        reservedMib: 300,
        suggestedMib: 450,
      });
      expect(await client.scheduler.interference()).toEqual([]);
    });

    it('keeps what the owner wants of devices and machine', async () => {
      const id = 'virtual-1';
      expect(await client.devices.focus({ ids: [id] })).toEqual({
        everyMs: 1000,
        devices: [{ id, readings: [] }],
      });
      await expect(client.devices.focus({ ids: [id, 'x'] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(client.devices.focus({ ids: [] })).rejects.toMatchObject({ data: { field: 'ids' } });
      const device = await client.devices.setRules({ id, rules: { foreign: 'avoid', maxTemperatureC: 85 } });
      expect(device.rules).toMatchObject({ foreign: 'avoid', maxTemperatureC: 85, presence: 'off' });
      await expect(client.devices.setRules({ id, rules: { maxTemperatureC: 3 } })).rejects.toMatchObject({
        data: { field: 'rules.maxTemperatureC', value: '3' },
      });
      await client.devices.setRules({ id, rules: { foreign: 'share', maxTemperatureC: null } });
      await expect(client.devices.ignore({ id, pid: 1 })).rejects.toMatchObject({ code: 'CONFLICT' });
      await expect(client.devices.reopen({ id })).rejects.toMatchObject({ code: 'CONFLICT' });
      const fromMs = Date.now() + 3_600_000;
      const reservation = await client.devices.reserve({ id, fromMs, toMs: fromMs + 1, user: 'ada' });
      expect(await client.devices.reservations()).toEqual([reservation]);
      expect(await client.devices.unreserve({ id: reservation.id })).toEqual({ id: reservation.id });
      const settings = await client.settings.get();
      expect(settings).toEqual(DEFAULT_MACHINE_RULES);
      expect(await client.settings.set({ rules: { diskFloorMib: 0 } })).toEqual({
        ...settings,
        diskFloorMib: 0,
      });
      expect(await client.settings.set({ rules: settings })).toEqual(settings);
    });

    it('remembers what is over, in pages', async () => {
      const wanted: number[] = [];
      for (const name of ['first', 'second']) {
        const { id } = await submit('exit 4', { name });
        await stint.untilOver(id);
        wanted.push(id);
      }
      const found: PastJob[] = [];
      for (let after: { finishedAtMs: number; id: number } | null = null; ; ) {
        const page: Awaited<ReturnType<typeof client.history.jobs>> = await client.history.jobs({
          fromMs: 0,
          toMs: Date.now() + 1000,
          limit: 1,
          after,
        });
        found.push(...page.jobs);
        after = page.next;
        if (after === null) break;
      }
      const [first, second] = found.filter(({ id }) => wanted.includes(id));
      expect(first).toMatchObject({
        id: wanted[0],
        name: 'first',
        command: 'sh',
        exitCode: 4,
        policy: 'fifo',
      });
      expect(second!.id).toBe(wanted[1]);
      expect(first!.runS).toBeCloseTo((first!.finishedAtMs - first!.startedAtMs!) / 1000, 6);
      expect((await client.history.jobs({ fromMs: 0, toMs: 0 })).jobs).toEqual([]);
      const [usage] = await client.history.usage({ by: 'project' });
      expect(usage).toMatchObject({ name: 'default', energyKwh: null, measuredGpuHours: 0 });
      expect(usage!.jobs).toBeGreaterThanOrEqual(2);
      expect(await client.history.usage({ fromMs: 0, toMs: 1 })).toEqual([]);
      // Of virtual GPUs no power is measured.
      expect(await client.history.energy({ ids: wanted })).toEqual([]);
    });

    it('decides, and says why', async () => {
      const { id } = await submit('true');
      await stint.untilOver(id);
      const [latest, second] = await client.scheduler.decisions({ limit: 2 });
      expect(latest!.id).toBeGreaterThan(second!.id);
      const [launch] = await client.scheduler.decisions({ jobId: id, limit: 1 });
      expect(launch!.candidates[launch!.chosen]!.action).toMatchObject({ kind: 'launch', jobId: id });
      expect(launch!.sentence).toContain(`#${id}`);
      expect(await client.scheduler.explain({ id })).toEqual({ waitingReason: null, decision: launch });
      await expect(client.scheduler.explain({ id: 999_999 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(await client.scheduler.expectedStarts({})).toMatchObject({ policy: 'fifo', jobs: [] });
      // No network decided anything here.
      expect(await client.scheduler.calibration()).toMatchObject({ decisions: 0, pending: 0, bins: [] });
      const earlier = await client.scheduler.decisions({ beforeId: launch!.id, limit: 1 });
      expect(earlier[0]!.id).toBeLessThan(launch!.id);
      expect((await client.scheduler.episodes({}))[0]).toMatchObject({ jobsArrived: expect.any(Number) });
      expect(await client.scheduler.status()).toMatchObject({ policy: 'fifo' });
      expect(await client.scheduler.setPolicy({ policy: 'priority' })).toMatchObject({ policy: 'priority' });
      await client.scheduler.setPolicy({ policy: 'fifo' });
    });

    it('replays no time in which nothing ran, and says so in the stream', async () => {
      const empty = client.goals.preview({ goals: { fairness: 2 }, fromMs: 0, toMs: 1 });
      await expect(empty.then((stream) => stream.next())).rejects.toMatchObject({ code: 'CONFLICT' });
      const backwards = client.goals.preview({ goals: {}, fromMs: 2, toMs: 1 });
      await expect(backwards).rejects.toMatchObject({ code: 'BAD_REQUEST', data: { field: 'fromMs' } });
      const nothing = client.history.replay({ fromMs: 0, toMs: 1 });
      await expect(nothing.then((stream) => stream.next())).rejects.toMatchObject({ code: 'CONFLICT' });
      const unknown = client.history.replay({ fromMs: 0, policies: ['best'] });
      await expect(unknown.then((stream) => stream.next())).rejects.toMatchObject({
        code: 'BAD_REQUEST',
        data: { field: 'policies' },
      });
    });

    it('lets people act instead of the policy', async () => {
      expect(await client.scheduler.setMode({ mode: 'manual' })).toMatchObject({
        mode: 'manual',
        thinkS: 30,
      });
      const { id } = await submit('exec sleep 60');
      expect(await client.jobs.start({ id, deviceIds: ['virtual-1'] })).toMatchObject({
        status: 'running',
        devices: ['virtual-1'],
      });
      for (const answer of ['accept', 'overrule'] as const) {
        await expect(client.scheduler[answer]({})).rejects.toMatchObject({
          code: 'CONFLICT',
          message: expect.stringContaining('nothing is suggested in mode manual'),
        });
      }
      await client.jobs.cancel({ id });
      await stint.untilOver(id);
      expect(await client.scheduler.setMode({ mode: 'auto' })).toMatchObject({ mode: 'auto' });
    });

    it('takes how much learning may cost', async () => {
      const { limits } = (await client.scheduler.status()).learner;
      expect(limits).toEqual({ cpuPercent: 10, whilePresent: false });
      expect((await client.scheduler.setLearning({ cpuPercent: 0 })).learner).toMatchObject({
        limits: { cpuPercent: 0, whilePresent: false },
        yields: false,
      });
      await expect(client.scheduler.setLearning({ cpuPercent: 101 })).rejects.toMatchObject({
        code: 'BAD_REQUEST',
        data: { field: 'cpuPercent', value: '101', remedy: 'give at most 100 percent' },
      });
      expect((await client.scheduler.setLearning(limits)).learner.limits).toEqual(limits);
      // Whether anything was learned by now depends on how long the rest has taken.
      const steps = (await client.scheduler.learningCurve()).map(({ trainSteps }) => trainSteps);
      expect(steps).toEqual(steps.toSorted((one, other) => one - other));
    });

    it('takes what the scheduler is to strive for', async () => {
      const { goals } = await client.scheduler.status();
      expect((await client.scheduler.setGoals({ fairness: 2 })).goals).toEqual({ ...goals, fairness: 2 });
      await expect(client.scheduler.setGoals({ completion: 2.5 })).rejects.toMatchObject({
        code: 'BAD_REQUEST',
        data: { field: 'completion', value: '2.5', remedy: 'give at most 2' },
      });
      expect((await client.scheduler.setGoals(goals)).goals).toEqual(goals);
    });

    it('says what policies may do to running jobs', async () => {
      const before = (await client.scheduler.status()).giveWay;
      const { maxPreemptions } = (await client.scheduler.setGiveWay({ maxPreemptions: 2 })).giveWay;
      expect(maxPreemptions).toBe(2);
      expect((await client.scheduler.setGiveWay(before)).giveWay).toEqual(before);
      const { id } = await submit('exec sleep 60');
      await stint.until(id, 'running');
      await expect(client.jobs.preempt({ id })).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await client.jobs.throttle({ id, share: 0.5 })).toMatchObject({ status: 'running' });
      expect(await client.jobs.throttle({ id, share: null })).toMatchObject({ status: 'running' });
      await client.jobs.cancel({ id });
      await stint.untilOver(id);
    });

    it('hands weights on, and puts them in charge', async () => {
      const { scheduler } = client;
      const { version } = (await scheduler.versions())[0]!;
      const file = await scheduler.exportVersion({ version });
      const name = `${version}-${crypto.randomUUID()}`;
      expect(await scheduler.importVersion({ ...file, name })).toMatchObject({
        version: name,
        inCharge: false,
      });
      await scheduler.promote({ version: name });
      expect((await scheduler.versions())[0]).toMatchObject({ version: name, inCharge: true });
      await scheduler.rollBack();
      expect((await scheduler.versions())[0]).toMatchObject({ version, inCharge: true });
      await expect(scheduler.judge({ version })).rejects.toMatchObject({ code: 'CONFLICT' });
      expect((await scheduler.freeze({ on: true })).promotion.frozen).toBe(true);
      expect((await scheduler.freeze({ on: false })).promotion.frozen).toBe(false);
    });
  });

  describe('errors', () => {
    // As a client in another language, or an older one, might send it.
    const wrong: readonly [string, (c: Loose) => Promise<unknown>, string][] = [
      ['no command', (c) => c.jobs!.submit!({ command: [], cwd: '/', user: 'u' }), 'command'],
      ['a relative directory', (c) => c.jobs!.submit!({ command: ['true'], cwd: 'here', user: 'u' }), 'cwd'],
      ['half a GPU', (c) => c.jobs!.submit!({ command: ['true'], cwd: '/', user: 'u', gpus: 0.5 }), 'gpus'],
      ['an unknown field', (c) => c.jobs!.submit!({ command: ['true'], cwd: '/', user: 'u', gpu: 1 }), 'gpu'],
      [
        'a bad variable',
        (c) => c.jobs!.submit!({ command: ['true'], cwd: '/', user: 'u', env: { '1': 'x' } }),
        'env.1',
      ],
      ['nobody', (c) => c.jobs!.submit!({ command: ['true'], cwd: '/' }), 'user'],
      ['nothing at all', (c) => c.jobs!.submit!(undefined), 'request'],
      ['an id of no job', (c) => c.jobs!.get!({ id: 0 }), 'id'],
      ['an id in letters', (c) => c.jobs!.cancel!({ id: '1' }), 'id'],
      ['a limit too high', (c) => c.scheduler!.decisions!({ limit: 100_000 }), 'limit'],
      ['a policy that is none', (c) => c.scheduler!.setPolicy!({ policy: 'best' }), 'policy'],
      ['a page of too much', (c) => c.history!.jobs!({ fromMs: 0, toMs: 1, limit: 5000 }), 'limit'],
      ['a period without an end', (c) => c.history!.jobs!({ fromMs: 0 }), 'toMs'],
      ['a time before time', (c) => c.devices!.samples!({ sinceMs: -1 }), 'sinceMs'],
      ['a sequence number below 0', (c) => c.watch!({ since: -1 }), 'since'],
    ];
    it.each(wrong)('names what is wrong with %s', async (_name, call, field) => {
      const before = (await client.jobs.list({})).total;
      const error = await call(client as unknown as Loose).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({
        code: 'BAD_REQUEST',
        data: { field, value: expect.any(String), remedy: expect.stringMatching(/\S/) },
      });
      expect((await client.jobs.list({})).total).toBe(before);
    });

    it.each(['get', 'pause', 'resume', 'cancel', 'hold', 'release', 'events'] as const)(
      'says that there is no such job to %s',
      async (name) => {
        await expect(client.jobs[name]({ id: 999_999 })).rejects.toMatchObject({
          code: 'NOT_FOUND',
          data: { what: 'job', id: '999999', remedy: expect.stringMatching(/\S/) },
        });
      },
    );

    it('says the same of its log', async () => {
      await expect(client.logs.read({ id: 999_999 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(collect(client.logs.follow({ id: 999_999 }))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('refuses what does not fit the job’s state, and changes nothing', async () => {
      const { id } = await submit('true');
      const job = await stint.untilOver(id);
      for (const name of ['pause', 'resume', 'cancel', 'hold', 'release'] as const) {
        await expect(client.jobs[name]({ id }), name).rejects.toMatchObject({
          code: 'CONFLICT',
          data: { remedy: expect.stringMatching(/\S/) },
        });
      }
      expect(await client.jobs.get({ id })).toEqual(job);
    });
  });

  describe('streams', () => {
    it('follow a log to its end', async () => {
      const { id } = await submit('for i in 1 2 3; do echo line $i; sleep 0.05; done');
      const chunks = await collect(client.logs.follow({ id }));
      expect(chunks.map(({ text }) => text).join('')).toBe('line 1\nline 2\nline 3\n');
      expect(chunks.at(-1)).toMatchObject({ end: true, nextOffset: 21, size: 21 });
      let next = 0;
      for (const chunk of chunks) {
        expect(chunk.offset).toBe(next);
        next = chunk.nextOffset;
      }
      expect((await collect(client.logs.follow({ id, offset: -7 }))).map(({ text }) => text).join('')).toBe(
        'line 3\n',
      );
      await until(() => openStreams() === 0, 'the streams to end');
    });

    it('tell every event after a number, in order, once', async () => {
      const { seq: since } = await client.system.overview();
      const before = await submit('true');
      await stint.untilOver(before.id);
      const stop = new AbortController();
      const seen: WatchMessage[] = [];
      const stream = await client.watch({ since }, { signal: stop.signal });
      const after = submit('true');
      for await (const message of stream) {
        seen.push(message);
        if (
          message.type === 'event' &&
          message.job.id === (await after).id &&
          message.entry.event.kind === 'exited'
        )
          break;
      }
      stop.abort();
      const told = seen.filter((message) => message.type === 'event').map(({ seq }) => seq);
      expect(told).toEqual(await everySeq(since));
      // What is not an event still carries where the reader is.
      let last = since;
      for (const { seq } of seen) {
        expect(seq).toBeGreaterThanOrEqual(last);
        last = seq;
      }
      await until(() => openStreams() === 0, 'the stream to end');
    });

    it('go on where they were when the connection is cut', async () => {
      const { seq: since } = await client.system.overview();
      const stop = new AbortController();
      const told: number[] = [];
      const wires: Wire[] = [];
      const watching = watchForever(
        async () => {
          const next = await served.connect();
          wires.push(next);
          return next.client;
        },
        {
          since,
          signal: stop.signal,
          sleep: () => new Promise((resolve) => setTimeout(resolve, 5)),
          onMessage(message) {
            if (message.type === 'event') told.push(message.seq);
          },
        },
      );
      const jobs: JobView[] = [];
      for (let i = 0; i < 6; i++) {
        jobs.push(await submit('true', { gpus: 0 }));
        const reached = (await client.system.overview()).seq;
        await until(() => wires.length > i && (told.at(-1) ?? 0) >= reached, `event ${reached}`);
        wires.at(-1)!.cut();
      }
      for (const { id } of jobs) await stint.untilOver(id);
      const { seq } = await client.system.overview();
      await until(() => (told.at(-1) ?? 0) >= seq, `event ${seq}`);
      stop.abort();
      await watching;
      for (const old of wires) old.cut();
      expect(wires.length).toBeGreaterThanOrEqual(6);
      expect(told).toEqual(await everySeq(since));
      await until(() => openStreams() === 0, 'every stream to end');
    });

    it('leave nothing behind when their reader goes', async () => {
      const { id } = await submit('sleep 60');
      await stint.until(id, 'running');
      const stop = new AbortController();
      const watched = await client.watch({}, { signal: stop.signal });
      await watched.next();
      const watchedEnd = collect(Promise.resolve(watched));
      const returned = await client.watch({});
      await returned.next();
      const followed = collect(client.logs.follow({ id }, { signal: stop.signal }));
      const other = await served.connect();
      const torn = await other.client.watch({});
      await torn.next();
      const tornEnd = collect(Promise.resolve(torn));
      await until(() => openStreams() === 4, 'four open streams');

      stop.abort();
      await returned.return?.(undefined);
      other.cut();
      await Promise.allSettled([watchedEnd, followed, tornEnd]);
      await until(() => openStreams() === 0, 'all four to end');
      expect(await client.system.info()).toMatchObject({ pid: process.pid });
      await client.jobs.cancel({ id });
      await stint.untilOver(id);
    });
  });

  it('keeps submissions under a name, and no secrets in them', async () => {
    const spec = { command: ['python', 'train.py', '--lr', '{lr}'], cwd: '/exp', gpus: 2, env: { A: '1' } };
    const sweep = { axes: ['lr=1e-3,3e-4', 'seed=0..4'], atMost: 2 };
    const kept = await client.templates.save({ name: 'my sweep', spec, sweep });
    expect(kept).toMatchObject({
      name: 'my sweep',
      spec: { ...spec, retries: 0 },
      sweep: { ...sweep, array: null },
    });
    await client.templates.save({ name: 'one', spec: { command: ['true'], cwd: '/' } });
    expect((await client.templates.list()).map(({ name }) => name)).toEqual(['my sweep', 'one']);
    await expect(client.templates.save({ name: 'one', spec })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await client.templates.get({ name: 'one' })).toMatchObject({ spec: { command: ['true'] } });
    await client.templates.save({ name: 'one', spec, replace: true });
    expect((await client.templates.rename({ name: 'one', to: 'two' })).spec).toEqual({ ...kept.spec });
    await expect(client.templates.rename({ name: 'two', to: 'my sweep' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    for (const [wrong, field] of [
      [{ env: { HF_TOKEN: 'hf_abcdefghijklmnopqrstuvwxyz012345' } }, 'spec.env.HF_TOKEN'],
      [{ command: ['x', '--password', 'hunter22'] }, 'spec.command.2'],
      [{ preCommand: 'login [secret:1]' }, 'spec.preCommand'],
      [{ venv: '/a', conda: 'b' }, 'spec.conda'],
    ] as const) {
      const given = { ...spec, ...wrong, command: [...('command' in wrong ? wrong.command : spec.command)] };
      await expect(client.templates.save({ name: 'bad', spec: given })).rejects.toMatchObject({
        code: 'BAD_REQUEST',
        data: { field },
      });
    }
    await expect(
      client.templates.save({ name: 'bad', spec, sweep: { axes: ['lr='] } }),
    ).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      data: { field: 'sweep.axes' },
    });
    await expect(client.templates.save({ name: ' x', spec })).rejects.toMatchObject({
      data: { field: 'name' },
    });
    const removed = await client.templates.remove({ name: 'two' });
    const { savedAtMs, ...again } = removed;
    expect(await client.templates.save(again)).toMatchObject(again);
    await client.templates.remove({ name: 'two' });
    await expect(client.templates.get({ name: 'two' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('makes, lists and revokes tokens', async () => {
    const { token, about } = await client.tokens.create({ name: 'script', scope: 'act' });
    expect(token).toMatch(/^stint_[\w-]{43}$/);
    expect(about).toMatchObject({ name: 'script', scope: 'act', lastUsedAtMs: null, expiresAtMs: null });
    expect(await client.tokens.list()).toEqual([about]);
    await expect(client.tokens.create({ name: 'script', scope: 'read' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await expect(client.tokens.create({ name: 'a b', scope: 'read' })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      data: { field: 'name' },
    });
    await expect(client.tokens.create({ name: 'late', scope: 'read', expiresAtMs: 1 })).rejects.toMatchObject(
      { code: 'BAD_REQUEST', data: { field: 'expiresAtMs' } },
    );
    expect(await client.tokens.revoke({ name: 'script' })).toEqual({ name: 'script' });
    expect(await client.tokens.list()).toEqual([]);
    await expect(client.tokens.revoke({ name: 'script' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('adds, lists, tries and removes rules of who is told', async () => {
    const target = { kind: 'slack' as const, url: 'http://127.0.0.1:1/hook' };
    const { rule, secret } = await client.notify.add({ name: 'team', on: ['failed'], target });
    expect({ rule, secret }).toMatchObject({
      rule: { name: 'team', kind: 'slack', to: '127.0.0.1:1' },
      secret: null,
    });
    expect(await client.notify.list()).toEqual([rule]);
    await expect(client.notify.add({ name: 'team', on: ['failed'], target })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect(await client.notify.test({ name: 'team' })).toMatchObject({ ok: false });
    expect(await client.notify.remove({ name: 'team' })).toEqual({ name: 'team' });
    await expect(client.notify.test({ name: 'team' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('adds, lists, tries and removes executors', async () => {
    const given = {
      name: 'cluster',
      kind: 'slurm' as const,
      bin: '/nowhere',
      options: ['--constraint=a100'],
    };
    const made = await client.executors.add(given);
    expect(made).toMatchObject({ ...given, gres: 'gpu', state: 'idle', pending: 0 });
    expect(await client.executors.list()).toEqual([made]);
    expect(await client.executors.get({ name: 'cluster' })).toEqual(made);
    for (const [field, wrong] of [
      ['name', given],
      ['options.0', { ...given, name: 'other', options: ['--output=/tmp/x'] }],
      ['gres', { ...given, name: 'other', gres: 'gpu:2:3' }],
    ] as const)
      await expect(client.executors.add(wrong as never)).rejects.toMatchObject({ data: { field } });
    await expect(submit('true', { executor: 'nobody' })).rejects.toMatchObject({
      data: { field: 'executor' },
    });
    await expect(submit('true', { executorOptions: ['--mem=1G'] })).rejects.toMatchObject({
      data: { field: 'executorOptions' },
    });
    expect(await client.executors.test({ name: 'cluster' })).toEqual([
      { what: 'controller', ok: false, detail: '/nowhere/scontrol cannot be run (ENOENT)' },
    ]);
    expect(await client.executors.order({ name: 'cluster' })).toEqual({ applied: true, jobs: [] });
    await expect(client.executors.order({ name: 'cluster', apply: true })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect(await client.executors.remove({ name: 'cluster' })).toEqual({ name: 'cluster' });
    await expect(client.executors.get({ name: 'cluster' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('says what takes space, and removes nothing unless it is told to', async () => {
    const usage = await client.storage.usage();
    expect(usage.parts.find(({ what }) => what === 'database')!.bytes).toBeGreaterThan(0);
    expect(await client.storage.clean({ endedBeforeMs: 1 })).toEqual({ dryRun: true, parts: [], bytes: 0 });
    await expect(client.storage.clean({ endedBeforeMs: -1 })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      data: { field: 'endedBeforeMs' },
    });
  });

  it('was asked for everything it offers, and the engine had nothing to complain of', () => {
    expect([...called].sort()).toEqual(procedureNames(contract).sort());
    expect(stint.complaints).toEqual([]);
  });

  /** The numbers of all events after `since`, from the jobs' own histories. */
  async function everySeq(since: number): Promise<number[]> {
    const { jobs } = await client.jobs.list({});
    const histories = await Promise.all(jobs.map(({ id }) => client.jobs.events({ id })));
    return histories
      .flat()
      .map(({ seq }) => seq)
      .filter((seq) => seq > since)
      .sort((a, b) => a - b);
  }
});

/** The client without its types. */
interface Loose {
  (input: unknown): Promise<unknown>;
  [name: string]: Loose | undefined;
}

async function collect<T>(stream: Promise<AsyncIterable<T>>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of await stream) all.push(one);
  return all;
}

/** `jobs.submit` and so on. */
function procedureNames(node: object, path: readonly string[] = []): string[] {
  if ('~orpc' in node) return [path.join('.')];
  return Object.entries(node).flatMap(([name, child]) => procedureNames(child as object, [...path, name]));
}
