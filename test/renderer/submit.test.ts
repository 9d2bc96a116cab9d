import { describe, expect, it } from 'vitest';
import { jobSpecSchema } from '../../src/domain/job.ts';
import { formOfLine, lineOf } from '../../src/renderer/submit/commandLine.ts';
import { blankForm, FLAGS, formOfJob, type JobForm } from '../../src/renderer/submit/jobForm.ts';
import { fieldNamed, readForm } from '../../src/renderer/submit/jobRequest.ts';
import { formOfScript } from '../../src/renderer/submit/scriptForm.ts';
import { job } from './build.ts';

const blank = blankForm({ defaultCwd: '/home/ana', user: 'ana' });
const form = (change: Partial<JobForm>): JobForm => ({ ...blank, command: 'python train.py', ...change });
const now = { nowMs: Date.UTC(2026, 10, 27, 12), offsetMinAt: () => 0 };
/** Something in every field. */
const FULL = form({
  command: "python train.py --lr '{lr}' 'a b'",
  cwd: '/data/my runs',
  name: 'lr {lr}',
  gpus: '1-4',
  vram: '4GiB',
  priority: '-5',
  user: 'mei',
  project: 'vision',
  tags: 'baseline, v2',
  env: "A=1\nB='quoted' and spaces",
  estimate: '45min',
  begin: '+2h',
  deadline: '2026-11-28 09:00',
  time: '2h',
  afterOk: '12, 13',
  afterAny: '14',
  afterNotOk: '15',
  afterArray: '16',
  retries: '3',
  retryDelay: '1min',
  retryOn: '1,137,gpu-memory',
  checkpointSignal: 'USR1',
  grace: '2min',
  output: 'logs/%j.out',
  executor: 'cluster:gpu',
  executorOptions: '--mem=8G\n--constraint=a100',
  venv: '.venv',
  pre: 'make data',
  post: './report.sh',
  ulimits: 'nofile=4096\ncore=0',
  secretsFrom: '11',
  sweep: 'lr=1e-3,3e-4\nseed=0..1',
  samples: '3',
  seed: '7',
  atMost: '2',
  exclusive: true,
  hold: true,
  restartable: true,
});

describe('the submit form', () => {
  it('makes the request, with every field that a job can be given', () => {
    const { problems, spec, sweep } = readForm(FULL, now);
    expect(problems).toBeNull();
    expect(spec).toEqual({
      command: ['python', 'train.py', '--lr', '{lr}', 'a b'],
      cwd: '/data/my runs',
      name: 'lr {lr}',
      env: { A: '1', B: "'quoted' and spaces" },
      gpus: 4,
      minGpus: 1,
      gpuShare: null,
      vramMib: 4096,
      exclusive: true,
      priority: -5,
      user: 'mei',
      project: 'vision',
      tags: ['baseline', 'v2'],
      hold: true,
      estimateS: 2700,
      beginAtMs: now.nowMs + 7_200_000,
      deadlineAtMs: Date.UTC(2026, 10, 28, 9),
      timeLimitS: 7200,
      after: [
        { jobId: 12, on: 'ok' },
        { jobId: 13, on: 'ok' },
        { jobId: 14, on: 'any' },
        { jobId: 15, on: 'not-ok' },
        { jobId: 16, on: 'ok', array: true },
      ],
      retries: 3,
      retryDelayS: 60,
      retryOn: [1, 137],
      retryOnDiagnoses: ['gpu-memory'],
      restartable: true,
      checkpointSignal: 'SIGUSR1',
      graceS: 120,
      outputPath: '/data/my runs/logs/%j.out',
      executor: 'cluster:gpu',
      executorOptions: ['--mem=8G', '--constraint=a100'],
      snapshot: false,
      venv: '/data/my runs/.venv',
      conda: null,
      preCommand: 'make data',
      postCommand: './report.sh',
      ulimits: { nofile: { soft: 4096, hard: 4096 }, core: { soft: 0, hard: 0 } },
    });
    expect(sweep?.atMost).toBe(2);
    expect(new Set(sweep?.points.map(({ values }) => `${values.lr} ${values.seed}`)).size).toBe(3);
    // Nothing that the contract takes is missing from the form.
    expect(Object.keys(jobSpecSchema.shape).filter((key) => !(key in spec!))).toEqual([]);
  });

  it('is one job of whole GPUs where little is said, and an array of indices where they are given', () => {
    const { spec, sweep } = readForm(form({}), now);
    expect([spec?.gpus, spec?.vramMib, spec?.retryDelayS, sweep]).toEqual([1, null, undefined, null]);
    const array = readForm(form({ array: '0-9:3%2' }), now);
    expect(readForm(form({ snapshot: true }), now).spec?.snapshot).toBe(true);
    expect(array.sweep).toEqual({ points: [0, 3, 6, 9].map((index) => ({ index, values: {} })), atMost: 2 });
  });

  it('says beside each field what to mend, all at once', () => {
    const { problems } = readForm(
      form({
        command: '"',
        cwd: 'rel',
        gpus: '',
        vram: '4',
        priority: '1.5',
        user: '',
        env: '=',
        begin: 'yesterday',
        time: 'long',
        afterOk: 'x',
        retryOn: '1',
        retryDelay: '1min',
        checkpointSignal: 'KILL',
        samples: '3',
        array: '5-1',
      }),
      now,
    );
    expect(Object.keys(problems ?? {}).sort()).toEqual([
      'afterOk',
      'array',
      'begin',
      'checkpointSignal',
      'command',
      'cwd',
      'env',
      'gpus',
      'priority',
      'retryDelay',
      'retryOn',
      'time',
      'user',
      'vram',
    ]);
    expect(problems?.vram).toContain('unit');
    expect(problems?.cwd).toContain('absolute');
    const sweep = (change: Partial<JobForm>) => readForm(form(change), now).problems;
    expect(Object.keys(sweep({ samples: '3', atMost: '2' })!)).toEqual(['samples', 'atMost']);
    expect(sweep({ sweep: 'lr=log:1e-5..1e-1' })?.sweep).toContain('--samples');
    expect(sweep({ sweep: 'a=0..200\nb=0..200' })?.sweep).toContain('at most 10000');
    expect(sweep({ sweep: 'a=1\na=2' })?.sweep).toContain('once');
  });

  it('finds the field that the engine names', () => {
    const names = ['vramMib', 'env.LR', 'command[0]', 'spec.minGpus', 'members.0, as cwd', 'hold'];
    expect(names.map(fieldNamed)).toEqual(['vram', 'env', 'command', 'gpus', 'sweep', null]);
  });
});

