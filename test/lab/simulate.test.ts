import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TRACE_HEADER, traceRow } from '../../src/domain/trace.ts';
import { readTrace } from '../../src/lab/readTrace.ts';
import { simulate } from '../../src/lab/simulate.ts';
import { type SimulateMachineOptions, simulateMachine } from '../../src/lab/simulateMachine.ts';
import { generateJobs } from '../../src/simulator/generator/generate.ts';

const PACKAGE = resolve(import.meta.dirname, '../..');
const WEIGHTS = join(PACKAGE, 'resources/policy/second-wind.json');
const PHILLY = resolve(PACKAGE, '../shared/traces/philly-0e4a51.csv');
const TRACE = `job_id,submit_s,duration_s,gpus,user
a,0,100,1,ada
b,10,20,2,ben
c,20,40,1,ada
d,20,40,3,ben
`;

let dir: string;
let file: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'stint-lab-'));
  file = join(dir, 'small.csv');
  writeFileSync(file, TRACE);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const base = () => ({ path: file, file: 'small.csv', gpus: 2, stretch: 1 });

describe('check values of an independent simulator', () => {
  const needs = existsSync(PHILLY) ? '' : ' (needs ../shared/traces/philly-0e4a51.csv beside the project)';
  it.skipIf(needs !== '')(`2638 jobs on 8 GPUs, stretched 15.7 times${needs}`, async () => {
    const expected = {
      fifo: [15894370.892, 60051.071907, 115712968.7, 0],
      'first-fit': [13761108.583, 46683.855557, 115712968.7, 0],
      sjf: [2763614.815, 1256.95569, 115712968.7, 0],
      srtf: [1627738.206, 4.771849, 115760375.7, 1328],
      srsf: [1624801.365, 4.999713, 115760375.7, 1278],
      las: [3396583.477, 14.846805, 115724840.5, 1018348],
    };
    const policies = Object.keys(expected);
    const rows = await simulate({ path: PHILLY, file: 'philly', gpus: 8, stretch: 15.7, policies });
    for (const [i, [policy, values]] of Object.entries(expected).entries()) {
      const row = rows[i]!;
      expect([row.policy, row.jobs, row.rejected]).toEqual([policy, 2638, 0]);
      const [jct, slowdown, makespan, preemptions] = values as [number, number, number, number];
      expect(Math.abs(row.mean_jct_s / jct - 1), `${policy}: mean JCT`).toBeLessThan(1e-6);
      expect(Math.abs(row.mean_slowdown / slowdown - 1), `${policy}: slowdown`).toBeLessThan(1e-6);
      expect(Math.abs(row.makespan_s / makespan - 1), `${policy}: makespan`).toBeLessThan(1e-6);
      expect(row.preemptions, `${policy}: preemptions`).toBe(preemptions);
    }
  });
});

describe('simulate', () => {
  it('answers in the order that was asked for, once for each policy', async () => {
    const rows = await simulate({ ...base(), policies: ['srtf', 'fifo', 'srtf'] });
    expect(
      rows.map(({ policy, clairvoyant, jobs, rejected }) => [policy, clairvoyant, jobs, rejected]),
    ).toEqual([
      ['srtf', true, 3, 1],
      ['fifo', false, 3, 1],
    ]);
  });

  it('does not care what jobs are called', async () => {
    const other = join(dir, 'other.csv');
    writeFileSync(other, TRACE.replace('\na,', '\n"z,9",').replace('\nb,', '\nz,').replace('\nc,', '\nz,'));
    const policies = ['fifo', 'first-fit', 'sjf', 'srtf', 'srsf', 'las'];
    expect(await simulate({ ...base(), path: other, policies })).toEqual(
      await simulate({ ...base(), policies }),
    );
  });

  it('spreads arrivals, and takes only the first jobs', async () => {
    const [row] = await simulate({ ...base(), policies: ['fifo'], stretch: 20, limit: 2 });
    expect(row).toMatchObject({ jobs: 2, mean_jct_s: 60, makespan_s: 220 });
  });

  it('writes what happened to each job that ran', async () => {
    const jobsFile = join(dir, 'jobs.csv');
    await simulate({ ...base(), policies: ['first-fit', 'srtf'], jobsFile });
    expect(readFileSync(jobsFile, 'utf8').trimEnd().split('\n')).toEqual([
      'policy,job_id,submit_s,gpus,start_s,finish_s,jct_s,wait_s,preemptions',
      'first-fit,a,0,1,0,100,100,0,0',
      'first-fit,b,10,2,100,120,110,90,0',
      'first-fit,c,20,1,20,60,40,0,0',
      'srtf,a,0,1,0,120,120,20,1',
      'srtf,b,10,2,10,30,20,0,0',
      'srtf,c,20,1,30,70,50,10,0',
    ]);
  });

  it.each([
    ['a missing file', { path: '/nowhere/x.csv', file: 'x.csv' }, /TRACE: "x.csv".*ENOENT/],
    ['an unknown policy', { policies: ['fifo', 'best'] }, /policy: "best".*choose from fifo/],
    ['too few GPUs for every job', { gpus: 0 }, /gpus: 0.*at least 1/],
  ])('refuses %s', async (_what, change, message) => {
    await expect(simulate({ ...base(), policies: ['fifo'], ...change })).rejects.toThrow(message);
  });

  it('does not write over the trace', async () => {
    const run = simulate({ ...base(), policies: ['fifo'], jobsFile: join(dir, '.', 'small.csv') });
    await expect(run).rejects.toThrow(/--jobs.*another file/);
    expect(readFileSync(file, 'utf8')).toBe(TRACE);
  });
});

