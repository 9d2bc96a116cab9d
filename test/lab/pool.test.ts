import { describe, expect, it } from 'vitest';
import { type PoolOptions, runTasks } from '../../src/lab/pool.ts';
import type { Task } from '../../src/lab/task.ts';
import { traceJob } from './traceJobs.ts';

const task = (label: string, over: Partial<Task> = {}): Task => ({
  label,
  jobs: [traceJob(0, 0, 100), traceJob(1, 10, 50)],
  rejected: 0,
  regime: 'lab',
  options: { gpus: 1, seed: 1 },
  policies: ['fifo'],
  wantsJobs: false,
  ...over,
});
const options = (over: Partial<PoolOptions> = {}): PoolOptions => ({
  total: 3,
  workers: 2,
  policies: ['fifo'],
  weightsPath: '',
  ...over,
});

async function run(tasks: Iterable<Task>, over: Partial<PoolOptions> = {}): Promise<unknown[]> {
  const results: unknown[] = [];
  await runTasks(tasks, options(over), (index, [result]) => {
    results[index] = result!.row.mean_jct_s;
  });
  return results;
}

describe('runTasks', () => {
  it('gives each result the place of its task, and takes tasks only when a thread is free', async () => {
    let [made, over] = [0, 0];
    function* tasks() {
      for (const durationS of [100, 200, 300, 400, 500]) {
        made++;
        yield task('some', { jobs: [traceJob(0, 0, durationS)] });
      }
    }
    const dones: number[] = [];
    const results = await run(tasks(), {
      total: 5,
      onProgress: ({ done, total, fraction }) => {
        if (made > done + 2) over++;
        dones.push(done);
        expect([total, fraction >= done / 5, fraction <= 1]).toEqual([5, true, true]);
      },
    });
    expect(results).toEqual([100, 200, 300, 400, 500]);
    expect([dones.at(-1), over]).toEqual([5, 0]);
  });

  it('fails with the task, the policy and the reason', async () => {
    // A job that needs two GPUs where there is one.
    const impossible = task('the impossible one', { jobs: [traceJob(0, 0, 1, { gpus: 2 })] });
    await expect(run([task('a'), impossible, task('b')])).rejects.toThrow(
      /^fifo on the impossible one: job 1 asks for 2 devices/,
    );
  });

  it('says so when a thread dies', async () => {
    const dying = run([task('a'), task('b'), task('c')], { policies: ['dqn'], weightsPath: '/nowhere' });
    await expect(dying).rejects.toThrow(/a worker of the simulation died: .*; give it fewer/);
  });

  it('stops when it is told to', async () => {
    const before = AbortSignal.abort();
    await expect(run([task('a')], { total: 1, signal: before })).rejects.toThrow('stopped before the end');
    const abort = new AbortController();
    const endless = Array.from({ length: 10_000 }, () => task('one of many'));
    const stopped = run(endless, {
      total: endless.length,
      signal: abort.signal,
      onProgress: ({ done }) => {
        if (done === 5) abort.abort();
      },
    });
    await expect(stopped).rejects.toThrow('stopped before the end');
  });
});
