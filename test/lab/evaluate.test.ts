import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TRACE_HEADER, traceRow } from '../../src/domain/trace.ts';
import { type EvaluateOptions, type Evaluation, evaluate } from '../../src/lab/evaluate/evaluate.ts';
import { fitWindow } from '../../src/lab/evaluate/windows.ts';
import { generateJobs } from '../../src/simulator/generator/generate.ts';
import { metricsOf } from '../../src/simulator/metrics.ts';
import { PlainTraceBuilder } from '../../src/simulator/plain/plainTrace.ts';
import { plainPolicy } from '../../src/simulator/plain/policies.ts';
import { simulatePlain } from '../../src/simulator/plain/simulatePlain.ts';

const PACKAGE = resolve(import.meta.dirname, '../..');
const CLI = join(PACKAGE, 'src/cli/main.js');
const WEIGHTS = join(PACKAGE, 'resources/policy/second-wind.json');
const JOBS = [...generateJobs('sweep-heavy', { jobs: 50, seed: 5, gpus: 4 })];
const PER_WINDOW = 20;
const STANDING = { name: 'standing', path: '/nowhere/standing' };

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'stint-evaluate-'));
  writeFileSync(join(dir, 'small.csv'), `${[TRACE_HEADER, ...JOBS.map(traceRow)].join('\n')}\n`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const options = (over: Partial<EvaluateOptions> = {}): EvaluateOptions => ({
  suites: [{ name: 'small.csv', path: join(dir, 'small.csv') }],
  regime: 'workstation',
  gpus: [1, 2],
  loads: [0.8],
  policies: ['fifo', 'las', 'srtf'],
  seeds: 1,
  gpuType: 'v100',
  jobsPerWindow: PER_WINDOW,
  weightsPath: WEIGHTS,
  version: '0.0.0',
  workers: 1,
  ...over,
});
const run = (over: Partial<EvaluateOptions> = {}): Promise<Evaluation> => evaluate(options(over));

describe('evaluate', () => {
  it('runs every policy on every window in every cell, with every seed', async () => {
    const { windows, suites, cells, versions } = await run({ seeds: 2, loads: [0.6, 0.9], limit: 45 });
    expect(suites).toEqual([{ trace: 'small.csv', jobs: 45, windows: 2, left_over: 5 }]);
    const expected: unknown[] = [];
    for (const gpus of [1, 2])
      for (const load of [0.6, 0.9])
        for (const window of [0, 1])
          for (const seed of [1, 2])
            for (const policy of ['fifo', 'las', 'srtf'])
              expected.push({ trace: 'small.csv', window, gpus, load, seed, policy });
    expect(
      windows.map(({ trace, window, gpus, load, seed, policy }) => ({
        trace,
        window,
        gpus,
        load,
        seed,
        policy,
      })),
    ).toEqual(expected);
    expect(windows.every(({ jobs, rejected }) => jobs + rejected === PER_WINDOW)).toBe(true);
    expect(cells.map(({ gpus, load, windows: count }) => [gpus, load, count])).toEqual([
      [1, 0.6, 2],
      [1, 0.9, 2],
      [2, 0.6, 2],
      [2, 0.9, 2],
    ]);
    expect(Object.keys(versions.policies)).toEqual(['fifo', 'las', 'srtf']);
    // Other draws make another machine of it, but the jobs are the same.
    const [first, second] = [windows[0]!, windows[3]!];
    expect([first.seed, second.seed, first.policy, second.policy]).toEqual([1, 2, 'fifo', 'fifo']);
    expect(first.mean_jct_s).not.toBe(second.mean_jct_s);
    expect(first.jobs).toBe(second.jobs);
  });

  it('gives the same, however many threads there are', async () => {
    const all = { policies: ['fifo', 'random', 'gittins', 'dqn', 'srtf'], seeds: 2 };
    const [one, three] = [await run({ ...all, workers: 1 }), await run({ ...all, workers: 3 })];
    expect(JSON.stringify(three)).toBe(JSON.stringify(one));
  });

  it('agrees in the lab regime with plain mode, which shares no code with it', async () => {
    const { windows } = await run({
      regime: 'lab',
      gpus: [4],
      policies: ['fifo', 'first-fit', 'sjf', 'srtf'],
    });
    for (const row of windows) {
      const cut = JOBS.slice(PER_WINDOW * row.window, PER_WINDOW * (row.window + 1));
      const fitted = fitWindow(cut, { gpus: 4, vramMib: 24 * 1024 }, 0.8);
      if (!('jobs' in fitted)) throw new Error(fitted.reason);
      const builder = new PlainTraceBuilder();
      for (const job of fitted.jobs) builder.add(job);
      const trace = builder.build();
      const { finishS } = simulatePlain(trace, 4, plainPolicy(row.policy));
      const { mean_jct_s: mean, p99_jct_s: p99 } = metricsOf({ ...trace, finishS, length: trace.jobs }, 4);
      expect(row.mean_jct_s / mean, `${row.policy}, window ${row.window}`).toBeCloseTo(1, 5);
      expect(row.p99_jct_s / p99).toBeCloseTo(1, 5);
    }
    expect(windows).toHaveLength(3 * 4);
  });

  it('leaves out what a machine cannot hold, and says so', async () => {
    const wide = JOBS.map((job, i) => (i < PER_WINDOW ? { ...job, gpus: 2 } : job));
    const path = join(dir, 'wide.csv');
    writeFileSync(path, `${[TRACE_HEADER, ...wide.map(traceRow)].join('\n')}\n`);
    const { skipped, cells } = await run({ suites: [{ name: 'wide', path }], limit: 40 });
    expect(skipped).toEqual([
      { trace: 'wide', window: 0, gpus: 1, reason: '0 of 20 jobs fit on the machine' },
    ]);
    expect(cells.map(({ gpus, windows }) => [gpus, windows])).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it('marks who knows durations, and measures nobody against the learned policy', async () => {
    const { overall, cells } = await run({ policies: ['dqn', 'fifo', 'srtf'] });
    expect(overall.map(({ policy, clairvoyant }) => [policy, clairvoyant])).toEqual([
      ['dqn', false],
      ['fifo', false],
      ['srtf', true],
    ]);
    expect(cells.map(({ best_single: best }) => best.mean_jct_s)).toEqual(['fifo', 'fifo']);
    expect(overall[1]!.mean_jct_s.to_best_of_window!.ratio).toBe(1);
  });

  it('shows the first two that were named, or else fifo beside the best heuristic', async () => {
    const some = { htmlFile: join(dir, 'pair.html'), gpus: [2], limit: 40 };
    const title = () => /<title>(.*?) ·/.exec(readFileSync(some.htmlFile, 'utf8'))?.[1];
    await run({ ...some, policies: ['srtf', 'dqn', 'fifo'] });
    expect(title()).toBe('srtf beside dqn');
    const { policies: _named, ...unnamed } = options();
    const { overall } = await evaluate({ ...unnamed, ...some });
    const open = overall.filter(({ policy, clairvoyant }) => !clairvoyant && policy !== 'fifo');
    const best = open.reduce((a, b) =>
      b.mean_jct_s.geometric_mean_s < a.mean_jct_s.geometric_mean_s ? b : a,
    );
    expect(title()).toBe(`fifo beside ${best.policy}`);
  });

  it.each([
    [
      'an unknown suite',
      { suites: [{ name: 'x', path: '/nowhere/x' }] },
      /--suite: "x".*standing, held-back, presets/,
    ],
    ['a folder', { suites: [{ name: 'here', path: import.meta.dirname }] }, /--suite: "here".*EISDIR/],
    ['a suite given twice', { suites: [STANDING, STANDING] }, /--suite: "standing".*each once/],
    ['no GPUs', { gpus: [0] }, /--gpus: 0 .*from 1/],
    ['no list of GPUs', { gpus: [] }, /--gpus: "" .*at least one/],
    ['half a GPU', { gpus: [1.5] }, /--gpus: 1.5/],
    ['no load', { loads: [0] }, /--load: 0 .*above 0/],
    ['too much load', { loads: [0.6, 2.1] }, /--load: 2.1 .*at most 2/],
    ['no seeds', { seeds: 0 }, /--seeds: 0 .*from 1/],
    ['an unknown regime', { regime: 'home' }, /--regime: "home".*lab, hints, workstation/],
    ['an unknown policy', { policies: ['fifo', 'best'] }, /policy: "best".*fifo, .*srtf.*dqn/],
    ['an unknown GPU', { gpuType: 'h100' }, /--gpu-type: "h100".*v100/],
    ['windows of one job', { jobsPerWindow: 1 }, /--jobs-per-window: 1/],
    ['a trace without windows', { jobsPerWindow: 200 }, /--suite: "small.csv".*at least 100 jobs/],
    ['a report that cannot be written', { htmlFile: '/nowhere/r.html' }, /--html.*ENOENT/],
    ['a report of one policy', { htmlFile: 'r.html', policies: ['las'] }, /--html.*at least two policies/],
    ['missing weights', { policies: ['dqn'], weightsPath: '/nowhere' }, /policy: "dqn".*leave it out/],
  ])('refuses %s', async (_what, over, message) => {
    await expect(run(over)).rejects.toThrow(message);
  });
});

describe('stint evaluate', () => {
  const environment = () => ({ cwd: dir, env: { ...process.env, PWD: dir } });
  const stint = (...args: string[]) =>
    spawnSync(process.execPath, [CLI, 'evaluate', ...args], { ...environment(), encoding: 'utf8' });
  const small = ['--suite', 'small.csv', '--jobs-per-window', '20', '--gpus', '1,2', '--load', '0.7'];

  it('prints all results as JSON, and writes a report', () => {
    const args = [...small, '--policy', 'fifo,las,dqn,srtf', '--html', 'report.html', '--json'];
    const { stdout, stderr, status } = stint(...args);
    expect([stderr, status]).toEqual(['', 0]);
    const result = JSON.parse(stdout) as Evaluation;
    expect(Object.keys(result)).toEqual([
      'regime',
      'gpu_type',
      'share',
      'jobs_per_window',
      'seeds',
      'suites',
      'cells',
      'overall',
      'windows',
      'skipped',
      'versions',
    ]);
    expect([result.regime, result.share, result.windows.length]).toEqual(['workstation', null, 3 * 2 * 4]);
    const report = readFileSync(join(dir, 'report.html'), 'utf8');
    expect(report).toMatch(/^<!doctype html>/);
    expect(report).toContain('las');
    expect(readdirSync(dir).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('prints a table a cell and one over all, with clairvoyant policies apart', () => {
    const { stdout, stderr } = stint(...small, '--policy', 'srtf,las', '--regime', 'lab', '--limit', '45');
    const first = stdout.split('\n').map((line) => line.split(/ {2,}/)[0]);
    const table = ['POLICY', 'las', 'knowing true durations:', 'srtf'];
    expect(first).toEqual([
      '1 GPU, load 0.7, 2 windows; best by mean JCT las, by p99 las',
      ...table,
      '',
      '2 GPUs, load 0.7, 2 windows; best by mean JCT las, by p99 las',
      ...table,
      '',
      'all of these',
      ...table,
      '',
    ]);
    expect(stderr).toContain('stint: 5 jobs at the ends of traces are too few for a window');
  });

  it('needs no trace, and takes decimals and several names', () => {
    const args = ['--suite', 'presets', '--limit', '8', '--jobs-per-window', '8', '--gpus', '8', '--load'];
    const { stdout } = stint(...args, '.5', '--policy', 'fifo', '--json', '--regime', 'hints', '--no-share');
    const { suites, share } = JSON.parse(stdout) as Evaluation;
    expect(suites.map(({ trace }) => trace)).toContain('presets/workstation');
    expect(suites.every(({ jobs, windows }) => jobs === 8 && windows === 1)).toBe(true);
    expect(share).toBe(false);
  });

  it.each([
    ['no suite', ['--gpus', '1'], /--suite.*not specified/],
    ['words for numbers', [...small, '--load', 'high'], /--load: "high" is not usable; give numbers/],
    ['an unknown policy', [...small, '--policy', 'x'], /--policy: "x".*choose from/],
    ['no seeds', [...small, '--seeds', '0'], /--seeds: "0" is not usable; give a whole number from 1/],
  ])('ends with status 2 for %s', (_what, args, message) => {
    const { status, stderr, stdout } = stint(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  it('says where a trace is malformed', () => {
    writeFileSync(join(dir, 'bad.csv'), 'job_id,submit_s,duration_s,gpus\na,0,-1,1\n');
    const { status, stderr } = stint('--suite', 'bad.csv');
    expect(status).toBe(2);
    expect(stderr).toContain(
      'stint: bad.csv, line 2, column duration_s: "-1" is not usable; expected seconds',
    );
  });

  it('ends at Ctrl+C with status 130, and leaves nothing half-written', async () => {
    const args = ['evaluate', '--suite', 'presets', '--html', 'interrupted.html', '--seeds', '50'];
    const child = spawn(process.execPath, [CLI, ...args], { ...environment(), stdio: 'pipe' });
    let [out, err] = ['', ''];
    child.stdout.on('data', (data) => {
      out += data;
    });
    child.stderr.on('data', (data) => {
      err += data;
      // Once: a second one would end it the hard way.
      if (err.includes('left') && !child.killed) child.kill('SIGINT');
    });
    const [status] = (await once(child, 'close')) as [number];
    expect([status, out]).toEqual([130, '']);
    expect(err).toMatch(/evaluating: 0 %.*\nstint: interrupted; nothing was written\n$/);
    expect(readdirSync(dir).filter((name) => name.startsWith('interrupted'))).toEqual([]);
  });
});
