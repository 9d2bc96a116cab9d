import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isTerminal, type JobSpecInput } from '../../src/domain/job.ts';
import { inChinese } from '../../src/renderer/i18n/engineText.ts';
import { startSlurm, type TestSlurm, withoutSlurm } from './support/slurm.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

const sh = (script: string): string[] => ['sh', '-c', script];

describe.skipIf(withoutSlurm !== null)(
  `a real Slurm of one node${withoutSlurm ? ` ${withoutSlurm}` : ''}`,
  () => {
    let slurm: TestSlurm;
    let home: string;
    let stint: TestEngine;
    let victim: ChildProcess | null = null;

    beforeAll(async () => {
      slurm = await startSlurm();
    }, 120_000);
    afterAll(() => slurm?.stop(), 120_000);
    beforeEach(async () => {
      home = temporaryHome();
      stint = await startEngine({ home });
      await stint.client.executors.add({ name: 'cluster', kind: 'slurm', conf: slurm.conf, pollS: 0.25 });
    });
    afterEach(async () => {
      victim?.kill('SIGKILL');
      await stint.engine.stop();
      for (const id of slurm.run('squeue', '-h', '-o', '%A').split('\n').filter(Boolean)) {
        try {
          slurm.run('scancel', id);
        } catch {
          // It ended meanwhile.
        }
      }
      await eventually(
        () => slurm.run('squeue', '-h'),
        (text) => text.trim() === '',
        'Slurm to be empty',
      );
      removeHome(home);
    });

    const submit = (command: string[], more: Partial<JobSpecInput> = {}) =>
      stint.submit(command, { executor: 'cluster', gpus: 0, ...more });
    const logOf = async (id: number): Promise<string> => (await stint.client.logs.read({ id })).text;

    it('hands jobs over with what they ask for, and records how they end', { timeout: 120_000 }, async () => {
      const checks = await stint.client.executors.test({ name: 'cluster' });
      expect(checks.map(({ what, ok }) => [what, ok])).toEqual([
        ['controller', true],
        ['queue', true],
        ['submission', true],
        ['accounting', true],
      ]);
      // The console says it in the reader's language.
      for (const { what, detail } of checks)
        expect([what, detail].map((text) => inChinese(text)).join()).not.toMatch(/[a-z]{2,} [a-z]{2,}/);
      writeFileSync(join(home, 'hello'), '');
      const bad = await submit(
        sh('echo "$SLURM_JOB_NAME $CUDA_VISIBLE_DEVICES $SLURM_CPUS_PER_TASK $API_TOKEN $PWD"; exit 3'),
        {
          name: 'of that name',
          gpus: 1,
          cwd: home,
          env: { API_TOKEN: "s3cret-o'clock-9f8e7d" },
          executorOptions: ['--cpus-per-task=2'],
          timeLimitS: 90,
          outputPath: join(home, 'copy.log'),
        },
      );
      const waitsFor = await submit(['true'], { after: [{ jobId: bad.id, on: 'not-ok' }] });
      const never = await submit(['true'], { after: [{ jobId: bad.id, on: 'ok' }] });
      const refused = await submit(['true'], { executor: 'cluster:nowhere' });
      const again = await submit(sh('test "$STINT_ATTEMPT" = 2'), { retries: 1, retryDelayS: 0 });
      const array = await stint.client.arrays.submit({
        spec: {
          command: sh('echo {index} $SLURM_ARRAY_TASK_ID; exit {index}'),
          cwd: tmpdir(),
          user: 'tester',
          gpus: 0,
          executor: 'cluster',
        },
        members: [0, 1, 2].map((index) => ({ index, values: {} })),
        atMost: 2,
      });

      const failed = await stint.untilOver(bad.id);
      expect(failed).toMatchObject({ status: 'failed', exitCode: 3, devices: [], executor: 'cluster' });
      const number = failed.remote!.id!;
      expect(await logOf(bad.id)).toBe(`of that name 0 2 s3cret-o'clock-9f8e7d ${home}\n`);
      expect(readFileSync(join(home, 'copy.log'), 'utf8')).toBe(await logOf(bad.id));
      const asked = slurm.run('scontrol', 'show', 'job', number);
      expect(asked).toMatch(/TimeLimit=00:02:00/);
      expect(asked).toMatch(/gpu:1/);
      expect(asked + slurm.run('scontrol', 'write', 'batch_script', number, '-')).not.toMatch(/s3cret/);
      expect(await stint.untilOver(waitsFor.id)).toMatchObject({ status: 'succeeded', exitCode: 0 });
      expect(await stint.untilOver(never.id)).toMatchObject({ status: 'cancelled', startedAtMs: null });
      expect(await stint.untilOver(again.id)).toMatchObject({ status: 'succeeded', attempt: 2, retried: 1 });
      expect((await stint.client.jobs.attempts({ id: again.id })).map(({ outcome }) => outcome)).toEqual([
        'failed',
        'succeeded',
      ]);
      const members = await Promise.all(array.ids.map((id) => stint.untilOver(id)));
      expect(members.map(({ exitCode, remote }) => [exitCode, remote!.id])).toEqual(
        [0, 1, 2].map((index) => [index, `${members[0]!.remote!.id!.split('_')[0]}_${index}`]),
      );
      for (const [index, id] of array.ids.entries()) expect(await logOf(id)).toBe(`${index} ${index}\n`);

      const held = await stint.until(refused.id, 'held');
      expect(held.waitingReason).toMatch(/cluster refused it: Invalid partition name/);
      await expect(stint.client.executors.remove({ name: 'cluster' })).rejects.toThrow(/a job that is/);
      await stint.client.jobs.cancel({ id: refused.id });
      expect(await stint.untilOver(refused.id)).toMatchObject({ status: 'cancelled' });
      await expect(submit(['true'], { executor: 'elsewhere' })).rejects.toMatchObject({
        data: { field: 'executor' },
      });
      expect(stint.complaints).toEqual([]);
    });

    it('passes on what a person does to them, and sees what is done there', {
      timeout: 120_000,
    }, async () => {
      const { client } = stint;
      const job = await submit(sh('while :; do sleep 0.1; done'), { restartable: true });
      const running = await stint.until(job.id, 'running');
      expect(running.remote!.nodes).toHaveLength(1);
      const id = running.remote!.id!;
      const state = (): string => slurm.run('squeue', '-h', '-j', id, '-o', '%T').trim();
      expect(await client.jobs.pause({ id: job.id })).toMatchObject({ status: 'paused', pausedBy: 'person' });
      expect(state()).toBe('SUSPENDED');
      expect(await client.jobs.resume({ id: job.id })).toMatchObject({ status: 'running' });
      slurm.run('scontrol', 'suspend', id);
      await stint.until(job.id, 'paused');
      slurm.run('scontrol', 'resume', id);
      await stint.until(job.id, 'running');
      await expect(client.jobs.throttle({ id: job.id, share: 0.5 })).rejects.toThrow(/throttles nothing/);
      await client.jobs.preempt({ id: job.id });
      expect(await stint.until(job.id, 'queued')).toMatchObject({ preemptions: 1, attempt: 1 });
      expect(await client.jobs.hold({ id: job.id })).toMatchObject({ status: 'held' });
      expect(slurm.run('squeue', '-h', '-j', id, '-o', '%r').trim()).toBe('JobHeldUser');
      slurm.run('scontrol', 'release', id);
      expect((await stint.until(job.id, 'queued')).waitingReason).toMatch(/^cluster, job \d+: /);
      await client.jobs.cancel({ id: job.id });
      expect(await stint.untilOver(job.id)).toMatchObject({ status: 'cancelled', exitCode: null });

      const other = await submit(['sleep', '60']);
      const there = (await stint.until(other.id, 'running')).remote!.id!;
      slurm.run('scancel', there);
      expect(await stint.untilOver(other.id)).toMatchObject({
        status: 'cancelled',
        cause: 'cancelled in cluster',
      });
      expect(stint.complaints).toEqual([]);
    });

    it('orders what is pending by the policy, as far as the owner allows', { timeout: 120_000 }, async () => {
      const { client } = stint;
      const name = 'ordered';
      await client.scheduler.setPolicy({ policy: 'priority' });
      await client.scheduler.setMode({ mode: 'advise' });
      // Each takes all of the node: the first runs, and the others wait for it.
      const options = ['--cpus-per-task=16'];
      await client.executors.add({
        name,
        kind: 'slurm',
        conf: slurm.conf,
        pollS: 0.25,
        niceSpread: 100,
        atMostPending: 3,
        options,
      });
      const send = async (priority: number) =>
        (await submit(['sleep', '60'], { executor: name, priority })).id;
      const first = await send(0);
      await stint.until(first, 'running');
      const [low, middle, high] = [await send(1), await send(2), await send(3)];
      await eventually(
        () => client.executors.get({ name }),
        ({ pending }) => pending === 3,
        'all to be pending',
      );
      const late = await send(4);
      await eventually(
        () => client.jobs.get({ id: late }),
        ({ waitingReason }) => /as many as may be are pending there/.test(waitingReason ?? ''),
        'no more to be handed over',
      );
      const wanted = [
        [high, 0],
        [middle, 50],
        [low, 100],
      ];
      const order = await client.executors.order({ name });
      expect(order.applied).toBe(false);
      expect(order.jobs.map(({ jobId, nice }) => [jobId, nice])).toEqual(wanted);
      expect((await client.executors.order({ name, apply: true })).applied).toBe(true);
      for (const [id, nice] of wanted) {
        const { remote } = await client.jobs.get({ id: id! });
        expect(slurm.run('squeue', '-h', '-j', remote!.id!, '-o', '%y').trim()).toBe(String(nice));
      }
      for (const id of [late, low, middle, high, first]) await client.jobs.cancel({ id });
      for (const id of [late, low, middle, high, first]) await stint.untilOver(id);
      expect(stint.complaints).toEqual([]);
    });

    it('loses and doubles none of 200 jobs while engine and controller are stopped and killed', {
      timeout: 240_000,
    }, async () => {
      const marks = join(home, 'marks');
      mkdirSync(marks);
      const script = `echo x >>${marks}/$STINT_JOB_ID; exit $((STINT_JOB_ID % 5))`;
      const ids: number[] = [];
      const array = await stint.client.arrays.submit({
        spec: { command: sh(script), cwd: tmpdir(), user: 'tester', gpus: 0, executor: 'cluster' },
        members: Array.from({ length: 140 }, (_, index) => ({ index, values: {} })),
        atMost: null,
      });
      ids.push(...array.ids);
      for (let i = 0; i < 60; i++) ids.push((await submit(sh(script))).id);
      await stint.engine.stop();

      const engine = join(import.meta.dirname, 'support', 'engineProcess.ts');
      const taken = (): number =>
        slurm
          .run('squeue', '-h', '-r', '--states=all', '-o', '%k')
          .split('\n')
          .filter((line) => line.startsWith('stint:')).length;
      const before = taken();
      // Killed while it hands over, and while the controller is away.
      for (const most of [145, 165]) {
        victim = spawn(process.execPath, [engine, home], { stdio: ['pipe', 'ignore', 'inherit'] });
        await eventually(taken, (n) => n - before >= most, `${most} jobs to be handed over`, 60_000);
        victim.kill('SIGKILL');
        await once(victim, 'exit');
        victim = null;
      }
      // What is handed over from here on waits behind it. Jobs that a controller has lost while they ran keep their numbers on the
      // node, and Slurm itself takes a node away that is given such a number again.
      const blocker = slurm
        .run('sbatch', '--parsable', '--exclusive', '--output=/dev/null', '--wrap=sleep 600')
        .trim();
      await eventually(
        () => slurm.run('squeue', '-h', '-j', blocker, '-o', '%T').trim(),
        (state) => state === 'RUNNING',
        'all before it to be over',
        90_000,
      );
      await slurm.stopController();
      stint = await startEngine({ home });
      await eventually(
        () => stint.client.executors.get({ name: 'cluster' }),
        ({ state, trouble }) => state === 'trouble' && /it is tried again at/.test(trouble ?? ''),
        'the outage to be noticed',
      );
      await slurm.startController();
      // What it took a moment before it forgets, and gives the numbers of those jobs to others.
      await eventually(taken, (n) => n - before >= 175, '175 jobs to be handed over', 60_000);
      await slurm.killController();
      await slurm.startController();
      slurm.run('scancel', blocker);
      const over = await eventually(
        async () => (await stint.client.jobs.list({})).jobs,
        (jobs) => jobs.every(({ status }) => isTerminal(status)),
        'all to be over',
        180_000,
      );
      expect(over).toHaveLength(200);
      expect(over.filter(({ id, exitCode }) => exitCode !== id % 5)).toEqual([]);
      const wrong = ids.filter((id) => readFileSync(join(marks, String(id)), 'utf8') !== 'x\n');
      expect(wrong).toEqual([]);
      expect(await stint.client.executors.get({ name: 'cluster' })).toMatchObject({
        state: 'idle',
        pending: 0,
      });
    });
  },
);
