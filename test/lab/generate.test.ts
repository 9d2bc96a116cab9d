import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TraceJob } from '../../src/domain/trace.ts';
import { writeWorkload } from '../../src/lab/generate.ts';
import { readTrace } from '../../src/lab/readTrace.ts';
import { generateJobs } from '../../src/simulator/generator/generate.ts';

const PACKAGE = resolve(import.meta.dirname, '../..');

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'stint-generate-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function jobsIn(path: string): Promise<TraceJob[]> {
  const jobs: TraceJob[] = [];
  await readTrace(path, 'written.csv', (job) => jobs.push(job) > 0);
  return jobs;
}

describe('writeWorkload', () => {
  it('writes what is generated, whole batches and the rest, and says what it was', async () => {
    const path = join(dir, 'workstation.csv');
    const options = { jobs: 9000, seed: 4, gpus: 3, load: 0.5 };
    const seen: number[] = [];
    const onProgress = (done: number): void => void seen.push(done);
    const written = await writeWorkload({ preset: 'workstation', path, onProgress, ...options });
    const jobs = [...generateJobs('workstation', options)];
    expect(await jobsIn(path)).toEqual(jobs);
    expect(seen).toEqual([4096, 8192]);
    expect(written).toEqual({
      jobs: 9000,
      spanS: jobs.at(-1)!.submitS,
      gpuS: jobs.reduce((sum, job) => sum + job.durationS * job.gpus, 0),
    });
  });

  it('leaves what was there until all is written, and nothing beside it', async () => {
    const own = join(dir, 'own');
    mkdirSync(own);
    writeFileSync(join(own, 'old.csv'), 'old');
    symlinkSync(join(own, 'old.csv'), join(own, 'link.csv'));
    const path = join(own, 'link.csv');
    const fails = writeWorkload({
      preset: 'steady',
      jobs: 5000,
      seed: 1,
      path,
      onProgress: () => {
        expect(readdirSync(own).length).toBe(3);
        throw new Error('somebody pulled the plug');
      },
    });
    await expect(fails).rejects.toThrow('somebody pulled the plug');
    expect(readFileSync(path, 'utf8')).toBe('old');
    await writeWorkload({ preset: 'steady', jobs: 2, seed: 1, path });
    // The link is still one: what it points to was replaced.
    expect((await jobsIn(join(own, 'old.csv'))).length).toBe(2);
    expect(readdirSync(own).sort()).toEqual(['link.csv', 'old.csv']);
  });

  it.each([
    ['a directory', { path: tmpdir() }, /-o: .*a file, not a folder/],
    ['a place that is not there', { path: '/nowhere/at/all.csv' }, /-o: .*can be written.*ENOENT/],
    ['an unknown preset', { preset: 'busy' }, /preset: "busy".*choose from workstation/],
  ])('refuses %s', async (_what, change, message) => {
    const options = { preset: 'steady', jobs: 3, seed: 1, path: join(dir, 'never.csv'), ...change };
    await expect(writeWorkload(options)).rejects.toThrow(message);
    expect(existsSync(join(dir, 'never.csv'))).toBe(false);
  });
});

describe('stint generate', () => {
  const cli = join(PACKAGE, 'src/cli/main.js');
  const options = () => ({ cwd: dir, encoding: 'utf8', env: { ...process.env, PWD: dir } }) as const;
  const stint = (...args: string[]) => spawnSync(process.execPath, [cli, 'generate', ...args], options());

  it('writes a file, or to stdout the same', () => {
    const { stdout, stderr, status } = stint('--preset', 'pai-like', '--jobs', '40', '-o', 'pai.csv');
    expect([status, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/^stint: wrote 40 jobs to pai.csv: .* of arrivals, load \d.\d\d on 32 GPUs\n$/);
    const piped = stint('--preset', 'pai-like', '--jobs', '40', '-o', '-');
    expect(piped.stdout).toBe(readFileSync(join(dir, 'pai.csv'), 'utf8'));
    const other = stint('--preset', 'pai-like', '--jobs', '40', '--seed', '2', '-o', '-');
    expect(other.stdout).not.toBe(piped.stdout);
  });

  it('lists the presets', () => {
    const { stdout, status } = stint('--list');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^PRESET +GPUS +LOAD +WHAT\nworkstation +2 +0.7 +a small lab/);
    expect(stdout).toMatch(/\nsteady +4 +0.8 /);
  });

  it.each([
    ['no number', ['--preset', 'steady', '-o', 'x.csv'], 'generate: --jobs N is missing; see `stint'],
    [
      'an unknown preset',
      ['--preset', 'x', '--jobs', '5', '-o', 'x.csv'],
      '--preset: "x" is not usable; choose',
    ],
    [
      'no jobs',
      ['--preset', 'steady', '--jobs', '0', '-o', 'x.csv'],
      '--jobs: "0" is not usable; give a whole',
    ],
    ['a bad seed', ['--preset', 'steady', '--jobs', '5', '--seed', 'x', '-o', 'x.csv'], '--seed: "x" is not'],
    [
      'a bad load',
      ['--preset', 'steady', '--jobs', '5', '--load', '-1', '-o', 'x.csv'],
      '--load: "-1" is not',
    ],
    [
      'a trace of centuries',
      ['--preset', 'philly-like', '--jobs', '1000000', '--gpus', '1', '-o', 'x.csv'],
      '--jobs: 1000000 is not usable; give at most',
    ],
    ['no such directory', ['--preset', 'steady', '--jobs', '5', '-o', 'no/x.csv'], '-o: "'],
  ])('ends with status 2 for %s', (_what, args, message) => {
    const { status, stdout, stderr } = stint(...args);
    expect([status, stdout, existsSync(join(dir, 'x.csv'))]).toEqual([2, '', false]);
    expect(stderr).toContain(`stint: ${message}`);
  });

  it('interrupted, leaves nothing behind', async () => {
    const own = join(dir, 'interrupted');
    mkdirSync(own);
    const args = ['--preset', 'steady', '--gpus', '100', '--jobs', '100000000', '-o', join(own, 'x.csv')];
    const child = spawn(process.execPath, [cli, 'generate', ...args], { ...options(), stdio: 'ignore' });
    const ended = new Promise((done) => child.once('exit', done));
    await expect.poll(() => readdirSync(own).length, { timeout: 20_000 }).toBe(1);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(readdirSync(own)).toEqual([]);
  });
});
