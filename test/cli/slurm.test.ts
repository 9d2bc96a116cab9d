import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { exported } from '../../src/cli/exported.ts';
import { jobSpec } from '../../src/cli/jobSpec.ts';
import { withScriptHead } from '../../src/cli/slurm/scriptHead.ts';
import { FieldError } from '../../src/domain/errors.ts';
import { fromSlurm } from '../../src/domain/slurm/fromSlurm.ts';
import { readSlurmOptions } from '../../src/domain/slurm/slurmOptions.ts';

let dir: string;
let context: Context;

beforeAll(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'stint-slurm-')));
  mkdirSync(join(dir, 'exp'));
  const ignore = () => undefined;
  context = {
    env: { PATH: '/bin', SEED: '7', STINT_HOME: '/x', CUDA_VISIBLE_DEVICES: '3', 'BASH_FUNC_f%%': '() {' },
    callerDir: dir,
    width: 80,
    nowMs: () => Date.UTC(2026, 10, 27, 12),
    out: ignore,
    write: ignore,
    err: ignore,
    exitWith: ignore,
  };
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The job that a script of these lines makes. */
function read(lines: readonly string[], over: Parameters<typeof withScriptHead>[2] = {}) {
  const file = join(dir, 'job.sh');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const script = withScriptHead(context, ['./job.sh', '--lr', '0.1'], over)!;
  return { ...script, spec: jobSpec(context, script.command, script.flags) };
}

const flagsOf = (...words: string[]): string[] =>
  fromSlurm(readSlurmOptions(words, '').options).flags.flatMap((flag) => flag.words);

describe('a Slurm script', () => {
  it('for another Slurm takes along what only that has', () => {
    const lines = [
      '#!/bin/sh',
      '#SBATCH --gres=gpu:2 --partition=long --mem=32G -c8 --mail-type=END -e err.log',
      '#STINT --slurm=--constraint=a100',
      'srun true',
    ];
    const { spec, notes } = read(lines, { executor: 'cluster' });
    expect(spec).toMatchObject({
      executor: 'cluster:long',
      gpus: 2,
      executorOptions: ['--mem=32G', '--cpus-per-task=8', '--mail-type=END', '--constraint=a100'],
    });
    expect(notes).toEqual([]);
    expect(read(lines, { executor: 'cluster:short' }).spec.executor).toBe('cluster:short');
  });

  it('becomes a job with what it asks for, and the rest is said', () => {
    const { spec, notes, flags } = read([
      '#!/bin/bash -l',
      '#SBATCH -J "fine tune" --gres=gpu:a100:2   # two of them',
      '',
      '# an ordinary comment, and one that is switched off:',
      '##SBATCH --time=1',
      '#SBATCH -t 1-12 --array=0-9%2 -o logs/%A_%a.out',
      '#SBATCH -D exp --dependency=afterok:12:13',
      '#SBATCH --partition=gpu --mem 32G -c8',
      '#SBATCH --requeue --signal=B:USR1@120',
      '#SBATCH --export=SEED,LR=0.1',
      'srun python train.py',
      '#SBATCH --time=2',
    ]);
    expect(spec).toEqual({
      command: ['/bin/bash', '-l', join(dir, 'job.sh'), '--lr', '0.1'],
      cwd: join(dir, 'exp'),
      user: expect.any(String),
      name: 'fine tune',
      gpus: 2,
      minGpus: null,
      gpuShare: null,
      timeLimitS: 129_600,
      outputPath: join(dir, 'exp/logs/%A_%a.out'),
      after: [
        { jobId: 12, on: 'ok' },
        { jobId: 13, on: 'ok' },
      ],
      restartable: true,
      checkpointSignal: 'SIGUSR1',
      graceS: 120,
      env: { SEED: '7', LR: '0.1', SLURM_SUBMIT_DIR: dir, SLURM_NTASKS: '1', SLURM_CPUS_PER_TASK: '8' },
    });
    expect(flags.array).toBe('0-9%2');
    expect(notes.join('\n')).toBe(
      [
        '--signal=B:USR1@120: it is sent when the job is to give way, not before its time limit',
        'any GPU counts as a100 here',
        'without meaning here: --partition=gpu (there is one machine), --mem=32G (host memory is not rationed), ' +
          '--cpus-per-task=8 (processors are not rationed; the script finds the number in SLURM_CPUS_PER_TASK)',
        'line 11 calls srun, which comes with Slurm: leave it out where Slurm is not installed',
      ].join('\n'),
    );
  });

  it('gets no GPU unless it asks for one, and has its own name', () => {
    expect(read(['#!/usr/bin/env python3', '#SBATCH --time=10']).spec).toMatchObject({
      command: ['/usr/bin/env', 'python3', join(dir, 'job.sh'), '--lr', '0.1'],
      gpus: 0,
      name: 'job.sh',
      timeLimitS: 600,
    });
  });

  it('may speak our own words as well, which count more, and the command line counts most', () => {
    const lines = ['#!/bin/sh', '#SBATCH -G 1 -t 60', "#STINT --vram 8GiB --time 2h --env 'A=b c'", 'true'];
    expect(read(lines).spec).toMatchObject({ gpus: 1, vramMib: 8192, timeLimitS: 7200, env: { A: 'b c' } });
    expect(read(lines, { time: 60, gpus: '2', env: { A: 'd' } }).spec).toMatchObject({
      gpus: 2,
      timeLimitS: 60,
      env: { A: 'd' },
    });
    expect(read(['#!/bin/sh', '#STINT --retries 2']).spec).not.toHaveProperty('gpus');
  });

  it.each([
    ['#SBATCH --time=soon', '--time (job.sh, line 2)'],
    ['#SBATCH --nodes=4', '--nodes (job.sh, line 2)'],
    ['#SBATCH --gress=gpu:1', '--gress (job.sh, line 2)'],
    ['#SBATCH --gres', '--gres (job.sh, line 2)'],
    ['#SBATCH -J "open', '#SBATCH (job.sh, line 2)'],
    ['#SBATCH --array=9-0', '--array'],
    ['#SBATCH --dependency=singleton', '--dependency (job.sh, line 2)'],
    ['#SBATCH train.py', '#SBATCH (job.sh, line 2)'],
    ['#SBATCH --input=data.txt', '--input (job.sh, line 2)'],
    ['#STINT --vram lots', '--vram (job.sh, line 2)'],
    ['#STINT --no-such', '#STINT (job.sh, line 2)'],
  ])('is refused with option and line: %s', async (line, field) => {
    const { pointsOf } = await import('../../src/cli/sweepFlags.ts');
    const all = () => {
      const { flags } = read(['#!/bin/sh', line]);
      pointsOf(context, flags);
    };
    expect(all).toThrow(FieldError);
    expect(all).toThrow(field);
  });

  it('is one only with such lines', () => {
    writeFileSync(join(dir, 'plain.sh'), '#!/bin/sh\necho "#SBATCH --time=1"\n#SBATCH --time=1\n');
    expect(withScriptHead(context, ['./plain.sh'], {})).toBeNull();
    expect(withScriptHead(context, ['python', 'train.py'], {})).toBeNull();
    expect(withScriptHead(context, ['.'], {})).toBeNull();
  });
});

