import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { JobView } from '../../src/contract/messages.ts';
import { jobSpecSchema } from '../../src/domain/job.ts';
import { Ledger } from '../../src/engine/jobs/ledger.ts';
import { Interference, kindName } from '../../src/engine/sharing/interference.ts';
import { openDatabase } from '../../src/engine/store/database.ts';
import { sharingStore } from '../../src/engine/store/sharingStore.ts';
import { pairKey } from '../../src/scheduler/snapshot.ts';
import { buildNvmlStandIn } from '../stand-ins/nvml/buildNvmlStandIn.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

const standIn = buildNvmlStandIn();
let home: string;
let stint: TestEngine | null = null;
beforeAll(() => {
  Object.assign(process.env, standIn.env);
});
afterAll(() => {
  for (const name of Object.keys(standIn.env)) delete process.env[name];
  standIn.dispose();
});
beforeEach(() => {
  home = temporaryHome();
});
afterEach(async () => {
  if (stint !== null) {
    const { jobs } = await stint.client.jobs.list({ statuses: ['starting', 'running', 'paused', 'queued'] });
    for (const { id } of jobs) await stint.client.jobs.cancel({ id });
    for (const { id } of jobs) await stint.untilOver(id);
    await stint.engine.stop();
  }
  stint = null;
  removeHome(home);
});

/** The pid that a job's script wrote first. */
const pidOf = (engine: TestEngine, job: JobView): Promise<number> =>
  eventually(
    async () => Number((await engine.client.logs.read({ id: job.id })).text.split('\n')[0]),
    (pid) => pid > 0,
    `job ${job.id} to say its pid`,
  );
const script = (more: string): string[] => ['sh', '-c', `echo $$; ${more}`];

it('learns what a command takes, lets its next run share, and raises it when it runs out of memory', async () => {
  standIn.set('count 1');
  const engine = await startEngine({ home, devices: 'nvml' });
  stint = engine;
  const waits = (file: string) => script(`while [ ! -e ${join(home, file)} ]; do sleep 0.05; done; exit 0`);
  const first = await engine.submit([...waits('go'), '--seed', '1']);
  const pid = await pidOf(engine, first);
  standIn.set('count 1', '0.used 6100', `0.compute ${pid} 6000`);
  await eventually(
    () => engine.client.jobs.memory({ id: first.id }),
    ({ observedMib }) => observedMib === 6000,
    'its use to be seen',
  );
  expect(await engine.client.jobs.memory({ id: first.id })).toMatchObject({
    declaredMib: null,
    learnedMib: null,
    reservedMib: null,
  });
  const second = await engine.submit([...waits('go'), '--seed', '2']);
  expect((await engine.client.jobs.get({ id: second.id })).status).toBe('queued');
  expect(await engine.client.jobs.memory({ id: second.id })).toMatchObject({
    learnedMib: 6000,
    reservedMib: 6300,
  });
  await engine.client.jobs.cancel({ id: first.id });
  await engine.until(second.id, 'running');
  // Its need is known now, so that others fit beside it.
  const beside = await engine.submit(script('sleep 300'), { vramMib: 1000 });
  await engine.until(beside.id, 'running');
  const [device] = await engine.client.devices.list();
  expect(device!.holders.find(({ jobId }) => jobId === second.id)?.reservedMib).toBe(6300);

  const oom = await engine.submit(
    ['sh', '-c', 'echo "torch.OutOfMemoryError: CUDA out of memory."; exit 1'],
    {
      vramMib: 2000,
    },
  );
  const over = await engine.untilOver(oom.id);
  expect(over.diagnosis?.code).toBe('gpu-memory');
  expect(await engine.client.jobs.memory({ id: oom.id })).toMatchObject({
    learnedMib: 3000,
    reservedMib: 3150,
  });
  await expect(engine.client.jobs.retry({ id: oom.id, vramMib: 99_000 })).rejects.toThrow('vramMib');
  const larger = await engine.client.jobs.retry({ id: oom.id, vramMib: 4000, alone: true });
  expect(larger).toMatchObject({ vramMib: 4000, exclusive: true });
});