describe('simulate on the virtual machine', () => {
  const machine = (over: Partial<SimulateMachineOptions> = {}) =>
    simulateMachine({
      ...base(),
      policies: ['first-fit', 'srtf'],
      regime: 'lab',
      gpuType: 'v100',
      seed: 1,
      weightsPath: WEIGHTS,
      ...over,
    });

  it('agrees in the lab regime with plain mode, and counts what plain mode cannot', async () => {
    const policies = ['fifo', 'first-fit', 'sjf', 'srtf'];
    const plain = await simulate({ ...base(), policies });
    const rows = await machine({ policies });
    const common = rows.map(({ pauses, oom_deaths, failures, lost_gpu_s, ...row }) => {
      expect([pauses, oom_deaths, failures, lost_gpu_s]).toEqual([0, 0, 0, 0]);
      return row;
    });
    expect(common).toEqual(plain);
  });

  it('leaves out jobs that are larger than the machine, in GPUs or in memory', async () => {
    const path = join(dir, 'memory.csv');
    const rows = ['a,0,100,1,1000', 'b,0,100,1,9000', 'c,0,100,3,', 'd,5,100,2,8000'];
    writeFileSync(path, `job_id,submit_s,duration_s,gpus,vram_mib\n${rows.join('\n')}\n`);
    const [row] = await machine({ path, vramMib: 8000, policies: ['fifo'] });
    expect(row).toMatchObject({ jobs: 2, rejected: 2, mean_jct_s: (100 + 195) / 2 });
    const nobody = machine({ path, vramMib: 999, policies: ['fifo'], limit: 2 });
    await expect(nobody).rejects.toThrow(/--vram-mib: 999 .*no job takes less than 1000/);
    await expect(machine({ path: file, gpus: 0 })).rejects.toThrow(/gpus: 0/);
  });

  it('writes what happened to each job, in the order of policies and of the trace', async () => {
    const jobsFile = join(dir, 'machine.csv');
    await machine({ jobsFile, stretch: 2 });
    expect(readFileSync(jobsFile, 'utf8').trimEnd().split('\n')).toEqual([
      'policy,job_id,submit_s,gpus,start_s,finish_s,jct_s,wait_s,preemptions,pauses,oom_deaths,failures,lost_gpu_s,attained_gpu_s',
      'first-fit,a,0,1,0,100,100,0,0,0,0,0,0,100',
      'first-fit,b,20,2,100,120,100,80,0,0,0,0,0,40',
      'first-fit,c,40,1,40,80,40,0,0,0,0,0,0,40',
      'srtf,a,0,1,0,120,120,20,1,0,0,0,0,100',
      'srtf,b,20,2,20,40,20,0,0,0,0,0,0,40',
      'srtf,c,40,1,40,80,40,0,0,0,0,0,0,40',
    ]);
    expect(readdirSync(dir).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('draws what the workstation leaves to chance from the seed', async () => {
    const path = join(dir, 'drawn.csv');
    const jobs = generateJobs('workstation', { jobs: 40, seed: 3, gpus: 2 });
    writeFileSync(path, [TRACE_HEADER, ...Iterator.from(jobs).map(traceRow)].join('\n'));
    const rows = async (seed: number) =>
      JSON.stringify(await machine({ path, regime: 'workstation', seed, policies: ['las', 'dqn'] }));
    const [one, again, other] = [await rows(1), await rows(1), await rows(2)];
    expect(again).toBe(one);
    expect(other).not.toBe(one);
  });

  it('leaves an earlier file of jobs as it was when it fails', async () => {
    const jobsFile = join(dir, 'kept.csv');
    writeFileSync(jobsFile, 'kept');
    const signal = AbortSignal.abort();
    await expect(machine({ jobsFile, signal })).rejects.toThrow('stopped before the end');
    expect(readFileSync(jobsFile, 'utf8')).toBe('kept');
    expect(readdirSync(dir).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});

describe('reading a file', () => {
  it('joins the pieces that it comes in', async () => {
    const long = join(dir, 'long.csv');
    const rows = Array.from({ length: 60_000 }, (_, i) => `"jöb ${i}",${i},1.5,1`);
    writeFileSync(long, ['job_id,submit_s,duration_s,gpus', ...rows].join('\n'));
    let next = 0;
    await readTrace(long, 'long.csv', ({ jobId, submitS }) => jobId === `jöb ${next}` && submitS === next++);
    expect(next).toBe(60_000);
  });

  it('refuses a line that does not end', async () => {
    const endless = join(dir, 'endless.csv');
    writeFileSync(endless, `job_id,submit_s,duration_s,gpus\n${'x'.repeat(3_000_000)}`);
    await expect(readTrace(endless, 'endless.csv', () => true)).rejects.toThrow(
      /endless.csv, line 2.*at most/,
    );
  });
});

describe('stint simulate', () => {
  const stint = (...args: string[]) => {
    const cli = join(PACKAGE, 'src/cli/main.js');
    const options = { cwd: dir, encoding: 'utf8', env: { ...process.env, PWD: dir } } as const;
    return spawnSync(process.execPath, [cli, 'simulate', ...args], options);
  };

  it('prints rows as JSON, or a table that keeps clairvoyant policies apart', () => {
    const json = stint('small.csv', '--gpus', '2', '--plain', '--policy', 'las,sjf', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject([
      { policy: 'las', clairvoyant: false, jobs: 3 },
      { policy: 'sjf', clairvoyant: true, jobs: 3 },
    ]);
    expect(json.stderr).toContain('stint: 1 of 4 jobs were rejected: they ask for more than 2 GPUs');
    const lines = stint('small.csv', '--gpus', '2', '--plain', '--policy', 'sjf,las').stdout.split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['POLICY', 'las', '', 'knowing', 'sjf', '']);
  });

  it('runs the virtual machine as a workstation unless told otherwise', () => {
    const args = ['small.csv', '--gpus', '2', '--policy', 'dqn,srtf,tiresias'];
    const { stdout, stderr, status } = stint(...args, '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      { policy: 'dqn', clairvoyant: false, jobs: 3, rejected: 1, pauses: 0, oom_deaths: 0, failures: 0 },
      { policy: 'srtf', clairvoyant: true },
      { policy: 'tiresias', clairvoyant: false },
    ]);
    expect(stderr).toContain('they ask for more than 2 GPUs or more memory than one has');
    const lines = stint(...args).stdout.split('\n');
    expect(lines[0]).toMatch(/PREEMPTED.*PAUSES +OUT OF MEMORY +CRASHES +LOST GPU TIME/);
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      'POLICY',
      'dqn',
      'tiresias',
      '',
      'knowing',
      'srtf',
      '',
    ]);
  });

  it.each([
    [
      'a policy that plain mode has not',
      ['small.csv', '--gpus', '2', '--plain', '--policy', 'tiresias'],
      /--policy: "tiresias".*choose from fifo, .* las.*; leave --plain out for easy, .*tiresias/,
    ],
    [
      'a regime in plain mode',
      ['small.csv', '--gpus', '2', '--plain', '--regime', 'lab'],
      /--regime means nothing in plain mode/,
    ],
    ['an unknown regime', ['small.csv', '--gpus', '2', '--regime', 'x'], /--regime: "x".*lab, hints/],
    ['too many GPUs', ['small.csv', '--gpus', '65'], /--gpus: 65 .*from 1 to 64/],
    [
      'an unknown policy',
      ['small.csv', '--gpus', '2', '--policy', 'best'],
      /--policy: "best".*tiresias.*dqn/,
    ],
    ['no memory', ['small.csv', '--gpus', '2', '--vram-mib', '0'], /--vram-mib: "0"/],
    [
      'no GPUs',
      ['small.csv', '--gpus', '0', '--plain'],
      /--gpus: "0" is not usable; give a whole number from 1/,
    ],
    [
      'an unknown policy',
      ['small.csv', '--gpus', '2', '--plain', '--policy', 'x'],
      /--policy: "x".*choose from/,
    ],
    ['no such file', ['none.csv', '--gpus', '2', '--plain'], /TRACE: "none.csv".*can be read/],
    ['a stretch of nothing', ['small.csv', '--gpus', '2', '--plain', '--stretch', '0'], /--stretch: "0"/],
  ])('ends with status 2 for %s', (_what, args, message) => {
    const { status, stderr, stdout } = stint(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  it('says where a trace is malformed', () => {
    writeFileSync(join(dir, 'bad.csv'), 'job_id,submit_s,duration_s,gpus\na,0,1,none\n');
    const { status, stderr } = stint('bad.csv', '--gpus', '2', '--plain');
    expect(status).toBe(2);
    expect(stderr).toContain(
      'stint: bad.csv, line 2, column gpus: "none" is not usable; expected a whole number from 1 to 1000000\n',
    );
  });
});