describe('an option of sbatch', () => {
  it.each([
    [['-t', '90'], '--time 5400s'],
    [['--time=1:30'], '--time 90s'],
    [['--time=1:00:00'], '--time 3600s'],
    [['--time=2-3:04:05'], '--time 183845s'],
    [['--time=UNLIMITED'], ''],
    [['--begin=now+2hours'], '--begin +7200s'],
    [['--begin', '22:00'], '--begin 22:00'],
    [['--nice=50'], '--priority -50'],
    [['--nice=-2147483645'], '--priority 1000'],
    [['-H', '--exclusive'], '--hold --exclusive'],
    [['-N1', '-Achem'], '--project chem'],
  ])('%j is %s', (words, flags) => {
    expect(flagsOf(...words).join(' ')).toBe(`${flags} --gpus 0`.trim());
  });

  it.each([
    [['-G2'], 2],
    [['--gpus=a100:1,v100:2'], 3],
    [['--gres=gpu'], 1],
    [['--gres=nvme:1,gpu:2'], 2],
    [['--gres=gpu:a100'], 1],
    [['--gpus-per-task=2', '-n', '3'], 6],
    [['--gres=gpu:1', '--gres=gpu:4'], 4],
    [['--gres=none'], 0],
  ])('%j is %i GPUs', (words, gpus) => {
    expect(flagsOf(...words).slice(-2)).toEqual(['--gpus', String(gpus)]);
  });
});

describe('--export', () => {
  it.each([
    [undefined, {}],
    ['NONE', {}],
    ['ALL', { PATH: '/bin', SEED: '7' }],
    ['SEED=8,ALL', { PATH: '/bin', SEED: '7' }],
    ['ALL,SEED=8', { PATH: '/bin', SEED: '8' }],
    ['PATH,X=a=b', { PATH: '/bin', X: 'a=b' }],
  ])('%s', (list, env) => expect(exported(context, list)).toEqual(env));

  it.each(['NOT_SET', '1x=2', 'a b'])('refuses %s', (list) => {
    expect(() => exported(context, list)).toThrow(/--export/);
  });
});