it('says when a job is on a GPU that it was not given, once, and counts what it holds there', async () => {
  standIn.set('count 2');
  const engine = await startEngine({ home, devices: 'nvml' });
  stint = engine;
  const job = await engine.submit(script('sleep 300'), { vramMib: 1000 });
  const pid = await pidOf(engine, job);
  const given = (await engine.client.jobs.get({ id: job.id })).devices[0]!;
  const other = given.endsWith('0') ? 1 : 0;
  standIn.set('count 2', `${other}.used 2000`, `${other}.compute ${pid} 1500`);
  const events = await eventually(
    () => engine.client.jobs.events({ id: job.id }),
    (all) => all.some(({ event }) => event.kind === 'misplaced'),
    'the job to be found misplaced',
  );
  const found = events.find(({ event }) => event.kind === 'misplaced')!;
  expect(found).toMatchObject({
    actor: 'engine',
    event: { reason: expect.stringContaining(`process ${pid} is on GPU`) },
  });
  const device = (await engine.client.devices.list()).find(({ id }) => id !== given)!;
  expect(device).toMatchObject({ holders: [], foreign: [{ pid, memoryMib: 1500, jobId: job.id }] });
  expect(engine.complaints.filter((line) => line.includes('not given'))).toHaveLength(1);
  await engine.engine.stop();
  stint = await startEngine({ home, devices: 'nvml' });
  await eventually(
    () => stint!.client.devices.list(),
    (all) => all.some(({ foreign }) => foreign.length > 0),
    'the process to be seen again',
  );
  const again = await stint.client.jobs.events({ id: job.id });
  expect(again.filter(({ event }) => event.kind === 'misplaced')).toHaveLength(1);
});

it('measures the pace of commands alone and beside each other, and leaves out what was neither', () => {
  const db = openDatabase(join(home, 'stint.db'));
  let nowMs = 1_700_000_000_000;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const ledger = new Ledger(db, clock);
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const interference = new Interference({ ledger, store: sharingStore(db), clock, log });
  const start = (command: string[], device = 'g0'): number => {
    const { id } = ledger.submit(jobSpecSchema.parse({ command, cwd: '/', user: 'ada' }));
    ledger.append(id, { kind: 'launching', devices: [device], attempt: 1 }, 'scheduler');
    ledger.append(id, { kind: 'started', process: { pid: 1, startTime: '1', bootId: 'b' } }, 'engine');
    return id;
  };
  const goOn = (id: number, fraction: number, seconds: number) => {
    nowMs += 1000 * seconds;
    ledger.append(id, { kind: 'progressed', progress: { fraction, label: '', atMs: nowMs } }, 'process');
  };
  const a = start(['a']);
  goOn(a, 0, 1);
  goOn(a, 0.2, 100);
  const b = start(['b']);
  // Somebody came in between: this stretch says nothing.
  goOn(a, 0.3, 100);
  goOn(a, 0.4, 100);
  expect(interference.pairs()).toMatchObject([{ speed: expect.closeTo(0.5, 6), seconds: 100 }]);
  const key = pairKey(kindName(ledger.get(a)), kindName(ledger.get(b)));
  expect(interference.speeds).toEqual({ [key]: expect.closeTo(0.5, 6) });
  const c = start(['c']);
  goOn(a, 0.5, 100);
  goOn(a, 0.6, 10);
  // Beside two others it counts for no pair, and elsewhere for none at all.
  start(['d'], 'g1');
  expect(interference.pairs()).toHaveLength(1);
  ledger.append(c, { kind: 'exited', exitCode: 0, cause: null }, 'process');
  goOn(a, 0.7, 100);
  goOn(a, 0.75, 100);
  expect(interference.pairs()[0]!.speed).toBeCloseTo(0.15 / 200 / (0.2 / 100), 6);
  interference.stop();
  db.close();
});
