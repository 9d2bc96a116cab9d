import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serveLocalSocket } from '../../src/engine/server/localSocket.ts';
import { commandLineOf } from '../headless/commandHarness.ts';
import { recordingLog } from '../headless/fakeRouter.ts';
import { eventually, removeHome, startEngine, type TestEngine, temporaryHome } from './support/testEngine.ts';

const STAND_IN = join(import.meta.dirname, '..', 'stand-ins', 'slurm', 'slurm.sh');

let home: string;
let bin: string;
let stint: TestEngine;

beforeEach(async () => {
  home = temporaryHome();
  bin = join(home, 'bin');
  mkdirSync(join(bin, 'jobs'), { recursive: true });
  for (const name of ['sbatch', 'squeue', 'scontrol', 'scancel', 'sacct'])
    copyFileSync(STAND_IN, join(bin, name));
  stint = await startEngine({ home });
  await stint.client.executors.add({ name: 'slurm', kind: 'slurm', bin, pollS: 0.2, timeoutS: 2 });
});
afterEach(async () => {
  await stint.engine.stop();
  removeHome(home);
});

const mode = (command: string, what: string | null): void => {
  const path = join(bin, `${command}.mode`);
  if (what === null) rmSync(path, { force: true });
  else writeFileSync(path, what);
};
/** A job that leaves a line at each run. */
const submit = (name: string) =>
  stint.submit(['sh', '-c', `echo x >>${home}/${name}; exit 7`], { executor: 'slurm', gpus: 0, name });
const runsOf = (name: string): string => readFileSync(join(home, name), 'utf8');
const trouble = (what: RegExp) =>
  eventually(
    () => stint.client.executors.get({ name: 'slurm' }),
    (view) => view.state === 'trouble' && what.test(view.trouble!),
    `trouble like ${what}`,
    30_000,
  );
const over = (id: number) =>
  eventually(
    () => stint.client.jobs.get({ id }),
    ({ status }) => status === 'failed',
    `job ${id} to have failed`,
    60_000,
  );

describe('a Slurm that answers badly', () => {
  it('keeps each job while it is away, and tries again', { timeout: 120_000 }, async () => {
    mode('sbatch', 'down');
    const job = await submit('away');
    await trouble(/Unable to contact slurm controller \(connect failure\); it is tried again at/);
    expect(await stint.client.jobs.get({ id: job.id })).toMatchObject({
      status: 'queued',
      waitingReason: expect.stringMatching(/^slurm cannot be reached: Unable to contact/),
    });
    mode('squeue', 'garbage');
    await trouble(/squeue answered with something else than a list: <html>/);
    mode('squeue', 'hang');
    await trouble(/squeue did not answer within 2 s/);
    expect(await stint.client.jobs.get({ id: job.id })).toMatchObject({ status: 'queued' });
    mode('squeue', null);
    mode('sbatch', null);
    expect(await over(job.id)).toMatchObject({ exitCode: 7 });
    expect(runsOf('away')).toBe('x\n');

    mode('sbatch', 'refuse');
    const refused = await stint.until((await submit('refused')).id, 'held');
    expect(refused.waitingReason).toMatch(/^held: slurm refused it: Invalid account/);
    // Whoever waits for it hears of that, and waits no longer.
    const socket = await serveLocalSocket({ home, router: stint.engine.router, log: recordingLog() });
    const waited = await commandLineOf(() => home)('wait', String(refused.id));
    await socket.close();
    expect(waited).toMatchObject({
      status: 126,
      stderr: expect.stringMatching(/job \d+ is held: slurm refused it: Invalid account.*stint release/),
    });
    mode('sbatch', null);
    await stint.client.jobs.release({ id: refused.id });
    expect(await over(refused.id)).toMatchObject({ exitCode: 7, attempt: 2 });
    expect(runsOf('refused')).toBe('x\n');
  });

  it('is believed by its accounts where its queue has forgotten a job', { timeout: 120_000 }, async () => {
    mode('squeue', 'forgotten');
    mode('sacct', 'accounts');
    const { id } = await submit('forgotten');
    // Its own exit code says less.
    expect(await stint.until(id, 'timed-out', 'failed', 'lost', 'held')).toMatchObject({
      status: 'timed-out',
      cause: 'slurm ended it: over its time limit',
    });
  });

  it('runs a job once whose submission it never answered', { timeout: 120_000 }, async () => {
    mode('sbatch', 'late');
    const late = await submit('late');
    expect(await over(late.id)).toMatchObject({ exitCode: 7, attempt: 1, remote: { id: '1' } });
    expect(runsOf('late')).toBe('x\n');

    // It says that it has it, and has not: handed over again, and what comes to light later runs nothing.
    mode('sbatch', 'garbage');
    const garbage = await submit('garbage');
    await trouble(/sbatch answered with something else than a number/);
    mode('sbatch', null);
    expect(await over(garbage.id)).toMatchObject({ exitCode: 7, attempt: 2 });
    expect(runsOf('garbage')).toBe('x\n');

    mode('sbatch', 'lose');
    const lost = await submit('lost');
    // Once a controller may have been killed; who does so again gets no more.
    const held = await stint.until(lost.id, 'held');
    expect(held.waitingReason).toMatch(/knows nothing of it any more, and it never ran/);
    mode('sbatch', null);
    await stint.client.jobs.release({ id: lost.id });
    expect(await over(lost.id)).toMatchObject({ exitCode: 7, attempt: 3 });
    execFileSync('sh', [join(bin, 'lost')], { env: { ...process.env, SLURM_JOB_ID: '4711' } });
    expect(runsOf('lost')).toBe('x\n');
    expect(existsSync(join(home, 'jobs', String(lost.id), '3', 'task.sh'))).toBe(false);
    await expect(stint.client.jobs.start({ id: lost.id })).rejects.toThrow(
      /for slurm, which starts it itself/,
    );
  });
});