describe('the command box', () => {
  it('says every field of the form, and reads it back as it was', () => {
    const line = lineOf(FULL, blank);
    expect(formOfLine(line, blank)).toEqual({
      form: { ...FULL, command: "python train.py --lr '{lr}' 'a b'" },
    });
    for (const [field, flag] of FLAGS)
      if (field !== 'array' && field !== 'conda' && field !== 'snapshot') expect(line).toContain(`${flag} `);
    expect(lineOf(form({}), blank)).toBe('stint submit --cwd /home/ana -- python train.py');
    expect(lineOf(form({ samples: '3', sweep: 'a=0..9' }), blank)).toContain('--samples 3 --seed 0 --');
  });

  it('reads what people write: no words before, = for a blank, --after-ok, a line that goes on', () => {
    const read = formOfLine('--gpus=2 --after-ok 3 \\\n --hold -- sh -c "a && b"', blank);
    expect(read).toEqual({
      form: { ...blank, gpus: '2', afterOk: '3', hold: true, command: "sh -c 'a && b'" },
    });
    expect(formOfLine('stint add python a.py --gpus 3', blank)).toEqual({
      form: { ...blank, command: 'python a.py --gpus 3' },
    });
  });

  it.each([
    ['stint submit --gpu 2 -- a', '--gpu is no option'],
    ['stint submit --json -- a', 'on the command line only'],
    ['stint submit --name', 'give --name a value'],
    ['stint submit "', 'never closed'],
  ])('%s: %s', (line, problem) => {
    expect(formOfLine(line, blank)).toEqual({ problem: expect.stringContaining(problem) });
  });
});

describe('a job that is run again with changes', () => {
  it('is filled in as it was given, but for moments that have passed', () => {
    const again = formOfJob(
      job(12, {
        name: 'mine',
        command: ['python', 'a b.py'],
        cwd: '/x',
        gpus: 4,
        minGpus: 2,
        vramMib: 4096,
        env: { A: '1' },
        retries: 2,
        retryOn: [1],
        restartable: true,
        beginAtMs: 5,
        graceS: 20,
      }),
      blank,
    );
    expect(readForm(again, now).spec).toMatchObject({
      name: 'mine',
      command: ['python', 'a b.py'],
      cwd: '/x',
      gpus: 4,
      minGpus: 2,
      vramMib: 4096,
      env: { A: '1' },
      retries: 2,
      retryDelayS: 30,
      retryOn: [1],
      restartable: true,
      beginAtMs: null,
      graceS: 20,
    });
  });
});

describe('a script that is dropped on the console', () => {
  const script = (lines: readonly string[], path: string | null = '/exp/job.sh') =>
    formOfScript({ name: 'job.sh', text: `${lines.join('\n')}\n`, path }, blank);

  it('fills the form with what its head asks for, and says what has no meaning here', () => {
    const read = script([
      '#!/bin/bash -l',
      '#SBATCH -J tune --gres=gpu:2 -t 90 --mem=32G -c4 -D runs',
      '#SBATCH --dependency=afterok:12:13,afternotok:14 --export=SEED,LR=0.1',
      '#STINT --vram 4GiB --env-file .env --sweep lr=1,2 --sweep seed=0..1',
      'srun python train.py',
    ]);
    expect(read).toEqual({
      form: {
        ...blank,
        command: '/bin/bash -l /exp/job.sh',
        cwd: '/exp/runs',
        name: 'tune',
        gpus: '2',
        time: '5400s',
        vram: '4GiB',
        afterOk: '12, 13',
        afterNotOk: '14',
        sweep: 'lr=1,2\nseed=0..1',
        env: 'SLURM_CPUS_PER_TASK=4\nSLURM_NTASKS=1\nSLURM_SUBMIT_DIR=/exp\nLR=0.1',
      },
      notes: [
        expect.stringMatching(/^without meaning here: --mem=32G/),
        expect.stringMatching(/^line 5 calls srun/),
        expect.stringMatching(/^--export=SEED: there is no shell/),
        expect.stringMatching(/^--env-file works on the command line only/),
      ],
    });
    expect(readForm('form' in read ? read.form : blank, now).problems).toBeNull();
  });

  it('is looked for in the working directory where a browser does not say where it lies', () => {
    expect(script(['echo'], null)).toEqual({
      form: { ...blank, name: 'job.sh', command: '/bin/sh job.sh' },
      notes: [expect.stringMatching(/^A browser does not say/)],
    });
  });

  it.each([
    ['#SBATCH --no-such', /job.sh, line 1.*sbatch has no such option/],
    ['#STINT --gpu 2', /^job.sh, line 1: --gpu is no option/],
    ['#STINT --gpus 2 more', /^job.sh, line 1: more is no option/],
    ['\0ELF', /is no text/],
  ])('is refused with its place for %j', (line, problem) => {
    expect(script([line])).toEqual({ problem: expect.stringMatching(problem) });
  });
});
