import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { JobSpecInput } from '../../src/domain/job.ts';
import { ROOT } from '../lib/run.ts';

interface DemoJob {
  readonly task: string;
  readonly epochs: number;
  readonly width: number;
  readonly gpus?: number;
  readonly vramMib?: number;
  readonly priority?: number;
  readonly user: string;
  readonly project: string;
  /** What its owner guesses; some do not. */
  readonly estimateS?: number;
  /** Seconds after the start at which it is submitted. */
  readonly afterS: number;
}

/** A dozen trainings of three people. */
export const JOBS: readonly DemoJob[] = [
  {
    task: 'text',
    epochs: 36,
    width: 64,
    user: 'ana',
    project: 'language',
    vramMib: 9216,
    estimateS: 100,
    afterS: 0,
  },
  {
    task: 'spirals',
    epochs: 60,
    width: 32,
    user: 'bo',
    project: 'sweep',
    vramMib: 6144,
    estimateS: 24,
    afterS: 0,
  },
  {
    task: 'spirals',
    epochs: 60,
    width: 64,
    user: 'bo',
    project: 'sweep',
    vramMib: 6144,
    estimateS: 24,
    afterS: 0,
  },
  {
    task: 'spirals',
    epochs: 60,
    width: 128,
    user: 'bo',
    project: 'sweep',
    vramMib: 6144,
    estimateS: 28,
    afterS: 0,
  },
  { task: 'shapes', epochs: 36, width: 8, user: 'chen', project: 'vision', estimateS: 90, afterS: 0 },
  { task: 'waves', epochs: 90, width: 32, user: 'ana', project: 'forecast', vramMib: 7168, afterS: 2 },
  {
    task: 'compress',
    epochs: 180,
    width: 64,
    gpus: 2,
    user: 'chen',
    project: 'codec',
    estimateS: 50,
    afterS: 4,
  },
  {
    task: 'compress',
    epochs: 45,
    width: 32,
    user: 'chen',
    project: 'codec',
    vramMib: 4096,
    priority: 5,
    afterS: 8,
  },
  {
    task: 'waves',
    epochs: 36,
    width: 16,
    user: 'ana',
    project: 'forecast',
    vramMib: 7168,
    estimateS: 24,
    afterS: 12,
  },
  { task: 'text', epochs: 12, width: 32, user: 'bo', project: 'language', vramMib: 9216, afterS: 15 },
  {
    task: 'spirals',
    epochs: 120,
    width: 64,
    user: 'bo',
    project: 'sweep',
    vramMib: 6144,
    estimateS: 48,
    afterS: 18,
  },
  {
    task: 'shapes',
    epochs: 12,
    width: 8,
    user: 'chen',
    project: 'vision',
    priority: 10,
    estimateS: 30,
    afterS: 22,
  },
];
/** TensorFlow.js steps are lighter than PyTorch's here, and it has fewer tasks. */
const NODE_TASKS: Readonly<Record<string, string>> = { text: 'compress', shapes: 'waves' };
const NODE_EPOCHS_FACTOR = 3;

/** A Python that has PyTorch; undefined: the jobs train with TensorFlow.js. */
export const python = ['python3', '/usr/bin/python3'].find(
  (path) => spawnSync(path, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0,
);
const command = (job: DemoJob): string[] =>
  python === undefined
    ? [
        process.execPath,
        join(ROOT, 'scripts', 'demo', 'train.ts'),
        NODE_TASKS[job.task] ?? job.task,
        ...['--epochs', String(job.epochs * NODE_EPOCHS_FACTOR), '--width', String(job.width)],
      ]
    : [
        python,
        join(ROOT, 'scripts', 'demo', 'train.py'),
        job.task,
        ...['--epochs', String(job.epochs), '--width', String(job.width)],
      ];

/** What is submitted for it. */
export const specOf = (job: DemoJob): JobSpecInput => ({
  command: command(job),
  cwd: ROOT,
  name: `${job.task} ×${job.width}`,
  user: job.user,
  project: job.project,
  priority: job.priority ?? 0,
  vramMib: job.vramMib ?? null,
  estimateS: job.estimateS ?? null,
  gpus: job.gpus ?? 1,
});
